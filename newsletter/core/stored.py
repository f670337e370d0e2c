"""Briefs and issues as they are stored: what they say, and what became of them."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from newsletter.core.brief import Brief
from newsletter.core.frozen_issue import IssueBasis
from newsletter.core.galley import Galley
from newsletter.core.issue import Issue
from newsletter.core.issue_edits import IssueEdits
from newsletter.core.verification import Ruling, Verdict
from newsletter.errors import NotAllowed


@dataclass(frozen=True, kw_only=True)
class StoredBrief:
    """A brief as it is stored: its newest revision, and what became of it."""

    brief_id: int
    revision: int  #: counted from 1
    brief: Brief
    verdict: Verdict
    waived: frozenset[str]  #: checks a person waived for this revision
    held_by: str | None  #: the person who holds it, whatever the gate says
    received: datetime  #: when its first revision came
    issue_id: int | None  #: the issue it stands in, draft or sent

    @property
    def ruling(self) -> Ruling:
        """Return the ruling in force: a person's hold comes before the gate's acceptance."""
        if self.held_by and self.verdict.ruling is Ruling.ACCEPTED:
            return Ruling.HELD
        return self.verdict.ruling

    @property
    def version(self) -> str:
        """Return what changes with each revision, and with what a person decides about it."""
        decided = "\n".join([self.held_by or "", self.ruling, *sorted(self.waived)])
        return f"{self.revision}-{hashlib.sha256(decided.encode()).hexdigest()[:8]}"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why it is not accepted, as a person reads it; nothing if it is."""
        if self.held_by and self.verdict.ruling is Ruling.ACCEPTED:
            return (f"Held by {self.held_by}.",)
        failed = (f for f in self.verdict.findings if not (f.passed or f.waived))
        return tuple(finding.reason for finding in failed)


@dataclass(frozen=True, kw_only=True)
class BriefRevision:
    """One revision of a brief, as it was received or written."""

    revision: int  #: counted from 1
    brief: Brief
    received: datetime
    by: str | None  #: the person who made it; None: it came from a source


class IssueStatus(StrEnum):
    """The state of an issue."""

    EMPTY = "empty"  #: there was nothing to say that day; nothing is sent
    DRAFT = "draft"  #: assembled and set; waits for approval
    APPROVED = "approved"  #: frozen; waits for its send time
    SENDING = "sending"  #: planned; until every batch is known to be accepted or not
    PAUSED = "paused"  #: planned, and waiting for a person
    SENT = "sent"  #: every batch has an outcome, and every outcome is known
    CANCELLED = "cancelled"  #: stopped on its way: what was not sent by then never is
    MISSED = "missed"  #: not sent while it was fresh; a person may still send it

    @property
    def is_open(self) -> bool:
        """Return whether the issue may still be assembled again."""
        return self in (IssueStatus.EMPTY, IssueStatus.DRAFT, IssueStatus.MISSED)


@dataclass(frozen=True, kw_only=True)
class LastChange:
    """The newest change that a person made to an issue, or to a brief it prints."""

    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class StoredIssue:
    """An issue as it is stored."""

    id: int
    issue: Issue
    state: IssueStatus
    galley: Galley | None  #: None while there is nothing to say
    content_hash: str | None  #: of what was set
    reason: str | None = None  #: why it is paused, empty, missed or a draft again
    approved_hash: str | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    planned_at: datetime | None = None
    planned_by: str | None = None
    paused_by: str | None = None  #: a person, or what paused it by itself
    segment: str | None = None  #: who was in it when the issue was planned; None: all its readers
    basis: IssueBasis = field(default_factory=IssueBasis)  #: what it was set by
    edits: IssueEdits = field(default_factory=IssueEdits)
    edits_revision: int = 0  #: counts a person's edits
    leaves_at: datetime | None = None  #: before its hour, by hand; it can be called back until then
    leaves_by: str | None = None  #: who has it leave then
    withdrawn_by: str | None = None  #: took its approval back; a person must approve it again

    @property
    def summary(self) -> str:
        """Return which issue it is and its state, as the beginning of a message."""
        state = "a draft" if self.state is IssueStatus.DRAFT else self.state
        return f"the issue of {self.issue.date} is {state}"

    @property
    def pause(self) -> str:
        """Return who paused it and why, and what continues it."""
        which = f"--newsletter {self.issue.newsletter} --date {self.issue.date}"
        return (
            f"paused by {self.paused_by}: {self.reason}; `newsletter issue resume {which}` "
            "continues it"
        )

    def need_galley(self) -> Galley:
        """Return the galley; NotAllowed while nothing is set."""
        if self.galley is None:
            raise NotAllowed(f"{self.summary}: nothing is set")
        return self.galley


@dataclass(frozen=True, kw_only=True)
class IssueProgress:
    """How an issue stands: a stored issue without its stories and its letter."""

    id: int
    state: IssueStatus
    reason: str | None
    approved_by: str | None
    approved_at: datetime | None
    planned_at: datetime | None
    paused_by: str | None
    leaves_at: datetime | None
    leaves_by: str | None


def send_key(issue_id: int, segment: str) -> str:
    """Return the key under which a segment's members are stored for the send of an issue."""
    return f"{issue_id} {segment}"


def segment_of(send: str | None) -> str | None:
    return send.partition(" ")[2] if send else None
