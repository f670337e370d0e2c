"""The rows of the schedule, of what operators are told, and of what was decided."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Date, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from newsletter.stores.codec import json_column
from subscribers.db import columns
from subscribers.db.columns import Row


class DecisionRow(Row, table=True):
    """What a person or the scheduler decided, about what, when, and from where: append-only."""

    __table_args__ = (
        Index("decision_actor", "actor", "id"),
        Index("decision_newsletter", "newsletter", "id"),
    )

    id: int = columns.identity()
    at: datetime = columns.moment()
    actor: str = columns.word()
    subject: str = columns.word(index=True)
    verb: str = columns.word()
    detail: dict[str, Any] = json_column(dict[str, Any])
    newsletter: str | None = columns.remark()
    staff_id: int | None = columns.number(optional=True)  #: of an actor at the console
    session_id: int | None = columns.number(optional=True)
    network: str | None = columns.remark()  #: the address it was done from
    before: Any = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    after: Any = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))


class OperatorAlertRow(Row, table=True):
    """An alert to operators about a day's issue, stored before it is sent so that none is lost."""

    id: int = columns.identity()
    at: datetime = columns.moment()
    newsletter: str = columns.word()
    date: date
    kind: str = columns.word()
    sentence: str = columns.word()
    notified_channels: list[str] = columns.words()
    sent_at: datetime | None = columns.moment(optional=True)
    acknowledged_by: str | None = columns.remark()  #: who takes care of it
    acknowledged_at: datetime | None = columns.moment(optional=True)
    #: A person; otherwise it is over once its cause has gone.
    closed_by: str | None = columns.remark()
    closed_at: datetime | None = columns.moment(optional=True)


class ScheduleCursorRow(Row, table=True):
    """How far the scheduler has come in one newsletter's timetable."""

    newsletter: str = columns.text_key()
    began: datetime = columns.moment()
    until: datetime = columns.moment()


class SkippedDayRow(Row, table=True):
    """A day on which a newsletter has no issue, because a person said so."""

    newsletter: str = columns.text_key()
    day: date = Field(sa_column=Column(Date, primary_key=True))
    by: str = columns.word()
    at: datetime = columns.moment()
    because: str = columns.word()


class InstallationRow(Row, table=True):
    """What this installation calls itself in its letters: one row."""

    id: str = columns.text_key()
    since: datetime = columns.moment()


class SetupReportRow(Row, table=True):
    """What the last look at the whole installation found; the one row has the number 1."""

    id: int = columns.part_of_key()
    findings: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    checked_at: datetime | None = columns.moment(optional=True)
    checked_by: str = columns.word()
    begun_at: datetime | None = columns.moment(optional=True)
    begun_by: str = columns.word()
