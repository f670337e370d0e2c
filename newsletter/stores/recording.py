"""An answer that is no acceptance: what it makes of its batch, and of the issue."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from newsletter.core.delivery import BatchState, Claim, Disposition, Outcome
from newsletter.stores import delivery_sql


def record_trouble(
    connection: Connection,
    claim: Claim,
    outcome: Outcome,
    disposition: Disposition,
    now: datetime,
) -> tuple[int, ...]:
    """Keep what was answered; return the batches that are to be tried again."""
    values = _values(claim, outcome, disposition, now)
    if disposition.split:
        connection.execute(text(delivery_sql.HOLD_ATTEMPTS), values)
    if connection.execute(text(delivery_sql.END_ATTEMPT), values).first() is None:
        return ()
    if connection.execute(text(delivery_sql.RECORD), values).first() is None:
        return ()  # somebody asked again in between, or an event proved that it was accepted
    again = [claim.batch_id] if disposition.state is BatchState.PLANNED else []
    if disposition.eject:
        connection.execute(text(delivery_sql.EJECT), values)
    if disposition.split:
        again.append(_split(connection, claim))
    if disposition.closed_until:
        connection.execute(text(delivery_sql.CLOSE_POST_OFFICE), values)
    if disposition.pause:
        connection.execute(text(delivery_sql.PAUSE), values)
        return ()
    return tuple(again)


def _values(
    claim: Claim, outcome: Outcome, disposition: Disposition, now: datetime
) -> dict[str, Any]:
    return {
        "attempt": claim.attempt_id,
        "number": claim.attempt,
        "batch": claim.batch_id,
        "issue": claim.issue_id,
        "outcome": type(outcome).__name__.lower(),
        "state": disposition.state,
        "reason": disposition.reason or None,
        "told": f"paused: {disposition.reason}",
        "not_before": disposition.not_before,
        "closed_until": disposition.closed_until,
        "offenders": [claim.recipients[i].delivery_id for i in disposition.eject],
        "now": now,
    }


def _split(connection: Connection, claim: Claim) -> int:
    second_half = [one.delivery_id for one in claim.recipients[len(claim.recipients) // 2 :]]
    values = {"batch": claim.batch_id, "deliveries": second_half}
    new_id = connection.execute(text(delivery_sql.SPLIT_OFF), values).scalar_one()
    values["new"] = new_id
    connection.execute(text(delivery_sql.INHERIT_ATTEMPTS), values)
    connection.execute(text(delivery_sql.MOVE), values)
    return int(new_id)
