"""Reads filters as JSON or a command line spells them, and writes them as JSON."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any, cast

from subscribers.addresses import read_address
from subscribers.errors import InvalidAddress, InvalidSegment
from subscribers.model import EVERYTHING, Frequency
from subscribers.segments.filters import Filter, SubscriberState
from subscribers.segments.issues import IssueRef, read_issue

LONGEST_SPAN = 36_500  #: days; a longer one is a typing error
WORD_LENGTH = 200  #: characters of a tag, a zone or a source


def read_filter(
    given: Mapping[str, Any],
    *,
    known_topics: Collection[str] | None = None,
    known_zones: Collection[str] | None = None,
) -> Filter:
    """Read a filter as JSON or a command line spells it; InvalidSegment names the field.

    Lists may be one text with commas; hyphens in names are underscores; empty is not given.
    """
    given = {name.replace("-", "_"): value for name, value in given.items()}
    alternatives = _alternatives(given.pop("any_of", None), known_topics, known_zones)
    found = Filter(**_conditions(given), any_of=alternatives)
    if known_topics is not None:
        _known("topics", found.topics, {*known_topics, EVERYTHING}, ", ".join(known_topics))
    if known_zones is not None:
        areas = {zone.rpartition("/")[0] for zone in known_zones}
        _known("zones", found.zones, {*known_zones, *areas}, "names like Europe/Berlin, or Europe")
    _refuse_contradictions(found)
    return found


def _alternatives(
    given: object, known_topics: Collection[str] | None, known_zones: Collection[str] | None
) -> tuple[Filter, ...]:
    if given in (None, [], ()):
        return ()
    if not isinstance(given, list | tuple) or not all(
        isinstance(one, Mapping) for one in cast("Iterable[object]", given)
    ):
        raise InvalidSegment("any-of: this is no list of filters")
    listed = cast("Iterable[Mapping[str, Any]]", given)
    found = tuple(
        read_filter(one, known_topics=known_topics, known_zones=known_zones) for one in listed
    )
    if any(one == Filter() for one in found):
        raise InvalidSegment("one of the alternatives says nothing: everybody would match it")
    if any(one.any_of for one in found):
        raise InvalidSegment("any-of: an alternative has no alternatives of its own")
    return found


def _conditions(given: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field, value in given.items():
        name = field.replace("_", "-")
        if field not in _READERS:
            known = ", ".join(one.replace("_", "-") for one in _READERS)
            raise InvalidSegment(f"there is no filter {name!r}; choose from: {known}")
        if value not in (None, "", [], ()):
            values[field] = _READERS[field](name, value)
    return values


def _known(field: str, given: Iterable[str], known: Collection[str], shown: str) -> None:
    for one in sorted(given):
        if one not in known:
            raise InvalidSegment(f"{field}: there is no {one!r}; choose from: {shown}")


def _refuse_contradictions(found: Filter) -> None:
    since, before = found.joined_since, found.joined_before
    if since and before and since >= before:
        raise InvalidSegment(f"joined-before: {before} is not after joined-since, {since}")
    within, not_within = found.engaged_within, found.not_engaged_within
    if within and not_within and not_within >= within:
        raise InvalidSegment("not-engaged-within: must be fewer days than engaged-within")


def _words(field: str, value: object) -> frozenset[str]:
    given: list[object] = cast("list[object]", value) if isinstance(value, list) else [value]
    return frozenset(
        _word(field, part) for one in given for part in _text(field, one).split(",") if part.strip()
    )


def _word(field: str, value: object) -> str:
    word = _text(field, value).strip()
    if len(word) > WORD_LENGTH or not word.isprintable():
        raise InvalidSegment(f"{field}: {word[:20]!r}… is no name")
    return word


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidSegment(f"{field}: {value!r} is not a text")
    return value


def _domains(field: str, value: object) -> frozenset[str]:
    return frozenset(_domain(field, word) for word in _words(field, value))


def _domain(field: str, word: str) -> str:
    try:
        return read_address(f"somebody@{word.removeprefix('@')}").key.rpartition("@")[2]
    except InvalidAddress:
        raise InvalidSegment(f"{field}: {word!r} is not a domain like example.com") from None


def _issues(field: str, value: object) -> frozenset[IssueRef]:
    return frozenset(read_issue(field, word) for word in _words(field, value))


def _stories(field: str, value: object) -> frozenset[int]:
    given: list[object] = cast("list[object]", value) if isinstance(value, list) else [value]
    words = _words(field, [str(one) for one in given])
    if wrong := sorted(one for one in words if not (one.isascii() and one.isdecimal())):
        raise InvalidSegment(f"{field}: {wrong[0]!r} is not the number of a brief")
    return frozenset(int(one[:18]) for one in words)


def _choice(known: type[StrEnum], field: str, value: object) -> StrEnum:
    try:
        return known(value)
    except ValueError:
        raise InvalidSegment(f"{field}: {value!r} is none of {', '.join(known)}") from None


def _day(field: str, value: object) -> date:
    try:
        return date.fromisoformat(_text(field, value))
    except ValueError:
        raise InvalidSegment(f"{field}: {value!r} is not a date like 2026-11-23") from None


def _days(field: str, value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:9]) <= LONGEST_SPAN:
        raise InvalidSegment(f"{field}: {value!r} is not a number of days, 1 to {LONGEST_SPAN}")
    return int(text)


_READERS: Mapping[str, Callable[[str, object], object]] = {
    "topics": _words,
    "tags": _words,
    "tags_all": _words,
    "tags_none": _words,
    "status": partial(_choice, SubscriberState),
    "frequency": partial(_choice, Frequency),
    "zones": _words,
    "source": _word,
    "joined_since": _day,
    "joined_before": _day,
    "engaged_within": _days,
    "not_engaged_within": _days,
    "domains": _domains,
    "not_domains": _domains,
    "received": _issues,
    "opened": _issues,
    "not_opened": _issues,
    "clicked": _issues,
    "not_clicked": _issues,
    "clicked_stories": _stories,
}


def filter_data(chosen: Filter) -> dict[str, Any]:
    """Return a filter as JSON; `read_filter` reads it again."""
    given = {one.name: getattr(chosen, one.name) for one in fields(chosen)}
    return {name: _plain(value) for name, value in given.items() if value}


def _plain(value: object) -> object:
    match value:
        case tuple():
            return [filter_data(one) for one in cast("tuple[Filter, ...]", value)]
        case frozenset():
            listed = cast("frozenset[str | int | IssueRef]", value)
            plain = [str(one) if isinstance(one, IssueRef) else one for one in listed]
            return sorted(plain, key=str)
        case date():
            return value.isoformat()
        case _:
            return value
