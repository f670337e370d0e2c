"""Issues as the API says them, and the edits that it is told."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BeforeValidator, Field, StringConstraints

from newsletter.core.approval_request import ApprovalRequestState
from newsletter.core.draft_patch import DraftPatch
from newsletter.core.issue import IssueEntry
from newsletter.core.issue_line import IssueLine
from newsletter.core.left_out import BriefLeftOut
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.core.wording import NO_WORDING, NoteKind
from newsletter.web.api.schemas import LARGEST_ID, ApiModel

_MOST = 1000  #: stories in a list of an edit
_LONGEST = 2000  #: characters of a text; how many fit is said by the service

StoryId = Annotated[int, Field(ge=1, le=LARGEST_ID)]
StoryKey = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,17}$")]
Text = Annotated[str, Field(max_length=_LONGEST)]


class IssueItem(ApiModel):
    """An issue in a list."""

    newsletter: str
    date: date
    number: int | None
    status: IssueStatus
    subject: str = Field(description="Its own, or the first story's title.")
    stories: int
    readers: int = Field(description="Deliveries; 0 until it is planned.")
    approved_by: str | None

    @classmethod
    def of(cls, line: IssueLine) -> Self:
        return cls.like(line, status=line.state)


class StoryItem(ApiModel):
    """A story in its place."""

    brief: int
    revision: int
    title: str
    verification: str
    topics: list[str]
    lead: bool
    short_line: str

    @classmethod
    def of(cls, entry: IssueEntry) -> Self:
        return cls.like(entry, entry.brief, brief=entry.brief_id)


class StoryLeftOut(ApiModel):
    """An accepted brief that is not in the issue, though nobody left it out."""

    brief: int
    title: str
    reason: str

    @classmethod
    def of(cls, one: BriefLeftOut) -> Self:
        return cls.like(one, brief=one.brief_id)


class IssueApproval(ApiModel):
    """Who approved exactly what."""

    by: str
    at: datetime
    hash: str

    @classmethod
    def of(cls, stored: StoredIssue) -> Self | None:
        if not (stored.approved_hash and stored.approved_at):
            return None
        by = stored.approved_by or ""
        return cls(by=by, at=stored.approved_at, hash=stored.approved_hash)


class IssueRequest(ApiModel):
    """What was asked or answered last about a draft."""

    state: ApprovalRequestState
    by: str
    at: datetime
    note: str


class IssueSkipped(ApiModel):
    """A person's decision that the day has no issue."""

    by: str
    at: datetime
    because: str


class IssueCounts(ApiModel):
    """How many got it: audience = excluded + deliveries, and deliveries = all that follows."""

    audience: int
    excluded: int
    deliveries: int
    accepted: int
    refused: int
    unknown: int
    skipped: int
    to_go: int
    doubled: int = Field(description="Of the accepted: they were sent it twice.")
    adds_up: bool


class IssueState(ApiModel):
    """An issue as it is stored."""

    newsletter: str
    date: date
    number: int | None
    status: IssueStatus
    reason: str | None = Field(description="Why it is empty, missed, paused or a draft again.")
    hash: str | None = Field(description="Of what is set: an approval names it.")
    subject: str = Field(description="The issue's own; empty: the first story's.")
    preheader: str
    about: int | None = Field(description="The brief that the subject promises.")
    note: str
    note_kind: NoteKind
    order: list[int] = Field(description="The briefs, as they are printed.")
    lead: int | None = Field(description="The brief that somebody put first; null: nobody did.")
    left_out: list[int] = Field(description="The briefs that somebody left out of it.")
    short_lines: dict[str, str] = Field(description="By brief.")
    stories: list[StoryItem]
    not_chosen: list[StoryLeftOut]
    approval: IssueApproval | None
    differs: list[str] = Field(
        description="What would be sent otherwise now than what was approved last."
    )
    withdrawn_by: str | None
    request: IssueRequest | None = Field(description="Somebody asked for approval, or sent it back")
    skipped: IssueSkipped | None
    leaves_at: datetime | None = Field(description="Sent by hand: until then it can be stopped.")
    leaves_by: str | None
    planned_at: datetime | None
    planned_by: str | None
    paused_by: str | None
    segment: str | None
    counts: IssueCounts | None = Field(description="Null until it is planned.")

    @classmethod
    def of(cls, newsletter: str, stored: StoredIssue, **said: Any) -> Self:
        """Return an issue as it is stored, with what is said of it besides."""
        issue, edits = stored.issue, stored.edits
        return cls.like(
            stored,
            issue.wording,
            newsletter=newsletter,
            date=issue.date,
            number=issue.number or None,
            status=stored.state,
            hash=stored.content_hash,
            order=[one.brief_id for one in issue.entries],
            lead=edits.pinned,
            left_out=edits.left_out,
            short_lines={str(key): line for key, line in sorted(edits.short_lines.items())},
            stories=[StoryItem.of(one) for one in issue.entries],
            approval=IssueApproval.of(stored),
            **said,
        )


class EditedIssue(ApiModel):
    """A draft after an edit."""

    changes: list[str] = Field(
        description="All that is different now, also what newly received briefs brought."
    )
    issue: IssueState


class IssuePatch(ApiModel):
    """What is to be other about a draft (RFC 7396): null takes away, and lists are whole lists."""

    subject: Text | None = None
    preheader: Text | None = None
    about: StoryId | None = Field(default=None, description="Null: the first story.")
    note: Text | None = None
    note_kind: NoteKind | None = None
    order: list[StoryId] | None = Field(
        default=None, max_length=_MOST, description="Every story; null: by importance again."
    )
    lead: StoryId | None = Field(default=None, description="The story that comes first.")
    left_out: list[StoryId] | None = Field(default=None, max_length=_MOST)
    short_lines: dict[StoryKey, Text | None] | None = Field(
        default=None, max_length=_MOST, description="By brief; null takes one away."
    )

    def patch(self, short: dict[int, str]) -> DraftPatch:
        """Return what was given; `short` are the short lines so far."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        empty: dict[str, Any] = {"subject": "", "preheader": "", "note": ""}
        empty |= {"note_kind": NO_WORDING.note_kind, "order": [], "left_out": []}
        made: dict[str, Any] = {
            name: empty.get(name) if value is None else value for name, value in given.items()
        }
        for name in ("order", "left_out"):
            if name in made:
                made[name] = tuple(made[name])
        if "short_lines" in made:
            lines = dict.fromkeys(map(str, short)) if made["short_lines"] is None else {}
            lines |= made["short_lines"] or {}
            made["short_lines"] = {int(key): line for key, line in lines.items()}
        return cast("DraftPatch", made)


def _stripped(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


class GivenReason(ApiModel):
    """Why it is done: the log keeps it."""

    because: Annotated[str, BeforeValidator(_stripped), Field(min_length=1, max_length=500)]


class GivenAddress(ApiModel):
    """Whose letter is asked about."""

    email: str = Field(min_length=3, max_length=400)


class GivenApproval(ApiModel):
    """What was looked at."""

    hash: str = Field(min_length=1, max_length=64, description="Of the draft that was looked at.")
    seen: list[Annotated[str, Field(max_length=200)]] = Field(
        default=[],
        max_length=_MOST,
        description="The keys of the findings of `preflight` that somebody looked at.",
    )


class GivenSend(ApiModel):
    """What is to leave, and to about how many."""

    hash: str = Field(min_length=1, max_length=64, description="The one that was approved.")
    readers: int = Field(ge=0, le=2**31, description="As the forecast has them, within a fifth.")


LetterView = Literal["html", "text", "source"]
