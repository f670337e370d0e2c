"""Deliveries, batches and attempts: planned by set-based SQL, claimed and recorded one by one."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, text

from newsletter.adapters.stores import statements
from newsletter.adapters.stores.accounts import account, trace
from newsletter.adapters.stores.proof import prove_batches
from newsletter.core.account import Account, DeliveryRecord
from newsletter.core.brakes import Office, Pace, next_turn, wait_for_turn
from newsletter.core.delivery import (
    Accepted,
    BatchState,
    Claim,
    Disposition,
    NotYet,
    Outcome,
    Recipient,
)
from newsletter.core.edition import Edition
from newsletter.core.publication import Readers
from subscribers.model import TopicSet

_LATE = "the answer to an earlier request came late, and proved"


class Deliveries:
    """DeliveryStore on PostgreSQL."""

    def __init__(self, engine: Engine, pace: Pace | None = None) -> None:
        self._engine = engine
        self._pace = pace if pace and pace.limits else None
        # The plan reads the audience several times and must see it as of one moment.
        self._snapshots = engine.execution_options(isolation_level="REPEATABLE READ")

    def plan(
        self,
        issue_id: int,
        choose: Callable[[TopicSet], Edition | None],
        *,
        batch_size: int,
        now: datetime,
        wave: Callable[[str], datetime] | None = None,
        fresh_for: timedelta | None = None,
        readers: Readers,
    ) -> bool:
        """Write down who gets which edition in which batch; False if that was done before."""
        values = asdict(readers) | {
            "issue": issue_id,
            "size": batch_size,
            "now": now,
            "fresh_for": fresh_for,
        }
        with self._snapshots.begin() as connection:
            taken = connection.execute(text(statements.TAKE_ISSUE), values).first()
            if taken is None:
                return False
            _choose_editions(connection, values, choose)
            connection.execute(text(statements.EXCLUDE), values)
            _place(connection, values, wave)
            for step in (*statements.FILL, statements.SEND_BY):
                connection.execute(text(step), values)
        self._finish()  # an issue for nobody is done at once
        return True

    def claim(
        self, batch_id: int, *, attempt_id: str, lease: timedelta, now: datetime
    ) -> Claim | NotYet | None:
        """Take a planned batch, asking consent again; None when it is not to be taken."""
        values = {"batch": batch_id, "now": now, "until": now + lease, "attempt": attempt_id}
        with self._engine.begin() as connection:
            claimed = _wait(connection, values, self._pace) or _claim(
                connection, values, self._pace
            )
        if claimed is None:
            self._finish()  # it may have been the last, with nobody left to write to
        return claimed

    def record(
        self, claim: Claim, outcome: Outcome, disposition: Disposition, now: datetime
    ) -> tuple[int, ...]:
        """Keep the answer to an attempt; return the batches that are to be tried again."""
        values = {
            "attempt": claim.attempt_id,
            "number": claim.attempt,
            "batch": claim.batch_id,
            "issue": claim.issue_id,
            "outcome": type(outcome).__name__.lower(),
            "state": disposition.state,
            "reason": disposition.reason or None,
            "told": f"paused: {disposition.reason}",
            "message_id": outcome.message_id if isinstance(outcome, Accepted) else None,
            "not_before": disposition.not_before,
            "closed_until": disposition.closed_until,
            "offenders": [claim.recipients[i].delivery_id for i in disposition.eject],
            "now": now,
        }
        with self._engine.begin() as connection:
            recorded = _record(connection, claim, outcome, disposition, values)
        if recorded.ended:
            self._finish()
        return recorded.again

    def expire_leases(self, now: datetime) -> int:
        """Turn batches whose worker never answered into unknown ones; return how many."""
        with self._engine.begin() as connection:
            expired = connection.execute(text(statements.EXPIRE), {"now": now}).rowcount
        self._finish()
        return expired

    def _finish(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statements.FINISH))

    def waiting(self, issue_id: int | None = None) -> tuple[tuple[int, datetime | None], ...]:
        """Return planned batches of sending issues, each with the moment it waits for."""
        with self._engine.begin() as connection:
            rows = connection.execute(text(statements.WAITING), {"issue": issue_id})
            return tuple((row.id, row.not_before) for row in rows)

    def progress(self, issue_id: int) -> tuple[int, int]:
        """Return recipients answered for, and all of them; cheap enough to ask often."""
        with self._engine.begin() as connection:
            row = connection.execute(text(statements.PROGRESS), {"issue": issue_id}).one()
            return row.done, row.total

    def account(self, issue_id: int) -> Account:
        """Return all sums of an issue."""
        with self._snapshots.begin() as connection:
            return account(connection, issue_id)

    def trace(self, subscriber_id: int, issue_id: int) -> DeliveryRecord | None:
        """Return what happened to a subscriber's letter; None if the issue never knew of them."""
        with self._snapshots.begin() as connection:
            return trace(connection, subscriber_id, issue_id)


def _wait(connection: Connection, values: dict[str, Any], pace: Pace | None) -> NotYet | None:
    if until := connection.execute(text(statements.WAIT), values).scalar():
        return NotYet(until)
    if pace is None:
        return None
    connection.execute(text(statements.OPEN_POST_OFFICE))
    office = Office(**connection.execute(text(statements.ASK_FOR_TURN)).mappings().one())
    size = connection.execute(text("SELECT size FROM batch WHERE id = :batch"), values).scalar()
    until = wait_for_turn(pace, office, size or 0, values["now"])
    return NotYet(until) if until else None


