"""`newsletter issue`: edits of a draft, before it is approved."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli.common import AsJson, Date, Slug, actor, answer, console, container, issue_of
from newsletter.cli.report import issue_data, print_issue
from newsletter.core.wording import NoteKind

if TYPE_CHECKING:
    from newsletter.services.editing import EditedDraft, SeenDraft

app = typer.Typer()

BriefId = Annotated[int, Argument(metavar="ID", help="As `briefs list` shows it.")]
Hash = Annotated[
    str | None,
    Option("--hash", metavar="HASH", help="Only if it is still this draft; see issue show."),
]


def _seen(newsletter: str | None, date: str | None, content_hash: str | None) -> "SeenDraft":
    which, on = issue_of(newsletter, date)
    return container().editing.seen(which, on, actor=actor(), content_hash=content_hash)


def _answer(edited: "EditedDraft", *, as_json: bool) -> None:
    def show_text() -> None:
        print_issue(edited.stored)
        for change in edited.changes or ("nothing changed",):
            console.print(f"  {escape(change)}")

    data = issue_data(edited.stored) | {"changes": edited.changes}
    answer(data, as_json=as_json, show=show_text)


@app.command()
def edit(
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
    content_hash: Hash = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Set the issue's own subject, preheader and editors' note.

    Readers who do not get the story that the subject is about get a subject of their own.
    """
    given: dict[str, Any] = {
        "subject": subject,
        "about": about,
        "preheader": preheader,
        "note": note,
        "note_kind": note_kind,
    }
    fields = {name: value for name, value in given.items() if value is not None}
    if not fields:
        raise typer.BadParameter("give what to change, such as --subject TEXT")
    draft = _seen(newsletter, date, content_hash)
    _answer(container().editing.word(draft, **fields), as_json=as_json)


@app.command()
def move(
    brief_id: BriefId,
    before: Annotated[int | None, Option(metavar="ID", help="Before this brief.")] = None,
    up: Annotated[bool, Option("--up", metavar="", help="Up by one place.")] = False,
    down: Annotated[bool, Option("--down", metavar="", help="Down by one place.")] = False,
    last: Annotated[bool, Option("--last", metavar="", help="To the end.")] = False,
    content_hash: Hash = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Move a story within a draft."""
    if [up, down, last, before is not None].count(True) != 1:
        raise typer.BadParameter("give one of --before ID, --up, --down and --last")
    draft, editing = _seen(newsletter, date, content_hash), container().editing
    if up:
        edited = editing.move_up(draft, brief_id)
    elif down:
        edited = editing.move_down(draft, brief_id)
    else:
        edited = editing.move(draft, brief_id, before=before)
    _answer(edited, as_json=as_json)


@app.command()
def pin(
    brief_id: BriefId,
    content_hash: Hash = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Have a story lead the issue, whatever its importance."""
    draft = _seen(newsletter, date, content_hash)
    _answer(container().editing.pin(draft, brief_id), as_json=as_json)


@app.command()
def unpin(
    content_hash: Hash = None, date: Date = None, newsletter: Slug = None, as_json: AsJson = False
) -> None:
    """Let the order decide again which story leads."""
    draft = _seen(newsletter, date, content_hash)
    _answer(container().editing.unpin(draft), as_json=as_json)


@app.command("leave-out")
def leave_out(
    brief_id: BriefId,
    content_hash: Hash = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Leave a story out of this issue only."""
    draft = _seen(newsletter, date, content_hash)
    _answer(container().editing.leave_out(draft, brief_id), as_json=as_json)


@app.command("take-in")
def take_in(
    brief_id: BriefId,
    content_hash: Hash = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Take a story in again that was left out."""
    draft = _seen(newsletter, date, content_hash)
    _answer(container().editing.take_in(draft, brief_id), as_json=as_json)


@app.command()
def shorten(
    brief_id: BriefId,
    line: Annotated[str, Argument(metavar="TEXT", help="At most 60 characters; '' takes it away.")],
    content_hash: Hash = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Set the subject of editions that a story leads, in place of its title."""
    draft = _seen(newsletter, date, content_hash)
    _answer(container().editing.shorten(draft, brief_id, line), as_json=as_json)
