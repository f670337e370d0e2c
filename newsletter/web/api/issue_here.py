"""An issue that a path names, as it stands, and which of its states an edit was made on."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Path, Response

from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotAllowed, NotFound
from newsletter.web.api.access import Caller
from newsletter.web.api.issue_schemas import (
    IssueApproval,
    IssueCounts,
    IssueRequest,
    IssueSkipped,
    IssueState,
    StoryItem,
    StoryLeftOut,
)
from newsletter.web.api.openapi import problem_response
from newsletter.web.api.preconditions import etag_of

ISSUE = "/issues/{newsletter}/{date}"


@dataclass(frozen=True)
class NamedIssue:
    """The issue that a path names, and the answer about it."""

    response: Response
    newsletter: Annotated[str, Path(description="The slug of a newsletter, or of its digest.")]
    on: Annotated[date, Path(alias="date")]


Here = Annotated[NamedIssue, Depends()]
#: For a GET of what an issue in this state does not have.
CONFLICT: dict[int | str, dict[str, Any]] = {409: problem_response(409)}


def found(caller: Caller, here: NamedIssue) -> tuple[Newsletter, StoredIssue]:
    """Return the newsletter and its issue; NotFound where one of them is not there."""
    which = caller.newsletter(here.newsletter)
    stored = caller.services.archive.issue(which, here.on)
    if stored is None:
        raise NotFound(f"there is no issue of {here.on}")
    return which, stored


def upcoming(caller: Caller, here: NamedIssue) -> tuple[Newsletter, StoredIssue]:
    """Return an issue that may still leave; NotAllowed for one whose readers are known."""
    which, stored = found(caller, here)
    if stored.planned_at is not None:
        raise NotAllowed(f"{stored.summary}: its account says whom it goes to")
    if skipped := caller.services.skipped_days.since(which, here.on).get(here.on):
        raise NotAllowed(f"{skipped.by} skips {here.on}: {skipped.because}")
    return which, stored


def planned(caller: Caller, here: NamedIssue) -> tuple[Newsletter, StoredIssue]:
    """Return an issue that was planned; NotAllowed for one that was not."""
    which, stored = found(caller, here)
    if stored.planned_at is None:
        raise NotAllowed(f"{stored.summary}: it is not planned who gets it")
    return which, stored


def version_of(stored: StoredIssue) -> str:
    """Return what is another one after every edit and every assembly that changed something."""
    return f"{stored.edits_revision}-{stored.content_hash or 'unset'}"


def shown(
    caller: Caller, here: NamedIssue, newsletter: Newsletter, stored: StoredIssue
) -> IssueState:
    """Return an issue as the API says it, and put its ETag into the answer."""
    here.response.headers["ETag"] = etag_of(version_of(stored))
    services, wording, edits = caller.services, stored.issue.wording, stored.edits
    on, planned_at, remarks = stored.issue.date, stored.planned_at, services.issue_remarks
    request = services.approval_requests.of(stored)
    skipped = services.skipped_days.since(newsletter, on).get(on)
    return IssueState(
        newsletter=newsletter.slug,
        date=on,
        number=stored.issue.number or None,
        status=stored.state,
        reason=stored.reason,
        hash=stored.content_hash,
        subject=wording.subject,
        preheader=wording.preheader,
        about=wording.about,
        note=wording.note,
        note_kind=wording.note_kind,
        order=[one.brief_id for one in stored.issue.entries],
        lead=edits.pinned,
        left_out=list(edits.left_out),
        short_lines={str(key): line for key, line in sorted(edits.short_lines.items())},
        stories=[StoryItem.of(one) for one in stored.issue.entries],
        not_chosen=[StoryLeftOut.of(one) for one in remarks.left_out(newsletter, stored)],
        approval=_approval(stored),
        differs=_differs(caller, newsletter, stored),
        withdrawn_by=stored.withdrawn_by,
        request=request
        and IssueRequest(state=request.state, by=request.by, at=request.at, note=request.note),
        skipped=skipped and IssueSkipped(by=skipped.by, at=skipped.at, because=skipped.because),
        leaves_at=stored.leaves_at,
        leaves_by=stored.leaves_by,
        planned_at=planned_at,
        planned_by=stored.planned_by,
        paused_by=stored.paused_by,
        segment=stored.segment,
        counts=IssueCounts.of(services.figures.leaving(stored).sums) if planned_at else None,
    )


def _approval(stored: StoredIssue) -> IssueApproval | None:
    if not (stored.approved_hash and stored.approved_at):
        return None
    by = stored.approved_by or ""
    return IssueApproval(by=by, at=stored.approved_at, hash=stored.approved_hash)


def _differs(caller: Caller, newsletter: Newsletter, stored: StoredIssue) -> list[str]:
    services = caller.services
    if stored.state is IssueStatus.APPROVED:
        frozen = services.issue_remarks.frozen(newsletter, stored)
        return list(frozen.changes) if frozen else []
    if not stored.state.is_open:
        return []
    try:
        since = services.comparing.since_approval(newsletter, stored.issue.date)
    except NotAllowed:  # its day is long over
        return []
    return list(since.changes.sentences) if since else []
