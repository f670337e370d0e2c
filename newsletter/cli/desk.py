"""What every verb shares: the house, the newsletter and date meant, and two ways to answer."""

import getpass
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from typing import Annotated, Any, cast

import typer
from rich.console import Console

from newsletter.bootstrap import House
from newsletter.core.publication import Newsletter
from newsletter.errors import ConfigurationError
from newsletter.services.publishing import day_of
from newsletter.settings import load_settings

console = Console(highlight=False, soft_wrap=True)

AsJson = Annotated[bool, typer.Option("--json", help="Answer with JSON.")]
Date = Annotated[
    str | None,
    typer.Option("--date", metavar="YYYY-MM-DD", help="The issue's date; today by default."),
]
Slug = Annotated[
    str | None,
    typer.Option("--newsletter", metavar="SLUG", help="Which newsletter, if there are several."),
]


@cache
def house() -> House:
    """Return the wired services, opened once."""
    return House(load_settings())


def newsletter_of(slug: str | None) -> Newsletter:
    """Return the newsletter named, or the only one."""
    settings = house().settings
    if slug is None and len(settings.newsletters) == 1:
        return next(iter(settings.newsletters.values()))
    if slug is None:
        raise ConfigurationError(f"name one: --newsletter {' | '.join(settings.newsletters)}")
    return settings.newsletter(slug)


def date_of(text: str | None, newsletter: Newsletter) -> date:
    """Return the date named, or today's where the newsletter is made."""
    if text is None:
        return day_of(newsletter, house().clock.now())
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date like 2026-11-23") from None


def actor() -> str:
    """Return who decides: the name this person logged in with."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"


def answer(data: Any, *, as_json: bool, say: Callable[[], object]) -> None:
    """Print the data as JSON, or let `say` tell it to a person."""
    if as_json:
        print(json.dumps(plain(data), indent=2, ensure_ascii=False))
    else:
        say()


def plain(value: Any) -> Any:
    """Return the value as JSON knows it; keys that sign links stay in the house."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Enum):
        return value.name.lower() if isinstance(value, int) else value.value
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return {str(plain(k)): plain(v) for k, v in pairs if k != "link_key"}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in cast("Iterable[Any]", value)]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
