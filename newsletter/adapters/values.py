"""Values of a stranger's JSON, read without trusting its shape."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

_YEAR_3000 = 32_503_680_000  #: seconds; milliseconds by mistake lie beyond


def mapping(value: object) -> Mapping[str, object]:
    """Return the object; an empty one in place of anything else."""
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def listed(value: object) -> list[object]:
    """Return the list; an empty one in place of anything else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def at(value: object, *path: str) -> object:
    """Return the value at this path of names; None if there is none."""
    for name in path:
        value = mapping(value).get(name)
    return value


def text_at(value: object, *path: str) -> str:
    """Return the text, or the number as text, at this path; empty if neither is there.

    Half a surrogate pair, which JSON can spell, is replaced.
    """
    found = at(value, *path)
    text = str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
    return text.encode("utf-8", "replace").decode()


def moment(text: str) -> datetime | None:
    """Return an ISO 8601 moment, in UTC where it names no zone; None if it is not one."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def whole_number(value: object) -> int | None:
    """Return a number that PostgreSQL's bigint holds, also where it is written as text."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004  # bigint


def unix_moment(value: object) -> datetime:
    """Return the moment of these seconds; the beginning of UNIX time for what is none."""
    seconds = whole_number(value) or 0
    return datetime.fromtimestamp(seconds if seconds < _YEAR_3000 else 0, UTC)
