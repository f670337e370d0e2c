"""What all commands share: the container, the newsletter and date meant, and the answer."""

import getpass
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Console

from newsletter.core.publication import Newsletter, day_of
from newsletter.errors import ConfigurationError

if TYPE_CHECKING:
    from newsletter.container import Container

console = Console(highlight=False, soft_wrap=True)

AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Answer with JSON.")]
Date = Annotated[
    str | None,
    typer.Option("--date", metavar="YYYY-MM-DD", help="The issue's date; today by default."),
]
Slug = Annotated[
    str | None,
    typer.Option("--newsletter", metavar="SLUG", help="Which newsletter, if there are several."),
]


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


def newsletter_of(slug: str | None) -> Newsletter:
    """Return the newsletter named, or the only one; a weekly digest must be named."""
    settings = container().settings
    mains = [one for one in settings.newsletters.values() if one.week_of is None]
    if slug is None and len(mains) == 1:
        return mains[0]
    if slug is None:
        raise ConfigurationError(f"name one: --newsletter {' | '.join(n.slug for n in mains)}")
    return settings.newsletter(slug)


def list_of(slug: str | None) -> Newsletter:
    """Return the newsletter named, or the only one; ConfigurationError for one without a list."""
    newsletter = newsletter_of(slug)
    if newsletter.week_of:
        raise ConfigurationError(
            f"{newsletter.slug} is the digest of {newsletter.week_of}, and has no subscribers: "
            f"its readers subscribe to {newsletter.week_of} with the frequency weekly"
        )
    return newsletter


def date_of(text: str | None, newsletter: Newsletter) -> date:
    """Return the date named, or today's in the newsletter's time zone."""
    if text is None:
        return day_of(newsletter, container().clock.now())
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date like 2026-11-23", param_hint="'--date'"
        ) from None


def slugs_of(text: str | None) -> tuple[str, ...]:
    """Return the slugs of a list such as `chips, security`."""
    return tuple(slug for part in (text or "").split(",") if (slug := part.strip()))


def is_quiet(*, as_json: bool) -> bool:
    """Return whether nobody sees a progress bar."""
    return as_json or not console.is_terminal


def actor() -> str:
    """Return the login name of the person who runs the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"


def answer(data: Any, *, as_json: bool, show: Callable[[], object]) -> None:
    """Print the data as JSON, or let `show` print it for a person."""
    if as_json:
        print(json.dumps(plain(data), indent=2, ensure_ascii=False))
    else:
        show()


def plain(value: Any) -> Any:
    """Return the value as JSON knows it; without the keys that sign links."""
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
