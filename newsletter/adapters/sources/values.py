"""Values of a stranger's JSON, read without trusting its shape."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from newsletter.adapters.sources.fetching import FetchFailed


def loaded_json(text: str) -> object:
    """Return the JSON's value; FetchFailed if it is not JSON, or nested too deeply."""
    try:
        return json.loads(text)
    except (RecursionError, ValueError):
        raise FetchFailed("it is not JSON, or cut short") from None


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
