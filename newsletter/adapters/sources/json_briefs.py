"""JSON: one brief as an object, or several as a list of objects."""

import json
from collections.abc import Iterator
from typing import Any, cast

from newsletter.adapters.sources.fields import brief_of
from newsletter.core.brief import Brief
from newsletter.errors import InvalidBrief


def read_json(text: str, place: str) -> tuple[Brief, ...]:
    """Return the briefs of a JSON file, in its order."""
    whole = _loaded(text, place)
    if isinstance(whole, dict):
        return (_brief(cast("dict[str, object]", whole), place),)
    if isinstance(whole, list):
        return tuple(_briefs(cast("list[object]", whole), place))
    raise InvalidBrief(place, "must be an object or a list of objects")


def _briefs(items: list[object], place: str) -> Iterator[Brief]:
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            raise InvalidBrief(f"{place}, item {number}", "must be an object")
        yield _brief(cast("dict[str, object]", item), f"{place}, item {number}")


def _brief(given: dict[str, object], place: str) -> Brief:
    return brief_of(given, lambda name: f"{place}, field {name}")


def _loaded(text: str, place: str) -> object:
    def fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        given = dict(pairs)
        if len(given) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InvalidBrief(f"{place}, field {twice[:40]}", "is given twice in one object")
        return given

    try:
        return json.loads(text, object_pairs_hook=fields)
    except json.JSONDecodeError as error:
        where = f"{place}, line {error.lineno}, column {error.colno}"
        raise InvalidBrief(where, f"not JSON: {error.msg}") from None
    except InvalidBrief:
        raise
    except (RecursionError, ValueError):  # lists in lists in lists, or a number of 5,000 digits
        raise InvalidBrief(place, "not a brief: nested too deeply, or a number too long") from None
