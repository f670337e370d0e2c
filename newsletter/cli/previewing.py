"""`newsletter issue preview`: a letter as it would be sent, written to files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from typer import Option

from newsletter.cli import common
from newsletter.cli.common import AsJson, Date, Slug, answer, console, container, issue_of
from newsletter.cli.report import print_remarks

if TYPE_CHECKING:
    from datetime import date

    from newsletter.core.publication import Newsletter
    from newsletter.services.preview import Preview

app = typer.Typer()


@app.command()
def preview(
    topics: Annotated[
        str | None, Option(metavar="A,B", help="As readers of these topics get it.")
    ] = None,
    email: Annotated[
        str | None, Option("--for", metavar="EMAIL", help="As this subscriber gets it.")
    ] = None,
    out: Annotated[
        Path | None,
        Option(metavar="DIR", help="Where to write the three files; in NEWSLETTER_VAR by default."),
    ] = None,
    date: Date = None,
    newsletter: Slug = None,
    as_json: AsJson = False,
) -> None:
    """Write letter.html, letter.txt and letter.eml exactly as they would be sent."""
    if topics and email:
        raise typer.BadParameter("give either --topics or --for, not both")
    which, on = issue_of(newsletter, date)
    found = _found(which, on, email, topics)
    written = _write(found, out or container().settings.environment.var / "preview")
    data = {
        "subject": found.letter.subject,
        "preheader": found.edition.preheader,
        "stories": len(found.edition.brief_ids),
        "html_bytes": len(found.letter.html.encode()),
        "files": [str(path) for path in written],
    }
    proof = container().publishing.proof(which, on)
    remarks = container().issue_remarks.sentences(which, proof)

    def show_text() -> None:
        _print_preview(found, written)
        print_remarks(remarks)

    answer(data | {"remarks": remarks}, as_json=as_json, show=show_text)


def _found(which: "Newsletter", on: "date", email: str | None, topics: str | None) -> "Preview":
    from newsletter.services.preview import ReaderLinks  # here: help pages need no services

    if email:
        return container().previews.for_email(which, on, email, links=ReaderLinks.OWN)
    return container().previews.for_topics(which, on, common.slugs_of(topics))


def _write(found: "Preview", out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "letter.html": found.letter.html.encode(),
        "letter.txt": found.letter.text.encode(),
        "letter.eml": found.eml,
    }
    for name, content in files.items():
        (out / name).write_bytes(content)
    return [out / name for name in files]


def _print_preview(found: "Preview", written: list[Path]) -> None:
    edition, size = found.edition, len(found.letter.html.encode()) / 1000
    console.print(f"[bold]{escape(found.letter.subject)}[/]")
    console.print(f"[dim]{escape(edition.preheader)}[/]")
    console.print(f"{edition.story_count}, {edition.minutes} min read, {size:.1f} kB of HTML")
    for path in written:
        console.print(f"  {escape(str(path))}")
