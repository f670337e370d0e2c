"""`newsletter subscribers import`, and what it asks and answers; `suppressions import` is alike."""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli import common
from newsletter.cli.common import AsJson, DryRun, Slug, actor, answer, console, container, list_of
from subscribers.errors import InvalidList, ListQuestions
from subscribers.lists.model import read_explanations
from subscribers.model import ImportReport

app = typer.Typer()

_SHOWN = 20  #: warnings

ListPath = Annotated[Path, Argument(metavar="FILE.csv", help="The list, or a ZIP of one.")]
Explained = Annotated[
    list[str] | None,
    Option(
        "--map",
        metavar="COLUMN=WORD",
        help="What a column contains: email, name, first name, last name, topics, tags, timezone,"
        " frequency, joined, status, subscribed (yes: may be written to), left (yes or a date: has"
        " left), or ignore. Can be given several times.",
    ),
]
Consent = Annotated[
    str,
    Option(
        metavar="TEXT",
        help="Where the subscribers' consent comes from; stored as evidence. Needed unless"
        " --as says that they left.",
    ),
]
ListedAs = Annotated[
    str | None,
    Option(
        "--as",
        metavar="WORD",
        help="Who is on this list: subscribed, or, of people to write to no more, left,"
        " suppressed, bounced, complained or invalid. Nobody is added by those.",
    ),
]
ExplainedWords = Annotated[
    list[str] | None,
    Option(
        "--value",
        metavar="THEIRS=OURS",
        help="What a word in a status column says: subscribed, paused, unconfirmed, left,"
        " bounced, suppressed, complained, invalid. Can be given several times.",
    ),
]
ExplainedTopics = Annotated[
    list[str] | None,
    Option(
        metavar="THEIRS=SLUG",
        help="Which topic a word of theirs is. Can be given several times.",
    ),
]
Encoding = Annotated[
    str | None, Option(metavar="NAME", help="The text encoding; asked for if it is not sure.")
]
Results = Annotated[
    Path | None, Option(metavar="FILE", help="The result file; next to the list by default.")
]
DateFormat = Annotated[
    str | None,
    Option(
        "--date-format",
        metavar="FORM",
        help="How dates are written: dmy, mdy, ymd, or a pattern such as %d/%m/%Y.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was typed: enough to import, and to type it again with what must be explained."""

    command: str
    path: Path
    newsletter: str | None
    consent: str
    columns: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    listed_as: str | None = None
    encoding: str | None = None
    date_format: str | None = None
    results: Path | None = None
    dry_run: bool = False


@app.command("import")
def import_list(
    path: ListPath,
    consent: Consent = "",
    newsletter: Slug = None,
    listed_as: ListedAs = None,
    explained: Explained = None,
    word: ExplainedWords = None,
    topic: ExplainedTopics = None,
    date_format: DateFormat = None,
    encoding: Encoding = None,
    results: Results = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add subscribers from a list: our own, or an export of another service.

    Exports of Mailchimp, Substack, beehiiv, Buttondown, listmonk, Ghost, Kit, Shopify and HubSpot
    are recognised by their columns. Of any other list, what may say who left is asked, all at once,
    with options to copy. A wrong row is refused without stopping the others; the result file has
    the outcome of each row. People who unsubscribed, bounced or complained, here or there, get no
    letters.
    """
    run(
        Asked(
            command="subscribers import",
            path=path,
            newsletter=newsletter,
            consent=consent,
            columns=tuple(explained or ()),
            words=tuple(word or ()),
            topics=tuple(topic or ()),
            listed_as=listed_as,
            encoding=encoding,
            date_format=date_format,
            results=results,
            dry_run=dry_run,
        ),
        as_json=as_json,
    )


def run(asked: Asked, *, as_json: bool) -> None:
    """Import what was asked for, and answer; what must be explained is an InvalidList."""
    try:
        report = _import(asked, as_json=as_json)
    except ListQuestions as questions:
        again = " ".join(_typed(asked, questions.options))
        raise InvalidList(
            f"{questions}\nIf these explanations are right (subscribed: “yes” may be written to;"
            " left: “yes”, or a date, has left; ignore: says neither), run:\n"
            f"  newsletter {asked.command} {again}"
        ) from questions
    answer(report, as_json=as_json, show=lambda: print_report(report))


def _import(asked: Asked, *, as_json: bool) -> ImportReport:
    which = list_of(asked.newsletter)
    said = read_explanations(
        columns=asked.columns,
        words=asked.words,
        topics=asked.topics,
        known_topics=which.topic_slugs,
        listed_as=asked.listed_as,
        date_format=asked.date_format,
    )
    container().give_way()
    with common.progress("reading", as_json=as_json) as show_progress:
        return container().lists.import_list(
            asked.path,
            which.slug,
            known_topics=which.topic_slugs,
            topic_titles={topic.title: topic.slug for topic in which.topics},
            default_zone=which.timetable.zone,
            consent_source=asked.consent,
            said=said,
            encoding=asked.encoding,
            actor=actor(),
            now=container().clock.now(),
            results=asked.results,
            dry_run=asked.dry_run,
            on_progress=lambda done, size: show_progress(
                "reading" if done < size else "storing", done, size
            ),
        )


def _typed(asked: Asked, options: Iterable[str]) -> Iterator[str]:
    """Yield the words of the command that was typed, with these options added."""
    given = list(options)
    yield _quoted(str(asked.path))
    if asked.listed_as is None and "--as" not in given:
        given = ["--consent", asked.consent or "…", *given]
    pairs = [("--newsletter", asked.newsletter), ("--as", asked.listed_as)]
    pairs += [("--encoding", asked.encoding), ("--date-format", asked.date_format)]
    pairs += [("--results", asked.results and str(asked.results))]
    pairs += [("--map", one) for one in asked.columns] + [("--value", one) for one in asked.words]
    pairs += [("--topic", one) for one in asked.topics]
    for option, value in pairs:
        if value is not None:
            yield f"{option} {_quoted(value)}"
    if "--as" in given and asked.consent:
        given = ["--consent", asked.consent, *given]
    yield from (one if one.startswith("--") else _quoted(one) for one in given)
    if asked.dry_run:
        yield "--dry-run"


def _quoted(text: str) -> str:
    """Return a word as any shell takes it: in double quotes, where these suffice."""
    if text and not set(text) & set(" \"$`\\!&|;<>()*?'#~"):
        return text
    return shlex.quote(text) if set(text) & set('"$`\\!') else f'"{text}"'


def print_report(report: ImportReport) -> None:
    would = "would be: " if report.dry_run else ""
    number = f"import {report.import_id}: " if report.import_id else ""
    text = common.listed(report.counts) or "nothing"
    console.print(f"{number}{report.rows:,} rows: {would}{text}")
    console.print(f"[dim]read as: {escape(report.format)}, {report.encoding}[/]")
    if report.ignored_columns:
        console.print(f"[dim]columns not used: {escape(', '.join(report.ignored_columns))}[/]")
    _print_warnings(report)
    console.print(f"[dim]row by row: {escape(report.results)}[/]")


def _print_warnings(report: ImportReport) -> None:
    if not report.warnings:
        return
    ranked = sorted(report.warnings.items(), key=lambda one: (-one[1], one[0]))
    console.print("[yellow]taken, but look at these:[/]")
    for warning, rows in ranked[:_SHOWN]:
        console.print(f"  {rows:,} × {escape(warning)}")
    if len(ranked) > _SHOWN:
        console.print(f"  … and {len(ranked) - _SHOWN:,} more, in the file of results")