def _take_turn(connection: Connection, now: datetime, size: int, pace: Pace) -> None:
    office = Office(**connection.execute(text(statements.ASK_FOR_TURN)).mappings().one())
    values = {
        "free_at": next_turn(pace, office.free_at, size, now),
        "day": now.astimezone(UTC).date(),
        "size": size,
    }
    connection.execute(text(statements.TAKE_TURN), values)


def _claim(connection: Connection, values: dict[str, Any], pace: Pace | None) -> Claim | None:
    batch = connection.execute(text(statements.CLAIM), values).first()
    if batch is None:
        return None
    recipients = _recipients(connection, values | {"frequency": batch.frequency})
    if not recipients:
        connection.execute(text(statements.VOID), values)
        return None
    values |= {"number": batch.attempts, "recipients": len(recipients)}
    connection.execute(text(statements.BEGIN_ATTEMPT), values)
    if pace:
        _take_turn(connection, values["now"], len(recipients), pace)
    return Claim(
        attempt_id=values["attempt"],
        attempt=batch.attempts,
        batch_id=values["batch"],
        issue_id=batch.issue_id,
        brief_ids=tuple(batch.brief_ids),
        recipients=recipients,
    )


def _choose_editions(
    connection: Connection,
    values: dict[str, Any],
    choose: Callable[[TopicSet], Edition | None],
) -> None:
    """Let the core choose for each topic set in use, and write its choices beside them."""
    issue_id = values["issue"]
    in_use = connection.execute(text(statements.TOPIC_SETS), values).all()
    chosen = {row.id: choose(TopicSet(frozenset(row.slugs))) for row in in_use}
    editions = {edition.key: edition for edition in chosen.values() if edition}
    connection.execute(text(statements.CHOICE_TABLE))
    if not editions:
        return
    connection.execute(
        text(statements.ADD_EDITION),
        [{"issue": issue_id, "key": e.key, "ids": list(e.brief_ids)} for e in editions.values()],
    )
    connection.execute(
        text(statements.CHOOSE),
        {
            "issue": issue_id,
            "sets": [set_id for set_id, edition in chosen.items() if edition],
            "keys": [edition.key for edition in chosen.values() if edition],
        },
    )


def _place(
    connection: Connection, values: dict[str, Any], wave: Callable[[str], datetime] | None
) -> None:
    """Put each reader into a batch of their edition and, in reader time, of their wave."""
    if wave is None:
        connection.execute(text(statements.PLACE), values)
        return
    zones = connection.execute(text(statements.ZONES), values).scalars().all()
    connection.execute(text(statements.WAVE_TABLE))
    connection.execute(
        text(statements.ADD_WAVES), {"zones": zones, "moments": [wave(zone) for zone in zones]}
    )
    connection.execute(text(statements.PLACE_IN_WAVES), values)


def _recipients(connection: Connection, values: dict[str, Any]) -> tuple[Recipient, ...]:
    """Ask consent again: return who may still be written to, and write down who may not."""
    connection.execute(text(statements.LOOK_UP))
    asked = connection.execute(text(statements.ASK_CONSENT_AGAIN), values).all()
    if gone := [(delivery, exclusion) for delivery, *_, exclusion in asked if exclusion]:
        ids, reasons = zip(*gone, strict=True)
        connection.execute(text(statements.SKIP), {"ids": list(ids), "reasons": list(reasons)})
    return tuple(
        Recipient(delivery_id=delivery, email=email, subscription_id=subscription, link_key=key)
        for delivery, email, subscription, key, exclusion in asked
        if not exclusion
    )


class _Recorded(NamedTuple):
    again: tuple[int, ...] = ()  #: batches to be tried again
    ended: bool = False  #: the issue may be at its end


def _record(
    connection: Connection,
    claim: Claim,
    outcome: Outcome,
    disposition: Disposition,
    values: dict[str, Any],
) -> _Recorded:
    if disposition.split:
        connection.execute(text(statements.HOLD_ATTEMPTS), values)
    if connection.execute(text(statements.END_ATTEMPT), values).first() is None:
        return _Recorded()
    recorded = connection.execute(text(statements.RECORD), values).first()
    if recorded is None:  # somebody asked again in between, or an event was quicker
        late = isinstance(outcome, Accepted)
        return _Recorded(
            ended=late and bool(prove_batches(connection, [claim.attempt_id], witness=_LATE))
        )
    again = [claim.batch_id] if disposition.state is BatchState.PLANNED else []
    if disposition.eject:
        connection.execute(text(statements.EJECT), values)
    if disposition.split:
        again.append(_split(connection, claim))
    if disposition.closed_until:
        connection.execute(text(statements.CLOSE_POST_OFFICE), values)
    if disposition.pause:
        connection.execute(text(statements.PAUSE), values)
        return _Recorded()
    return _Recorded(tuple(again), ended=not recorded.more)


def _split(connection: Connection, claim: Claim) -> int:
    second_half = [one.delivery_id for one in claim.recipients[len(claim.recipients) // 2 :]]
    values = {"batch": claim.batch_id, "deliveries": second_half}
    new_id = connection.execute(text(statements.SPLIT_OFF), values).scalar_one()
    values["new"] = new_id
    connection.execute(text(statements.INHERIT_ATTEMPTS), values)
    connection.execute(text(statements.MOVE), values)
    return int(new_id)
