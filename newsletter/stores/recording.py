"""An answer that is no acceptance is recorded, with what follows for its batch and its issue.

See docs/decisions/three-outcomes.md.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from newsletter.core.delivery import BatchState, Claim, Disposition, Outcome, Refused
from newsletter.stores.batch_counts import recount
from newsletter.stores.send_window import close_window
from newsletter.stores.sending_limits import alert_unreached, pause
from subscribers.db.transaction import execute, scalar

#: Locked before a batch is split: proof of one of its attempts waits, and then sees both halves.
_LOCK_ATTEMPTS = """
    SELECT id FROM attempt
     WHERE id IN (SELECT attempt_id FROM batch_attempt WHERE batch_id = %(batch)s)
     ORDER BY id FOR NO KEY UPDATE
"""

#: An event may have proved it accepted before the loss of its answer is recorded. An answer counts
#: once, however often it is recorded.
_END_ATTEMPT = """
    UPDATE attempt SET finished_at = %(now)s, reason = %(reason)s,
           outcome = CASE outcome WHEN 'accepted' THEN outcome ELSE %(outcome)s END
     WHERE id = %(attempt)s AND (outcome IS NULL OR outcome = 'accepted')
"""

#: An answer that comes after the lease ran out still counts, as long as nobody asked again: also
#: when that was permitted already, and the batch is planned once more.
_RECORD = """
    UPDATE batch SET state = %(state)s, reason = %(reason)s, not_before = %(not_before)s,
           lease_until = NULL
     WHERE id = %(batch)s AND state IN ('claimed', 'unknown', 'planned') AND attempts = %(number)s
"""

_EJECT = """
    UPDATE delivery SET refused = offender.reason,
           left_after = (SELECT serial FROM attempt WHERE id = %(attempt)s)
      FROM unnest(%(offenders)s::integer[], %(reasons)s::text[]) AS offender (place, reason)
     WHERE delivery.issue_id = %(issue)s AND delivery.place = offender.place
       AND delivery.place BETWEEN %(first)s AND %(last)s
"""

#: A batch is a range of places, which is cut in two.
_SPLIT_OFF = """
    INSERT INTO batch (issue_id, edition_id, ordinal, size, first_place, last_place)
    SELECT issue_id, edition_id,
           (SELECT max(ordinal) + 1 FROM batch b WHERE b.edition_id = batch.edition_id),
           last_place - %(cut)s + 1, %(cut)s, last_place
      FROM batch WHERE id = %(batch)s
    RETURNING id
"""

#: Whatever was asked for the whole batch was asked for this part of it.
_INHERIT_ATTEMPTS = """
    INSERT INTO split_from (batch_id, attempt_id)
    SELECT DISTINCT %(new)s::bigint, attempt_id FROM batch_attempt WHERE batch_id = %(batch)s
"""

_CUT = """
    UPDATE batch SET last_place = %(cut)s - 1, size = %(cut)s - first_place WHERE id = %(batch)s
"""


def record_failure(
    session: Session, claim: Claim, outcome: Outcome, disposition: Disposition, now: datetime
) -> tuple[int, ...]:
    """Record what was answered; return the batches that are to be tried again."""
    values = _values(claim, outcome, disposition, now)
    if disposition.split:
        execute(session, _LOCK_ATTEMPTS, values)
    if not execute(session, _END_ATTEMPT, values):
        return ()
    if not execute(session, _RECORD, values):
        return ()  # somebody asked again in between, or an event proved that it was accepted
    again = [claim.batch_id] if disposition.state is BatchState.PLANNED else []
    if disposition.eject:
        execute(session, _EJECT, values)
    if disposition.split:
        again.append(_split(session, claim))
    if disposition.eject or disposition.split:
        recount(session, {claim.batch_id, *again})
    if disposition.closed_until:
        close_window(session, disposition.closed_until)
    if disposition.alert:
        alert_unreached(session, claim.issue_id, disposition.reason, now)
    if disposition.pause:
        pause(session, claim.issue_id, disposition.reason, now, by="the worker")
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
        "first": claim.recipients[0].place,
        "last": claim.recipients[-1].place,
        "outcome": _outcome(outcome),
        "state": disposition.state,
        "reason": disposition.reason or None,
        "not_before": disposition.not_before,
        "offenders": [claim.recipients[i].place for i in disposition.eject],
        "reasons": [
            disposition.eject_reasons.get(i, disposition.reason) for i in disposition.eject
        ],
        "now": now,
    }


def _outcome(outcome: Outcome) -> str:
    """Return the word for it; a request that never reached SendGrid has one of its own."""
    not_sent = isinstance(outcome, Refused) and not outcome.reached
    return "not_sent" if not_sent else type(outcome).__name__.lower()


def _split(session: Session, claim: Claim) -> int:
    second_half = claim.recipients[len(claim.recipients) // 2 :]
    values = {"batch": claim.batch_id, "cut": second_half[0].place}
    new_id: int = scalar(session, _SPLIT_OFF, values)
    values["new"] = new_id
    execute(session, _INHERIT_ATTEMPTS, values)
    execute(session, _CUT, values)
    return new_id
