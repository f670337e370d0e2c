"""An issue that a path names, as it stands, and which of its states an edit was made on."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Path, Response

from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotAllowed
from newsletter.web.api.access import Caller
from newsletter.web.api.issue_schemas import (
    IssueCounts,
    IssueRequest,
    IssueSkipped,
    IssueState,
    StoryLeftOut,
)
from newsletter.web.api.openapi import problem_response
from newsletter.web.api.preconditions import etag_of

ISSUE = "/issues/{newsletter}/{date}"


@dataclass(frozen=True)
class NamedIssue:
    """The issue that a path names, and the answer about it."""

    response: Response
    newsletter: str
    on: Annotated[date, Path(alias="date")]


Here = Annotated[NamedIssue, Depends()]
#: For a GET of what an issue in this state does not have.
CONFLICT: dict[int | str, dict[str, Any]] = {409: problem_response(409)}


def found(caller: Caller, here: NamedIssue) -> tuple[Newsletter, StoredIssue]:
    """Return the newsletter and its issue; NotFound where one of them is not there."""
    which = caller.newsletter(here.newsletter)
    return which, caller.services.publishing.issue(which, here.on)


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
    services, on = caller.services, stored.issue.date
    left_out = services.issue_remarks.left_out(newsletter, stored)
    request = services.approval_requests.of(stored)
    skipped = services.skipped_days.since(newsletter, on).get(on)
    sums = services.figures.leaving(stored).sums if stored.planned_at else None
    return IssueState.of(
        newsletter.slug,
        stored,
        not_chosen=[StoryLeftOut.of(one) for one in left_out],
        differs=_differs(caller, newsletter, stored),
        request=request and IssueRequest.like(request),
        skipped=skipped and IssueSkipped.like(skipped),
        counts=sums and IssueCounts.like(sums),
    )


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
