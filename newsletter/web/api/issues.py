"""Issues: what is in each, how it stands, and editing a draft."""

from newsletter.core.stored import IssueStatus
from newsletter.errors import StaleDraft
from newsletter.web.api.access import EditIssues, ReadIssues
from newsletter.web.api.cursors import Part
from newsletter.web.api.issue_here import ISSUE, Here, found, shown, version_of
from newsletter.web.api.issue_schemas import EditedIssue, IssueItem, IssuePatch, IssueState
from newsletter.web.api.preconditions import IfMatch, matched
from newsletter.web.api.problems import ApiProblem
from newsletter.web.api.route import api_router
from newsletter.web.api.schemas import ListPage

router = api_router()


@router.get("/issues")
def issues(
    caller: ReadIssues,
    part: Part,
    newsletter: str | None = None,
    status: IssueStatus | None = None,
) -> ListPage[IssueItem]:
    """List issues, those that were assembled first last."""
    lines = caller.services.archive.newest(
        caller.within(newsletter), state=status, before=part.last("issues"), limit=part.rows
    )
    return part.page("issues", lines, show=IssueItem.of, key=lambda one: one.id)


@router.get(ISSUE)
def issue(caller: ReadIssues, here: Here) -> IssueState:
    """Return an issue; its ETag is what `If-Match` takes."""
    return shown(caller, here, *found(caller, here))


@router.patch(ISSUE)
def edit(
    caller: EditIssues,
    here: Here,
    patch: IssuePatch,
    if_match: IfMatch = None,
) -> EditedIssue:
    """Change several things of a draft: all of them, or nothing.

    An approved issue is frozen: withdraw its approval first.
    """
    which, stored = found(caller, here)
    matched(if_match, version_of(stored))
    editing = caller.services.editing
    draft = editing.seen(which, here.on, actor=caller.actor, content_hash=stored.content_hash or "")
    try:
        edited = editing.revise(draft, patch.patch(stored.edits.short_lines))
    except StaleDraft as stale:
        raise ApiProblem("changed", str(stale)) from None
    state = shown(caller, here, which, edited.stored)
    return EditedIssue(changes=list(edited.changes), issue=state)


@router.post(f"{ISSUE}/assemble")
def assemble(caller: EditIssues, here: Here) -> IssueState:
    """Choose and order the accepted briefs, and set the issue; what was edited stays edited.

    One that is approved already, or has left, is answered as it is.
    """
    which = caller.newsletter(here.newsletter)
    return shown(caller, here, which, caller.services.publishing.assemble(which, here.on))
