"""Edits of a draft: order, pin, what is left out, short lines, subject, preheader and note.

Each names the draft it was made on. htmx swaps the page's content in place, so that the focus stays
where it was; without a script the page is loaded anew.
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from newsletter.core.wording import NoteKind, Wording
from newsletter.errors import NotAllowed, StaleDraft
from newsletter.services.editing import EditedDraft, SeenDraft
from newsletter.web.console.access import Edit, Visit
from newsletter.web.console.issue import issue_path, show_issue, show_stale
from newsletter.web.console.issue_page import NOTHING_TYPED, FormOutcome, Typed
from newsletter.web.sentences import sentence

router = APIRouter()

Seen = Annotated[str, Form(alias="content_hash", max_length=64)]
Text = Annotated[str, Form()]  #: what is too long is refused with its reason, and stays


class MoveTo(StrEnum):
    """Where a story is moved by a button."""

    UP = "up"
    DOWN = "down"


def _edited(
    request: Request,
    visit: Visit,
    on: date,
    seen: str,
    edit: Callable[[SeenDraft], EditedDraft],
    *,
    done: str = "",
    moved: int | None = None,
    typed: Typed = NOTHING_TYPED,
) -> Response:
    """Edit the draft that was seen, and show the page with it, and what was done."""
    editing = visit.services.editing
    draft = editing.seen(visit.here, on, actor=visit.actor, content_hash=seen)
    try:
        edit(draft)
    except StaleDraft as stale:
        return show_stale(request, visit, on, stale, seen=seen, typed=typed)
    except NotAllowed as refusal:
        outcome = FormOutcome(said=sentence(str(refusal)), typed=typed, status=422)
        return show_issue(request, visit, on, outcome)
    if "hx-request" in request.headers:
        return show_issue(request, visit, on, FormOutcome(done=done, moved=moved))
    said = f"?said={done}" if done else ""
    return RedirectResponse(f"{visit.issue_url(on)}{said}", status_code=303)


@router.post(issue_path("/stories/{brief_id}/move"))
def move(
    request: Request,
    visit: Edit,
    on: date,
    brief_id: int,
    seen: Seen,
    to: Annotated[MoveTo | None, Form()] = None,
    before: Annotated[int | None, Form()] = None,
) -> Response:
    """Move a story up or down by one place, or before another one."""
    editing = visit.services.editing

    def edit(draft: SeenDraft) -> EditedDraft:
        if before is not None:
            return editing.move(draft, brief_id, before=before)
        step = editing.move_up if to is MoveTo.UP else editing.move_down
        return step(draft, brief_id)

    return _edited(request, visit, on, seen, edit, moved=brief_id)


@router.post(issue_path("/stories/{brief_id}/pin"))
def pin(request: Request, visit: Edit, on: date, brief_id: int, seen: Seen) -> Response:
    """Have a story lead the issue."""
    editing = visit.services.editing
    return _edited(
        request, visit, on, seen, lambda draft: editing.pin(draft, brief_id), done="pinned_now"
    )


@router.post(issue_path("/stories/{brief_id}/unpin"))
def unpin(request: Request, visit: Edit, on: date, brief_id: int, seen: Seen) -> Response:
    """Let importance choose the lead again."""
    del brief_id  # there is one pin at most
    return _edited(request, visit, on, seen, visit.services.editing.unpin, done="unpinned")


@router.post(issue_path("/stories/{brief_id}/leave-out"))
def leave_out(request: Request, visit: Edit, on: date, brief_id: int, seen: Seen) -> Response:
    """Leave a story out of this issue."""
    editing = visit.services.editing
    return _edited(
        request,
        visit,
        on,
        seen,
        lambda draft: editing.leave_out(draft, brief_id),
        done="left_out_now",
    )


@router.post(issue_path("/stories/{brief_id}/take-in"))
def take_in(request: Request, visit: Edit, on: date, brief_id: int, seen: Seen) -> Response:
    """Take a story in again that was left out."""
    editing = visit.services.editing
    return _edited(
        request, visit, on, seen, lambda draft: editing.take_in(draft, brief_id), done="taken_in"
    )


@router.post(issue_path("/stories/{brief_id}/line"))
def line(
    request: Request, visit: Edit, on: date, brief_id: int, seen: Seen, line: Text = ""
) -> Response:
    """Set the short line of a story."""
    editing = visit.services.editing
    typed = Typed(lines={brief_id: line})

    def edit(draft: SeenDraft) -> EditedDraft:
        return editing.shorten(draft, brief_id, line)

    return _edited(request, visit, on, seen, edit, done="line_saved", typed=typed)


@router.post(issue_path("/wording"))
def wording(
    request: Request,
    visit: Edit,
    on: date,
    seen: Seen,
    subject: Text = "",
    preheader: Text = "",
    about: Annotated[str, Form()] = "",
    note: Text = "",
    note_kind: Annotated[NoteKind, Form()] = NoteKind.NOTE,
) -> Response:
    """Set the issue's own subject, preheader and editors' note."""
    promised = int(about) if about.isdecimal() else None

    def edit(draft: SeenDraft) -> EditedDraft:
        return visit.services.editing.word(
            draft,
            subject=subject,
            preheader=preheader,
            about=promised,
            note=note,
            note_kind=note_kind,
        )

    written = Wording(
        subject=subject, preheader=preheader, about=promised, note=note, note_kind=note_kind
    )
    return _edited(
        request, visit, on, seen, edit, done="wording_saved", typed=Typed(wording=written)
    )
