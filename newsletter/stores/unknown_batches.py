"""Batches whose answer was lost, and what becomes of them."""

import logging
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from newsletter.core.reconciliation import Probe, Resolution, UnknownBatch
from newsletter.stores.acceptance import accept_attempts, finish
from newsletter.stores.look_up import LOOK_UP
from subscribers.db.transaction import DatabaseStore, execute, rows, scalar, transaction

_log = logging.getLogger(__name__)

#: A batch that was split off was asked for in the attempts before it, too. `others_received` looks
#: for one event of a batch that was asked no sooner; it stops at the first. Those attempts come by
#: their index (hence the order): the planner cannot know that there are few.
_UNKNOWN = """
    SELECT batch.id AS batch_id, batch.issue_id, issue.newsletter, batch.size,
           COALESCE(batch.reason, '') AS reason, batch.attempts, asked.at AS asked, asked.lost,
           EXISTS (SELECT 1
                     FROM (SELECT batch_id FROM attempt WHERE started_at >= asked.at
                            ORDER BY started_at OFFSET 0) AS other
                     JOIN batch AS its ON its.id = other.batch_id
                    CROSS JOIN LATERAL (
                          SELECT FROM delivery
                           WHERE delivery.issue_id = its.issue_id AND delivery.state > 0
                             AND delivery.place BETWEEN its.first_place AND its.last_place
                           LIMIT 1) AS received
                    WHERE other.batch_id <> batch.id)
           AS others_received
      FROM batch
      JOIN issue ON issue.id = batch.issue_id
      JOIN LATERAL (SELECT max(started_at) AS at,
                           count(*) FILTER (WHERE outcome IS NULL OR outcome = 'unknown') AS lost
                      FROM batch_attempt JOIN attempt ON attempt.id = attempt_id
                     WHERE batch_attempt.batch_id = batch.id) AS asked ON true
     WHERE batch.state = 'unknown'
     ORDER BY asked.at
"""

_LONG_UNKNOWN = """
    SELECT DISTINCT issue.newsletter, issue.date
      FROM batch JOIN issue ON issue.id = batch.issue_id
     WHERE batch.state = 'unknown'
       AND NOT EXISTS (SELECT 1 FROM attempt
                        WHERE batch_id = batch.id AND started_at > %(asked_before)s)
     ORDER BY issue.date, issue.newsletter
"""

_ATTEMPTS = """
    SELECT batch.issue_id, batch.first_place, batch.last_place, asked.*,
           (SELECT id FROM installation) AS installation_id
      FROM batch CROSS JOIN LATERAL (
           SELECT array_agg(id) AS ids, min(started_at) AS since, max(started_at) AS until
             FROM attempt
            WHERE id IN (SELECT attempt_id FROM batch_attempt WHERE batch_id = batch.id)) AS asked
     WHERE batch.id = %(batch)s
"""

#: A few are asked about, not one: an address may have changed since. Capitals come last, because
#: nobody says whether Email Logs keep them.
_EMAILS = """
    SELECT email FROM delivery JOIN addressee USING (subscription_id)
     WHERE issue_id = %(issue)s AND place BETWEEN %(first)s AND %(last)s
       AND skipped IS NULL AND refused IS NULL
     ORDER BY email <> lower(email), place LIMIT %(count)s
"""
_PROBED = 3

_CONTROL = """
    SELECT batch_id FROM attempt
     WHERE outcome = 'accepted' AND started_at >= %(asked)s AND batch_id <> %(batch)s
     ORDER BY started_at LIMIT 1
"""

_STATES = {
    Resolution.ACCEPTED: "accepted",
    Resolution.RESEND: "planned",
    Resolution.REFUSED: "refused",
}

_RESOLVE = """
    UPDATE batch SET state = %(state)s, reason = %(reason)s, not_before = NULL
     WHERE id = %(batch)s AND state = 'unknown'
       AND attempts = COALESCE(%(attempts)s::integer, attempts)
"""

