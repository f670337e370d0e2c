"""`newsletter doctor`: everything between here and a reader's mailbox, looked at from both ends."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from typer import Option

from newsletter.cli.common import AsJson, Slug, actor, answer, console, container, newsletter_of
from newsletter.errors import ConfigurationError, NewsletterError

if TYPE_CHECKING:
    from newsletter.core.publication import Newsletter
    from newsletter.core.setup_finding import SetupFinding

LetterTo = Annotated[
    str | None,
    Option(
        "--letter-to",
        metavar="EMAIL",
        help="Send one real letter to this member of staff, and wait for its events.",
    ),
]
Resolver = Annotated[
    list[str] | None,
    Option(metavar="ADDRESS", help="Name server to ask, such as 9.9.9.9; may be repeated."),
]


def doctor(
    newsletter: Slug = None,
    letter_to: LetterTo = None,
    wait: Annotated[
        int, Option(min=1, max=3600, metavar="SECONDS", help="How long to wait for its events.")
    ] = 300,
    backups: Annotated[
        Path | None, Option(metavar="FOLDER", help="Where backups are; their age is looked at.")
    ] = None,
    resolver: Resolver = None,
    seconds: Annotated[
        float, Option(min=0.1, max=600, metavar="SECONDS", help="How long each check may take.")
    ] = 30,
    as_json: AsJson = False,
) -> None:
    """Find out whether everything that sends real letters is in order, and what to do if not.

    It changes nothing, and sends nothing unless --letter-to says so. Exit codes: 0 all is well,
    1 something fails, 3 a warning at worst, 4 something could not be found out.
    """
    from newsletter.core.setup_finding import EXIT_CODES, worst  # help pages need no core

    _open_database()
    examination = container().setup_examination(
        name_servers=tuple(resolver or ()), seconds=seconds, backups=backups
    )
    findings = examination.run(_which(newsletter) if newsletter else None)
    if letter_to:
        findings += _send(_which(newsletter), letter_to, wait, quiet=as_json)
    data = {"grade": worst(findings), "findings": findings}
    answer(data, as_json=as_json, show=lambda: _show(findings))
    raise typer.Exit(EXIT_CODES[worst(findings)])


def _open_database() -> None:
    """Open it once, before several threads ask; if that fails, each check says so."""
    with suppress(NewsletterError, ConfigurationError):
        _ = container().engine


def _which(slug: str | None) -> "Newsletter":
    if slug is None:
        return next(iter(container().settings.newsletters.values()))
    return newsletter_of(slug)


def _send(
    which: "Newsletter", email: str, seconds: int, *, quiet: bool
) -> "tuple[SetupFinding, ...]":
    if not quiet:
        console.print(f"sending one letter to {email}, and waiting for its events …")
    longest = timedelta(seconds=seconds)
    return container().setup_letters.send(which, to=email, actor=actor(), longest=longest)


def _show(findings: "Iterable[SetupFinding]") -> None:
    from newsletter.core.setup_finding import SetupGrade, worst

    marks = {
        SetupGrade.OK: "[green]✓[/]",
        SetupGrade.UNKNOWN: "[cyan]?[/]",
        SetupGrade.WARN: "[yellow]![/]",
        SetupGrade.FAIL: "[red]✗[/]",
    }
    area = None
    for one in findings:
        if one.area != area:
            area = one.area
            console.print(f"[bold]{area}[/]")
        console.print(f"{marks[one.grade]} {one.subject:<13}{escape(one.sentence)}")
        if one.cure:
            console.print(f"  {'':<13}[dim]→ {escape(one.cure)}[/]")
    console.print(_last_line([*findings], worst(findings) is SetupGrade.OK))


def _last_line(findings: "list[SetupFinding]", well: bool) -> str:
    from collections import Counter

    from newsletter.core.setup_finding import SetupGrade

    if well:
        return "All is well: real letters can be sent."
    counts = Counter(one.grade for one in findings)
    words = {
        SetupGrade.FAIL: "must be mended",
        SetupGrade.WARN: "should be looked at",
        SetupGrade.UNKNOWN: "could not be found out",
    }
    return "; ".join(f"{counts[grade]} {text}" for grade, text in words.items() if counts[grade])
