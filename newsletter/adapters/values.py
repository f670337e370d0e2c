"""Values of a stranger's JSON, read without trusting its shape."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

_YEAR_2001, _YEAR_3000 = 1_000_000_000, 32_503_680_000  #: seconds; milliseconds lie beyond
_FRACTIONS = (10**3, 10**6, 10**9)  #: of a second, in which some count


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
    """Return the moment of these seconds, or milliseconds and less, also as text or a fraction.

    For what is none of these it is the beginning of UNIX time.
    """
    given = _number(value)
    if 0 <= given < _YEAR_3000:
        return datetime.fromtimestamp(given, UTC)
    smaller = (given / parts for parts in _FRACTIONS)
    seconds = next((one for one in smaller if _YEAR_2001 <= one < _YEAR_3000), 0)
    return datetime.fromtimestamp(seconds, UTC)


def _number(value: object) -> float:
    """Return a number, also where it is written as text; 0 for anything else."""
    text = str(value) if isinstance(value, str | int | float) else ""
    # Digits and a fraction; more of them than these are no moment in any unit.
    return float(text) if re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,20})?", text) else 0
