"""The rows of issues: what each prints, and what was approved of it."""

from datetime import date, datetime

from sqlalchemy import Column, ForeignKey, Integer, UniqueConstraint, text
from sqlmodel import Field

from newsletter.core.brief import Brief
from newsletter.core.draft_changes import DraftContents
from newsletter.core.frozen_issue import IssueBasis
from newsletter.core.galley import Galley
from newsletter.core.issue import Issue
from newsletter.core.issue_edits import IssueEdits
from newsletter.core.issue_totals import IssueTotals
from newsletter.core.results import IssueResults
from newsletter.stores.codec import Json, json_column
from subscribers.db import columns
from subscribers.db.columns import Row


class IssueRow(Row, table=True):
    """One newsletter's issue for one date."""

    __table_args__ = (
        UniqueConstraint("newsletter", "date"),
        UniqueConstraint("newsletter", "number"),
    )

    id: int = columns.identity()
    newsletter: str = columns.word()
    date: date
    number: int | None = None  #: an empty issue has none
    state: str = columns.word()
    reason: str | None = columns.remark()
    galley: Galley | None = Field(default=None, sa_column=Column(Json(Galley)))
    basis: IssueBasis = Field(
        default_factory=IssueBasis,
        sa_column=Column(Json(IssueBasis), nullable=False, server_default=text("'{}'")),
    )
    content_hash: str | None = columns.remark()
    approved_hash: str | None = columns.remark()
    approved_by: str | None = columns.remark()
    approved_at: datetime | None = columns.moment(optional=True)
    assembled_at: datetime = columns.moment()
    planned_at: datetime | None = columns.moment(optional=True)
    planned_by: str | None = columns.remark()  #: who had it sent
    paused_by: str | None = columns.remark()  #: a person, or what paused it by itself
    tripped: str | None = columns.remark()  #: which share tripped the circuit breaker
    held_until: datetime | None = columns.moment(optional=True)  #: no batch is claimed before
    unreached_since: datetime | None = columns.moment(optional=True)  #: operators were alerted
    resumed_at: datetime | None = columns.moment(optional=True)  #: failures count from here
    send_by: datetime | None = columns.moment(optional=True)  #: a batch not sent by then is stale
    audience: int = columns.count()
    excluded: int = columns.count()  #: of the audience; its exclusions, counted when it was planned
    list: str = columns.word("")  #: the newsletter whose subscribers it goes to
    frequency: str = columns.word("daily")  #: of those, who chose this
    #: Of those, who were in this segment when it was planned.
    segment: str | None = columns.remark()
    edits: IssueEdits = Field(
        default_factory=IssueEdits,
        sa_column=Column(Json(IssueEdits), nullable=False, server_default=text("'{}'")),
    )
    edits_revision: int = columns.count()  #: counts the edits, so that an assembly overwrites none
    #: The last person who edited it, or took a brief out of it.
    changed_by: str | None = columns.remark()
    changed_at: datetime | None = columns.moment(optional=True)
    leaves_at: datetime | None = columns.moment(optional=True)  #: a person has it leave then
    leaves_by: str | None = columns.remark()  #: that person
    #: A person took the approval back: no policy renews it.
    withdrawn_by: str | None = columns.remark()


class IssueBriefRow(Row, table=True):
    """A brief's place in an issue; a newsletter prints a brief only once."""

    __table_args__ = (UniqueConstraint("newsletter", "brief_id"),)

    issue_id: int = columns.part_of_key(ForeignKey("issue.id"))
    position: int = columns.part_of_key(kind=Integer)
    newsletter: str = columns.word()
    brief_id: int = columns.refers("brief.id")
    revision: int
    content: Brief = json_column(Brief)
    topics: list[str] = columns.words()
    lead: bool


class DraftRow(Row, table=True):
    """What a draft of an issue consisted of, by its hash: to say what changed since it was seen."""

    issue_id: int = columns.part_of_key(ForeignKey("issue.id", ondelete="CASCADE"))
    content_hash: str = columns.text_key()
    contents: DraftContents = json_column(DraftContents)
    at: datetime = columns.moment()


class ApprovedIssueRow(Row, table=True):
    """What an approval was about, as it was looked at: never changed."""

    id: int = columns.identity()
    issue_id: int = columns.refers("issue.id", index=True)
    content_hash: str = columns.word()
    by: str = columns.word()
    at: datetime = columns.moment()
    issue: Issue = json_column(Issue)
    galley: Galley = json_column(Galley)


class ApprovalRequestRow(Row, table=True):
    """Whose turn it is with a draft: it was asked for approval, or sent back."""

    issue_id: int = columns.part_of_key(ForeignKey("issue.id"))
    state: str = columns.word()
    by: str = columns.word()
    at: datetime = columns.moment()
    note: str = columns.word()
    content_hash: str = columns.word()


class PreflightTickRow(Row, table=True):
    """A person saw a finding about just this content of an issue."""

    issue_id: int = columns.part_of_key()
    content_hash: str = columns.text_key()
    finding: str = columns.text_key()
    by: str = columns.word()
    at: datetime = columns.moment()


class IssueSummaryRow(Row, table=True):
    """What is kept of an issue for good, once its deliveries and events are let go."""

    issue_id: int = columns.part_of_key(ForeignKey("issue.id"))
    at: datetime = columns.moment()
    totals: IssueTotals = json_column(IssueTotals)
    results: IssueResults = json_column(IssueResults)
