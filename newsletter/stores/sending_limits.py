"""Pausing and cancelling issues, and counts of failures.

See docs/decisions/limits-in-the-database.md.
"""

import logging
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from newsletter.core.circuit_breaker import UNKNOWN, FailureCounts, Trip
from newsletter.core.stored import IssueStatus
from newsletter.stores.tables import IssueRow
from subscribers.db.transaction import DatabaseStore, execute, rows, transaction

_log = logging.getLogger(__name__)

#: Of many workers that meet the same trouble, one pauses the issue, and operators get one alert. A
#: pause that may end by itself gives way to one that may not.
_PAUSE = """
    WITH paused AS (
        UPDATE issue SET state = 'paused', reason = %(reason)s, paused_by = %(by)s,
               tripped = %(tripped)s, held_until = NULL
         WHERE id = %(issue)s
           AND (state = 'sending' OR state = 'paused' AND tripped = 'unknown'
                                     AND %(tripped)s::text IS DISTINCT FROM 'unknown')
        RETURNING newsletter, date)
    INSERT INTO operator_alert (at, newsletter, date, kind, sentence)
    SELECT %(now)s, newsletter, date, 'paused',
           'paused by ' || %(by)s::text || ': ' || %(reason)s::text
      FROM paused
"""

#: What paused itself says why by itself, and evidence about that is not written over.
_EXPLAIN = """
    UPDATE issue SET reason = %(reason)s
     WHERE id = %(issue)s AND state = 'paused' AND tripped IS NULL AND paused_by <> 'the worker'
"""

#: Only what evidence can refute, and only while nobody else paused it since.
_GO_ON = """
    WITH resumed AS (
        UPDATE issue SET state = 'sending', reason = NULL, paused_by = NULL, tripped = NULL
         WHERE id = %(issue)s AND state = 'paused' AND tripped = 'unknown'
        RETURNING newsletter, date)
    INSERT INTO operator_alert (at, newsletter, date, kind, sentence)
    SELECT %(now)s, newsletter, date, 'went on by itself', %(reason)s FROM resumed
"""

_HOLD = """
    UPDATE issue SET held_until = %(until)s, reason = %(reason)s
     WHERE id = %(issue)s AND state = 'sending'
"""

_RELEASE = """
    UPDATE issue SET held_until = NULL, reason = NULL
     WHERE id = %(issue)s AND state = 'sending' AND held_until IS NOT NULL
"""

#: Operators get one alert, whatever number of batches fail, until somebody resumes the issue.
_ALERT_UNREACHED = """
    WITH unreached AS (
        UPDATE issue SET unreached_since = %(now)s
         WHERE id = %(issue)s AND unreached_since IS NULL
        RETURNING newsletter, date, send_by)
    INSERT INTO operator_alert (at, newsletter, date, kind, sentence)
    SELECT %(now)s, newsletter, date, 'SendGrid not reached',
           %(reason)s::text || '; nothing was sent, and it is tried again until '
           || COALESCE(to_char(send_by AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), 'cancelled')
      FROM unreached
"""

_CANCEL = """
    UPDATE issue SET state = 'cancelled', reason = %(reason)s
     WHERE id = %(issue)s AND state IN ('sending', 'paused')
"""

#: What was not sent of a cancelled issue never will be. A batch in hand when the issue was
#: cancelled may come back as planned, after a refusal: hence every cancelled issue, each time. One
#: that was requested before may have been accepted: its deliveries are not said to be left out.
_VOID_UNSENT = """
    WITH open AS (
        UPDATE batch SET state = 'void', reason = issue.reason,
               skipped_count = size - refused_count
          FROM issue
         WHERE issue.id = batch.issue_id AND issue.state = 'cancelled' AND batch.state = 'planned'
        RETURNING batch.id, batch.issue_id, batch.first_place, batch.last_place,
                  CASE WHEN starts_with(issue.reason, 'stale:') THEN 'stale'
                       ELSE 'cancelled' END AS why),
    requested AS (
        SELECT open.*, COALESCE(max(serial), 0) AS serial,
               COALESCE(bool_or(outcome IS NULL OR outcome = 'unknown')
                        FILTER (WHERE attempt.id IS NOT NULL), false) AS lost
          FROM open LEFT JOIN batch_attempt ON batch_attempt.batch_id = open.id
                    LEFT JOIN attempt ON attempt.id = attempt_id
         GROUP BY open.id, open.issue_id, first_place, last_place, why)
    SELECT issue_id AS issue, array_agg(first_place) AS firsts, array_agg(last_place) AS lasts,
           array_agg(serial) AS serials,
           array_agg(why || CASE WHEN lost THEN '_after_request' ELSE '' END) AS reasons
      FROM requested GROUP BY issue_id ORDER BY issue_id
"""

