"""The scheduler's cursors, the days it recorded as missed, and alerts to operators.

See docs/decisions/operator-alerts-are-an-outbox.md.
"""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, select, update
from sqlmodel.sql.expression import SelectOfScalar

from newsletter.core.operator_alert import (
    ABOUT_ACCOUNT,
    OperatorAlert,
    OperatorAlertKind,
    is_news,
)
from newsletter.core.stored import IssueStatus
from newsletter.core.timetable import ScheduleCursor, ScheduledIssue, SkippedDay
from newsletter.stores.issues import UNAPPROVED
from newsletter.stores.tables import (
    IssueBriefRow,
    IssueRow,
    OperatorAlertRow,
    ScheduleCursorRow,
    SkippedDayRow,
)
from subscribers.db.read_once import read_once
from subscribers.db.transaction import DatabaseStore, execute, transaction

_ISSUES = """
    SELECT issue.date, issue.state, array_remove(array_agg(alert.kind), NULL) AS alerts
      FROM issue LEFT JOIN operator_alert AS alert USING (newsletter, date)
     WHERE issue.newsletter = %(newsletter)s AND issue.date >= %(since)s
     GROUP BY issue.date, issue.state
"""

#: SendGrid posts several events of one change at once.
_ONE_BY_ONE = "LOCK TABLE operator_alert IN SHARE ROW EXCLUSIVE MODE"

_REPLACEABLE = [IssueStatus.EMPTY, IssueStatus.DRAFT, IssueStatus.APPROVED]


