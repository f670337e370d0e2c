"""What all commands share: options, the container, the issue meant, and how they answer."""

import getpass
import json
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Console
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli.streams import is_unicode
from newsletter.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.progress import ProgressColumn
    from rich.table import Table

    from newsletter.container import Container
    from newsletter.core.publication import Newsletter
    from newsletter.core.staff import LoginName

console = Console(highlight=False, soft_wrap=True)

AsJson = Annotated[bool, Option("--json", metavar="", help="Answer with JSON.")]
Date = Annotated[
    str | None,
    Option("--date", metavar="YYYY-MM-DD", help="The issue's date; today by default."),
]
Slug = Annotated[
    str | None,
    Option("--newsletter", metavar="SLUG", help="Which newsletter, if there are several."),
]
DryRun = Annotated[
    bool, Option("--dry-run", metavar="", help="Show what would happen, and change nothing.")
]
BriefId = Annotated[int, Argument(metavar="ID", help="As `briefs list` shows it.")]
Limit = Annotated[int, Option(min=1, metavar="N", help="How many to show at most.")]


@cache
def container() -> "Container":
    """Return the wired services, opened once."""
    # Imported here: help pages and usage errors need no services.
    from newsletter.container import Container
    from newsletter.settings import load_settings

    return Container(load_settings())


def close_container() -> None:
    """Close the container, if a command opened it."""
    if container.cache_info().currsize:
        container().close()
        container.cache_clear()


def newsletter_of(slug: str | None) -> "Newsletter":
    """Return the newsletter named, or the only one; a weekly digest must be named."""
    settings = container().settings
    mains = [one for one in settings.newsletters.values() if one.week_of is None]
    if slug is None and len(mains) == 1:
        return mains[0]
    if slug is None:
        slugs = " | ".join(newsletter.slug for newsletter in mains)
        raise ConfigurationError(f"there are several newsletters; choose one: --newsletter {slugs}")
    return settings.newsletter(slug)


def list_of(slug: str | None) -> "Newsletter":
    """Return the newsletter named, or the only one; ConfigurationError for one without a list."""
    newsletter = newsletter_of(slug)
    if newsletter.week_of:
        raise ConfigurationError(
            f"{newsletter.slug} is the digest of {newsletter.week_of}, and has no subscribers: "
            f"its readers subscribe to {newsletter.week_of} with the frequency weekly"
        )
    return newsletter


def issue_of(slug: str | None, on: str | None) -> "tuple[Newsletter, date]":
    """Return the newsletter meant, and the date named, or today's in its time zone."""
    from newsletter.core.publication import day_of  # the same

    newsletter = newsletter_of(slug)
    if on is None:
        return newsletter, day_of(newsletter.timetable, container().clock.now())
    try:
        return newsletter, date.fromisoformat(on)
    except ValueError:
        raise typer.BadParameter(
            f"{on!r} is not a date like 2026-11-23", param_hint="'--date'"
        ) from None


def slugs_of(text: str | None) -> tuple[str, ...]:
    """Return the slugs of a list such as `chips, security`."""
    return tuple(slug for part in (text or "").split(",") if (slug := part.strip()))


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def listed(counts: Mapping[Any, int]) -> str:
    """Return what was counted as text, without what was never found."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def minute(moment: datetime) -> str:
    """Return a moment to the minute, with its time zone."""
    return f"{moment:%Y-%m-%d %H:%M %Z}"


def grid(rows: Iterable[Iterable[str]] = (), *, right: Iterable[int] = ()) -> "Table":
    """Return a table without lines or a head; the columns `right` are aligned there."""
    from rich.table import Table  # the same

    return _filled(Table.grid(padding=(0, 2, 0, 0)), rows, right)


def headed(*head: str, rows: Iterable[Iterable[str]], right: Iterable[int] = ()) -> "Table":
    """Return a table with a head."""
    from rich.table import Table  # the same

    return _filled(Table(*head, box=None, pad_edge=False, header_style="dim"), rows, right)


def _filled(table: "Table", rows: Iterable[Iterable[str]], right: Iterable[int]) -> "Table":
    for row in rows:
        table.add_row(*row)
    for column in right:
        table.columns[column].justify = "right"
    return table


def print_error(sentence: str) -> None:
    """Print what went wrong where errors go."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    errors.print(f"[red]error:[/] {escape(sentence)}")


@contextmanager
def progress(
    first: str, *columns: "str | ProgressColumn", as_json: bool
) -> Generator[Callable[[str, int, int], None]]:
    """Yield what moves a progress bar: step, done, total. With --json nobody sees it."""
    from rich.progress import Progress  # the same

    quiet = as_json or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as bars:
        bar = bars.add_task(first, total=None)
        yield lambda step, done, total: bars.update(
            bar, description=step, completed=done, total=total
        )


def actor() -> "LoginName":
    """Return the login name of the person who runs the command."""
    from newsletter.core.staff import LoginName  # here: help pages need no core

    try:
        return LoginName(getpass.getuser())
    except (OSError, KeyError):
        return LoginName("operator")


def answer(data: Any, *, as_json: bool, show: Callable[[], object]) -> None:
    """Print the data as JSON, or let `show` print it for a person."""
    if as_json:
        print(json.dumps(plain(data), indent=2, ensure_ascii=not is_unicode()))
    else:
        show()


def plain(value: Any) -> Any:
    """Return the value as JSON knows it; without the keys that sign links."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain({one.name: getattr(value, one.name) for one in fields(value)})
    if isinstance(value, Enum):
        return value.name.lower() if isinstance(value, int) else value.value
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return {str(plain(k)): plain(v) for k, v in pairs if k != "link_key"}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in cast("Iterable[Any]", value)]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