_SKIP_UNSENT = """
    UPDATE delivery SET left_after = open.serial, skipped = open.reason
      FROM unnest(%(firsts)s::integer[], %(lasts)s::integer[], %(serials)s::bigint[],
                  %(reasons)s::text[]) AS open (first_place, last_place, serial, reason)
     WHERE delivery.issue_id = %(issue)s
       AND delivery.place BETWEEN open.first_place AND open.last_place
       AND delivery.skipped IS NULL AND delivery.refused IS NULL
"""

_CANCEL_STALE = """
    UPDATE issue
       SET state = 'cancelled', reason = 'stale: its news was no longer fresh, so the rest stays'
     WHERE state IN ('sending', 'paused') AND send_by <= %(now)s
       AND EXISTS (SELECT 1 FROM batch
                    WHERE batch.issue_id = issue.id AND batch.state = 'planned')
"""

#: Of some others every batch was requested, and evidence about a lost answer is awaited.
_SENDING = """
    SELECT id FROM issue
     WHERE state = 'sending' AND EXISTS (SELECT 1 FROM batch WHERE batch.issue_id = issue.id
                                            AND batch.state IN ('planned', 'claimed'))
"""

#: After a person resumed an issue, only what was asked since counts, and is counted by letter;
#: before that, letters that bounced or were complained about have counters.
_FAILURES = """
    WITH answered AS (
        SELECT batch.size, batch.state, batch.first_place, batch.last_place,
               batch.state = 'unknown'
               AND EXISTS (SELECT 1 FROM attempt WHERE attempt.batch_id = batch.id
                                                   AND started_at > %(young_since)s) AS young
          FROM batch JOIN issue ON issue.id = issue_id
         WHERE issue_id = %(issue)s AND batch.state IN ('accepted', 'refused', 'unknown')
           AND (issue.resumed_at IS NULL
                OR EXISTS (SELECT 1 FROM attempt WHERE attempt.batch_id = batch.id
                                                   AND attempt.started_at >= issue.resumed_at))),
    since AS (
        SELECT count(*) FILTER (WHERE delivery.state = 70) AS bounced,
               count(*) FILTER (WHERE delivery.state = 90) AS complained
          FROM answered
          JOIN delivery ON delivery.issue_id = %(issue)s
                       AND delivery.place BETWEEN answered.first_place AND answered.last_place
         WHERE (SELECT resumed_at FROM issue WHERE id = %(issue)s) IS NOT NULL),
    counted AS (
        SELECT sum(count) FILTER (WHERE state = 70) AS bounced,
               sum(count) FILTER (WHERE state = 90) AS complained
          FROM delivery_state_count
         WHERE issue_id = %(issue)s
           AND (SELECT resumed_at FROM issue WHERE id = %(issue)s) IS NULL),
    failed AS (
        SELECT COALESCE(counted.bounced, since.bounced) AS bounced,
               COALESCE(counted.complained, since.complained) AS complained,
               (SELECT count(*)
                  FROM answered
                  JOIN delivery ON delivery.place BETWEEN answered.first_place
                                                      AND answered.last_place
                 WHERE delivery.issue_id = %(issue)s AND delivery.refused IS NOT NULL
                   AND (skipped IS NOT NULL OR refused IS NOT NULL)) AS refused
          FROM since, counted)
    SELECT COALESCE(sum(size), 0) AS asked, count(*) AS requests,
           COALESCE(sum(size) FILTER (WHERE state = 'unknown'), 0) AS unknown,
           COALESCE(sum(size) FILTER (WHERE young), 0) AS young,
           COALESCE(sum(size) FILTER (WHERE state = 'refused'), 0)
               + (SELECT refused FROM failed) AS refused,
           (SELECT bounced FROM failed) AS bounced,
           (SELECT complained FROM failed) AS complained
      FROM answered
"""


