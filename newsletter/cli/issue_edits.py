"""`newsletter issue`: edits of a draft, before it is approved."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli.common import (
    AsJson,
    BriefId,
    Date,
    Slug,
    actor,
    answer,
    console,
    container,
    issue_of,
)
from newsletter.cli.given_options import given
from newsletter.cli.report import issue_data, print_issue
from newsletter.core.wording import NoteKind

if TYPE_CHECKING:
    from newsletter.services.editing import EditedDraft, SeenDraft

app = typer.Typer()

Hash = Annotated[
    str | None,
    Option("--hash", metavar="HASH", help="Only if it is still this draft; see issue show."),
]


@dataclass(frozen=True, kw_only=True)
class DraftAsked:
    """What every edit is asked: of which draft it is, and how to answer."""

    content_hash: Hash = None
    date: Date = None
    newsletter: Slug = None
    as_json: AsJson = False

    def seen(self) -> "SeenDraft":
        """Return the draft that is edited."""
        which, on = issue_of(self.newsletter, self.date)
        return container().editing.seen(which, on, actor=actor(), content_hash=self.content_hash)

    def answer(self, edited: "EditedDraft") -> None:
        """Answer with the draft, and what is different now."""

        def show_text() -> None:
            print_issue(edited.stored)
            for change in edited.changes or ("nothing changed",):
                console.print(f"  {escape(change)}")

        data = issue_data(edited.stored) | {"changes": edited.changes}
        answer(data, as_json=self.as_json, show=show_text)


@app.command()
@given(DraftAsked)
def edit(
    asked: DraftAsked,
    subject: Annotated[
        str | None, Option(metavar="TEXT", help="The issue's own subject; '' takes it away.")
    ] = None,
    about: Annotated[
        int | None,
        Option(
            metavar="ID", help="The brief that subject and preheader promise; first by default."
        ),
    ] = None,
    preheader: Annotated[
        str | None, Option(metavar="TEXT", help="What an inbox shows after the subject.")
    ] = None,
    note: Annotated[
        str | None,
        Option(metavar="TEXT", help="Editors' note above the stories; [words](https://...) links."),
    ] = None,
    note_kind: Annotated[
        NoteKind | None, Option("--note-kind", metavar="KIND", help="note or correction.")
    ] = None,
) -> None:
    """Set the issue's own subject, preheader and editors' note.

    Readers who do not get the story that the subject is about get a subject of their own.
    """
    said: dict[str, Any] = {"subject": subject, "about": about, "preheader": preheader}
    said |= {"note": note, "note_kind": note_kind}
    fields = {name: value for name, value in said.items() if value is not None}
    if not fields:
        raise typer.BadParameter("give what to change, such as --subject TEXT")
    asked.answer(container().editing.word(asked.seen(), **fields))


@app.command()
@given(DraftAsked)
def move(
    asked: DraftAsked,
    brief_id: BriefId,
    before: Annotated[int | None, Option(metavar="ID", help="Before this brief.")] = None,
    up: Annotated[bool, Option("--up", metavar="", help="Up by one place.")] = False,
    down: Annotated[bool, Option("--down", metavar="", help="Down by one place.")] = False,
    last: Annotated[bool, Option("--last", metavar="", help="To the end.")] = False,
) -> None:
    """Move a story within a draft."""
    if [up, down, last, before is not None].count(True) != 1:
        raise typer.BadParameter("give one of --before ID, --up, --down and --last")
    draft, editing = asked.seen(), container().editing
    if up:
        edited = editing.move_up(draft, brief_id)
    elif down:
        edited = editing.move_down(draft, brief_id)
    else:
        edited = editing.move(draft, brief_id, before=before)
    asked.answer(edited)


@app.command()
@given(DraftAsked)
def pin(asked: DraftAsked, brief_id: BriefId) -> None:
    """Have a story lead the issue, whatever its importance."""
    asked.answer(container().editing.pin(asked.seen(), brief_id))


@app.command()
@given(DraftAsked)
def unpin(asked: DraftAsked) -> None:
    """Let the order decide again which story leads."""
    asked.answer(container().editing.unpin(asked.seen()))


@app.command("leave-out")
@given(DraftAsked)
def leave_out(asked: DraftAsked, brief_id: BriefId) -> None:
    """Leave a story out of this issue only."""
    asked.answer(container().editing.leave_out(asked.seen(), brief_id))


@app.command("take-in")
@given(DraftAsked)
def take_in(asked: DraftAsked, brief_id: BriefId) -> None:
    """Take a story in again that was left out."""
    asked.answer(container().editing.take_in(asked.seen(), brief_id))


@app.command()
@given(DraftAsked)
def shorten(
    asked: DraftAsked,
    brief_id: BriefId,
    line: Annotated[str, Argument(metavar="TEXT", help="At most 60 characters; '' takes it away.")],
) -> None:
    """Set the subject of editions that a story leads, in place of its title."""
    asked.answer(container().editing.shorten(asked.seen(), brief_id, line))