class ScheduleStore(DatabaseStore):
    """Stores how far the scheduler has come, and the alerts that operators are to get."""

    def cursor(self, newsletter: str, now: datetime) -> ScheduleCursor:
        """Return a newsletter's cursor; the first time, it begins now."""
        begin = insert(ScheduleCursorRow).values(newsletter=newsletter, began=now, until=now)
        with transaction(self._engine) as session:
            session.exec(begin.on_conflict_do_nothing())
            row = session.get_one(ScheduleCursorRow, newsletter)
            return ScheduleCursor(began=row.began, until=row.until)

    def advance_cursor(self, newsletter: str, until: datetime) -> None:
        """Record that everything that was due until then is done."""
        this = col(ScheduleCursorRow.newsletter) == newsletter
        with transaction(self._engine) as session:
            session.exec(update(ScheduleCursorRow).where(this).values(until=until))

    def issues_since(self, newsletter: str, since: date) -> dict[date, ScheduledIssue]:
        """Return the state of each issue since a date, and the kinds of alerts about it."""
        return {
            row["date"]: ScheduledIssue(
                state=IssueStatus(row["state"]),
                alerted=frozenset(map(OperatorAlertKind, row["alerts"])),
            )
            for row in self._rows(_ISSUES, newsletter=newsletter, since=since)
        }

    @read_once
    def skipped_since(self, newsletter: str, since: date) -> dict[date, SkippedDay]:
        """Return the days since a date that are to have no issue."""
        found = (
            select(SkippedDayRow)
            .where(SkippedDayRow.newsletter == newsletter, col(SkippedDayRow.day) >= since)
            .order_by(col(SkippedDayRow.day))
        )
        with transaction(self._engine) as session:
            return {
                row.day: SkippedDay(by=row.by, at=row.at, because=row.because)
                for row in session.exec(found)
            }

    def skip(self, newsletter: str, day: date, skipped: SkippedDay) -> bool:
        """Skip a day, and free the stories of its draft; False if it is skipped already."""
        add = insert(SkippedDayRow).values(newsletter=newsletter, day=day, **asdict(skipped))
        with transaction(self._engine) as session:
            if not session.exec(add.on_conflict_do_nothing()).rowcount:
                return False
            _set_aside(session, newsletter, day, f"the day is skipped: {skipped.because}")
        return True

    def unskip(self, newsletter: str, day: date) -> bool:
        row = SkippedDayRow
        this = delete(row).where(col(row.newsletter) == newsletter, col(row.day) == day)
        with transaction(self._engine) as session:
            return bool(session.exec(this).rowcount)

    def record_missed(self, alert: OperatorAlert, now: datetime) -> None:
        """Record the day as missed, and free its briefs, unless its issue was planned."""
        # Its number goes to the next issue, and an approval of it counts no longer.
        values: dict[str, Any] = {
            "state": IssueStatus.MISSED,
            "reason": alert.sentence,
            "number": None,
            "galley": None,
            **UNAPPROVED,
        }
        upsert = (
            insert(IssueRow)
            .values(newsletter=alert.newsletter, date=alert.date, assembled_at=now, **values)
            .on_conflict_do_update(
                index_elements=["newsletter", "date"],
                set_=values,
                where=col(IssueRow.state).in_(_REPLACEABLE),
            )
            .returning(col(IssueRow.id))
        )
        with transaction(self._engine) as session:
            missed = session.exec(upsert).scalar()
            if missed is not None:
                session.exec(delete(IssueBriefRow).where(col(IssueBriefRow.issue_id) == missed))
                _queue(session, alert, now)

    def queue_alert(self, alert: OperatorAlert, now: datetime) -> None:
        """Queue an alert; one with the same words is not queued again."""
        with transaction(self._engine) as session:
            _queue(session, alert, now)

    def queue_account_alert(self, alert: OperatorAlert, at: datetime) -> None:
        """Queue an alert about the account, unless the latest one said the same; `at` is when."""
        latest = (
            select(OperatorAlertRow)
            .where(col(OperatorAlertRow.kind).in_(ABOUT_ACCOUNT))
            .order_by(col(OperatorAlertRow.at).desc(), col(OperatorAlertRow.id).desc())
        )
        with transaction(self._engine) as session:
            execute(session, _ONE_BY_ONE)
            row = session.exec(latest).first()
            if is_news(alert, at, row and (_alert(row), row.at)):
                session.add(OperatorAlertRow(at=at, **asdict(alert)))

    def pending_alerts(self) -> tuple[tuple[int, OperatorAlert], ...]:
        """Return, by number, the alerts that were not sent yet, the oldest first."""
        found = (
            select(OperatorAlertRow)
            .where(col(OperatorAlertRow.sent_at).is_(None))
            .order_by(col(OperatorAlertRow.id))
        )
        with transaction(self._engine) as session:
            return tuple((row.id, _alert(row)) for row in session.exec(found))

    def alert_number(self, alert: OperatorAlert) -> int | None:
        """Return the number under which the console shows an alert."""
        with transaction(self._engine) as session:
            row = session.exec(_same(alert).order_by(col(OperatorAlertRow.id).desc())).first()
            return row and row.id

    def channels_notified(self, alert: OperatorAlert) -> frozenset[str]:
        with transaction(self._engine) as session:
            found = session.exec(_same(alert))
            return frozenset(one for row in found for one in row.notified_channels)

    def mark_notified(self, alert: OperatorAlert, channel: str) -> None:
        with transaction(self._engine) as session:
            for row in session.exec(_same(alert).with_for_update()):
                row.notified_channels = sorted({*row.notified_channels, channel})

    def mark_sent(self, number: int, now: datetime) -> None:
        this = col(OperatorAlertRow.id) == number
        with transaction(self._engine) as session:
            session.exec(update(OperatorAlertRow).where(this).values(sent_at=now))


def _set_aside(session: Session, newsletter: str, day: date, reason: str) -> None:
    """Empty the day's issue unless it was planned; how a person arranged it is kept."""
    values: dict[str, Any] = {"state": IssueStatus.EMPTY, "reason": reason}
    values |= dict.fromkeys(("number", "galley", *UNAPPROVED))
    unplanned = col(IssueRow.state).in_(_REPLACEABLE)
    this = (col(IssueRow.newsletter) == newsletter, col(IssueRow.date) == day, unplanned)
    emptied = update(IssueRow).where(*this).values(**values).returning(col(IssueRow.id))
    for (issue_id,) in session.exec(emptied).all():
        session.exec(delete(IssueBriefRow).where(col(IssueBriefRow.issue_id) == issue_id))


def _same(alert: OperatorAlert) -> SelectOfScalar[OperatorAlertRow]:
    """Select an alert by what it says, as it is queued."""
    return select(OperatorAlertRow).filter_by(**asdict(alert))


def _queue(session: Session, alert: OperatorAlert, now: datetime) -> None:
    if session.exec(_same(alert)).first() is None:
        session.add(OperatorAlertRow(at=now, **asdict(alert)))


def _alert(row: OperatorAlertRow) -> OperatorAlert:
    kind = OperatorAlertKind(row.kind)
    return OperatorAlert(kind=kind, newsletter=row.newsletter, date=row.date, sentence=row.sentence)