class SendingLimitStore(DatabaseStore):
    """Pauses and cancels issues, and counts what failed of them."""

    def pause(
        self, issue_id: int, reason: str, now: datetime, *, by: str, tripped: str | None = None
    ) -> bool:
        """Let no further batch be sent; False if the issue was not being sent."""
        with transaction(self._engine) as session:
            paused = pause(session, issue_id, reason, now, by=by, tripped=tripped)
        if paused:
            _log.warning(reason, extra={"action": "issue.paused", "issue": issue_id})
        return paused

    def explain_pause(self, issue_id: int, reason: str) -> bool:
        """Give the pause of a person another reason; False if no person paused it."""
        return self._execute(_EXPLAIN, issue=issue_id, reason=reason) > 0

    def cancel(self, issue_id: int, reason: str) -> bool:
        """Skip whatever was not sent; False if the issue was not being sent."""
        with transaction(self._engine) as session:
            cancelled = execute(session, _CANCEL, {"issue": issue_id, "reason": reason}) > 0
            _skip_unsent(session)
        if cancelled:
            _log.warning(reason, extra={"action": "issue.cancelled", "issue": issue_id})
        return cancelled

    def cancel_stale(self, now: datetime) -> int:
        """Cancel stale issues, and skip what cancelled issues still hold; return how many."""
        with transaction(self._engine) as session:
            stale = execute(session, _CANCEL_STALE, {"now": now})
            _skip_unsent(session)
            return stale

    def trip(self, issue_id: int, trip: Trip, now: datetime, *, by: str) -> bool:
        """Pause what the circuit breaker found; False if it is paused for that, or for worse."""
        return self.pause(issue_id, trip.reason, now, by=by, tripped=trip.kind)

    def go_on(self, issue_id: int, reason: str, now: datetime) -> bool:
        """End a pause for unknown answers; False if there is none any more, or another one."""
        values = {"issue": issue_id, "reason": reason, "now": now}
        went_on = self._execute(_GO_ON, **values) > 0
        if went_on:
            _log.info(reason, extra={"action": "issue.went_on", "issue": issue_id})
        return went_on

    def hold(self, issue_id: int, reason: str, until: datetime) -> None:
        """Let no batch of an issue be claimed until a moment; a later call extends it."""
        self._execute(_HOLD, issue=issue_id, reason=reason, until=until)

    def release(self, issue_id: int) -> None:
        if self._execute(_RELEASE, issue=issue_id):
            _log.info("no longer held", extra={"action": "issue.released", "issue": issue_id})

    def failure_counts(self, issue_id: int, young_since: datetime) -> FailureCounts:
        """Count what went wrong; an answer lost after `young_since` may yet be proven."""
        [row] = self._rows(_FAILURES, issue=issue_id, young_since=young_since)
        return FailureCounts(**row)

    def sending_issues(self) -> tuple[int, ...]:
        """Return the issues of which something is still to be sent."""
        return tuple(row["id"] for row in self._rows(_SENDING))

    def held_issues(self) -> tuple[int, ...]:
        return self._issues(
            IssueRow.state == IssueStatus.SENDING, col(IssueRow.held_until).is_not(None)
        )

    def refutable_issues(self) -> tuple[int, ...]:
        """Return the issues paused for unknown answers, which evidence may prove accepted."""
        return self._issues(IssueRow.state == IssueStatus.PAUSED, IssueRow.tripped == UNKNOWN)

    def _issues(self, *conditions: Any) -> tuple[int, ...]:
        with transaction(self._engine) as session:
            return tuple(session.exec(select(IssueRow.id).where(*conditions)))


def pause(
    session: Session,
    issue_id: int,
    reason: str,
    now: datetime,
    *,
    by: str,
    tripped: str | None = None,
) -> bool:
    """Pause an issue and queue the alert about it; False if it was not being sent."""
    values = {"issue": issue_id, "reason": reason, "now": now, "by": by, "tripped": tripped}
    return execute(session, _PAUSE, values) > 0


def _skip_unsent(session: Session) -> None:
    for batches in rows(session, _VOID_UNSENT):
        execute(session, _SKIP_UNSENT, batches)


def alert_unreached(session: Session, issue_id: int, reason: str, now: datetime) -> None:
    """Queue the alert that SendGrid is tried again and again; one for an issue."""
    execute(session, _ALERT_UNREACHED, {"issue": issue_id, "reason": reason, "now": now})