#: A person cannot say which of its lost requests was accepted: one that it shared with another
#: batch, before both were split, may have reached the other's readers, too.
_DOUBT_SIBLINGS = """
    WITH lost AS (
        SELECT id FROM attempt
         WHERE (outcome IS NULL OR outcome = 'unknown')
           AND id IN (SELECT attempt_id FROM batch_attempt WHERE batch_id = %(batch)s))
    UPDATE batch SET state = 'unknown', not_before = NULL,
           reason = 'it was asked for in a lost request with one that was accepted'
     WHERE id IN (SELECT id FROM batch
                   WHERE state = 'planned' AND id <> %(batch)s
                     AND id IN (SELECT batch_id FROM batch_attempt
                                  JOIN lost ON lost.id = attempt_id)
                   ORDER BY id FOR NO KEY UPDATE)
"""


class UnknownBatchStore(DatabaseStore):
    """Lists unknown batches, what could prove them accepted, and stores what became of them."""

    def unknown(self) -> tuple[UnknownBatch, ...]:
        """Return all of them, the oldest first, with whether later batches had events."""
        with transaction(self._engine) as session:
            execute(session, LOOK_UP)
            return tuple(UnknownBatch(**row) for row in rows(session, _UNKNOWN))

    def unknown_issues(self, asked_before: datetime) -> tuple[tuple[str, date], ...]:
        """Return newsletter and date of issues with an unknown batch last asked before a moment."""
        found = self._rows(_LONG_UNKNOWN, asked_before=asked_before)
        return tuple((row["newsletter"], row["date"]) for row in found)

    def resolve(
        self, batch_id: int, resolution: Resolution, reason: str, attempts: int | None = None
    ) -> bool:
        """Resolve an unknown batch; False if it is not, or if it was asked for again since."""
        state = _STATES[resolution]
        values = {"attempts": attempts, "batch": batch_id, "reason": reason, "state": state}
        with transaction(self._engine) as session:
            if not execute(session, _RESOLVE, values):
                return False
            if resolution is Resolution.ACCEPTED:
                execute(session, _DOUBT_SIBLINGS, values)
        finish(self._engine)  # it may have been the last that its issue waited for
        _log_resolved(reason, batch=batch_id, resolution=resolution)
        return True

    def probe(self, batch_id: int) -> Probe:
        """Return what Email Logs are asked about a batch."""
        with transaction(self._engine) as session:
            return _probe(session, batch_id)

    def control_probe(self, batch: UnknownBatch) -> Probe | None:
        """Return the same of another batch, surely accepted, that was asked no sooner."""
        values = {"batch": batch.batch_id, "asked": batch.asked}
        with transaction(self._engine) as session:
            other: int | None = scalar(session, _CONTROL, values)
            return None if other is None else _probe(session, other)

    def record_accepted(self, attempt_id: str, now: datetime) -> bool:
        """Record that Email Logs show an attempt; False if its batch was accepted before."""
        with transaction(self._engine) as session:
            accepted = accept_attempts(session, [attempt_id], now, evidence="Email Logs show")
        if accepted:
            finish(self._engine)
            words = "Email Logs show that it was accepted"
            _log_resolved(words, attempt=attempt_id, resolution=Resolution.ACCEPTED)
        return bool(accepted)


def _log_resolved(reason: str, **ids: Any) -> None:
    _log.info(reason, extra={"action": "batch.resolved", **ids})


def _probe(session: Session, batch_id: int) -> Probe:
    execute(session, LOOK_UP)
    [asked] = rows(session, _ATTEMPTS, {"batch": batch_id})
    values = {"issue": asked["issue_id"], "first": asked["first_place"], "count": _PROBED}
    emails = rows(session, _EMAILS, values | {"last": asked["last_place"]})
    return Probe(
        batch_id=batch_id,
        issue_id=asked["issue_id"],
        installation_id=asked["installation_id"],
        attempt_ids=frozenset(asked["ids"]),
        emails=tuple(row["email"] for row in emails),
        since=asked["since"],
        until=asked["until"],
    )
