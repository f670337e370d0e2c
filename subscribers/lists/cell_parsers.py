"""Parsers for single cells of a list: topics, tags, names, moments, a status.

Most lists repeat the same few cells over and over, so what was read is cached.
"""

import csv
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar, cast

from subscribers.lists.fields import TEXTS, ColumnMeaning
from subscribers.lists.formats import Format, ImportedStatus, Words, normal
from subscribers.model import (
    EVERYTHING,
    NAME_LENGTH,
    TAG_LENGTH,
    Frequency,
    SuppressionReason,
    TopicSet,
)

SEPARATOR = ";"  #: of topics and of tags, in our own lists

NOTHING = r"\N"  #: what a list does not say
CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # PostgreSQL has no text with a NUL, names want none
_SEPARATORS = re.compile(r'[,;"|]')  # what a tag cannot hold
_CACHED = 8192

# Go and Ruby print moments that no standard writes: `2024-01-02 10:00:00.123 +0000 UTC`.
_PRINTED = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)?(?: ([+-]\d{4}))?(?: (?:[A-Z]+|[+-]\d{4}))?"
).fullmatch

Record = list[str]
_Read = TypeVar("_Read")
_REASONS = frozenset(reason.value for reason in SuppressionReason)
_FREQUENCIES = frozenset(frequency.value for frequency in Frequency)
Reader = Callable[[Record], str]


class RowRefused(ValueError):
    """A cell cannot be understood."""


class Cells:
    """Readers for the cells of one list."""

    def __init__(
        self,
        kind: Format,
        columns: list[str],
        known_topics: Collection[str],
        known_zones: Iterable[str],
    ) -> None:
        self._kind = kind
        self._meanings = [kind.columns.get(column) for column in columns]
        self._topics = frozenset(known_topics)
        self._topics_are_tags = not kind.strict_topics  # those that nobody here knows
        self._separators = SEPARATOR if kind.strict_topics else ";,|"
        self._zones = {zone.lower(): zone for zone in known_zones}
        self._words = [
            (place, kind.statuses[column])
            for place, column in enumerate(columns)
            if column in kind.statuses
        ]
        self._statuses = [self._status_at(place, words) for place, words in self._words]
        self._reasons = self._where(ColumnMeaning.SUPPRESSED)
        self._left = self._where(ColumnMeaning.LEFT)
        self.has_reasons = bool(self._reasons)
        self.has_status = bool(self._words or self._reasons)
        #: Reads the gravest status that a row has.
        self.status = self._statuses[0] if len(self._statuses) == 1 else self._gravest
        self.readers = list(self._readers())

    def _gravest(self, record: Record) -> ImportedStatus:
        return max((read(record) for read in self._statuses), default=ImportedStatus.SUBSCRIBED)

    def _status_at(self, place: int, words: Words) -> Callable[[Record], ImportedStatus]:
        if set(words) != {"", "*"}:
            return self._cache([place], self._status_of(words))
        empty, filled = words[""], words["*"]
        return lambda record: filled if record[place].strip() else empty

    def suppressed(self, record: Record) -> SuppressionReason | None:
        """Return why the address must not be written to, if the list says."""
        for word in (record[place].strip().lower() for place in self._reasons):
            if word:
                return SuppressionReason(word) if word in _REASONS else SuppressionReason.MANUAL
        return None

    def gone_at(self, record: Record) -> str:
        """Return when they left; whose moment cannot be read has left nevertheless."""
        for text in (record[place] for place in self._left):
            try:
                return _read_moment(text)
            except RowRefused:
                continue
        return NOTHING

    def _readers(self) -> Iterator[tuple[str, Reader]]:
        topics, tags = (
            self._where(ColumnMeaning.TOPICS),
            self._where(ColumnMeaning.TAGS, ColumnMeaning.ATTRIBUTES),
        )
        if self._topics_are_tags:
            tags = [*topics, *tags]
        if topics:
            yield "topics", self._cache(topics, self._read_topics)
        if tags:
            yield "tags", self._cache(tags, self._read_tags)
        yield from self._texts()
        if names := self._where(ColumnMeaning.NAME) or self._where(
            ColumnMeaning.FIRST_NAME, ColumnMeaning.LAST_NAME
        ):
            yield "name", lambda record: _read_text(" ".join([record[at] for at in names]), "name")
        if joined := self._where(ColumnMeaning.JOINED):
            yield "joined", lambda record: _read_moment(record[joined[0]])
        yield from self._pauses()

    def _texts(self) -> Iterator[tuple[str, Reader]]:
        own = {"zone": self._read_zone, "frequency": _read_frequency}
        for name, text in TEXTS.items():
            also = [ColumnMeaning.ATTRIBUTES] if name == "zone" else []
            if places := self._where(text.meaning, *also):
                yield name, self._cache(places, own.get(name, _read_text))

    def _pauses(self) -> Iterator[tuple[str, Reader]]:
        if any(ImportedStatus.PAUSED in words.values() for _, words in self._words):
            yield "paused", lambda record: str(self.status(record) is ImportedStatus.PAUSED)
        if until := self._where(ColumnMeaning.PAUSED_UNTIL):
            yield "paused_until", lambda record: _read_moment(record[until[0]])

    def _where(self, *meanings: ColumnMeaning) -> list[int]:
        return [place for place, meaning in enumerate(self._meanings) if meaning in meanings]

    def _cache(self, places: list[int], read: Callable[..., _Read]) -> Callable[[Record], _Read]:
        cached = lru_cache(_CACHED)(read)
        if len(places) == 1:
            (place,) = places
            return lambda record: cached(record[place])
        cells = itemgetter(*places)
        return lambda record: cached(*cells(record))

    def _status_of(self, words: Words) -> Callable[[str], ImportedStatus]:
        def status_of(cell: str) -> ImportedStatus:
            word = normal(cell)
            found = words.get(word)
            found = words.get("*") if found is None and word else found
            if found is None:
                raise RowRefused(f"unknown status: {cell.strip()[:NAME_LENGTH] or 'none'}")
            return found

        return status_of

    def _read_topics(self, *cells: str) -> str:
        slugs = {word.lower() for cell in cells for word in _split(cell, self._separators)}
        unknown = sorted(slugs.difference(self._topics, {EVERYTHING}))
        if unknown and self._kind.strict_topics:
            raise RowRefused(f"unknown topic: {', '.join(unknown)[:NAME_LENGTH]}")
        known = slugs.difference(unknown)
        return SEPARATOR.join(sorted(TopicSet.of(known).slugs)) if known else NOTHING

    def _read_tags(self, *cells: str) -> str:
        words = {word for cell in cells for word in self._tags_of(cell)}
        tags = {" ".join(_SEPARATORS.sub(" ", word).split()) for word in words} - {""}
        for tag in tags:
            if len(tag) > TAG_LENGTH or not tag.isprintable():
                raise RowRefused(
                    f"a tag must be printable and at most {TAG_LENGTH} characters: "
                    f"{tag[:TAG_LENGTH]}…"
                )
        return _escaped(SEPARATOR.join(sorted(tags))) if tags else NOTHING

    def _tags_of(self, cell: str) -> Iterator[str]:
        if cell.lstrip().startswith("{"):
            found = _json(cell).get("tags", "")
            cell = json.dumps(found) if isinstance(found, list) else str(found)
        for word in _split(cell, self._separators):
            if not self._topics_are_tags or word.lower() not in self._topics:
                yield word

    def _read_zone(self, *cells: str) -> str:
        for cell in cells:
            typed = cell.strip()
            if typed.startswith("{"):
                typed = str(_json(typed).get("timezone", "")).strip()
            if zone := self._zones.get(typed.lower()):
                return zone
            if typed:
                raise RowRefused(f"unknown time zone: {typed[:NAME_LENGTH]}")
        return NOTHING


def _split(cell: str, separators: str) -> Iterator[str]:
    """Yield the words of a cell: a JSON list, a quoted one, or words with a separator between."""
    text = cell.strip()
    if text.startswith("["):
        words = _json_list(text)
    elif '"' in text:
        words = _quoted_list(text)
    else:
        words = text.split(next((mark for mark in separators if mark in text), SEPARATOR))
    return (stripped for word in words if (stripped := word.strip()))


def _quoted_list(text: str) -> list[str]:
    try:
        return next(csv.reader([text], skipinitialspace=True), list[str]())
    except csv.Error:  # a line's end, most likely: the row is wrong, not the list
        raise RowRefused("a list of words whose quotes cannot be read") from None


def _json_list(text: str) -> list[str]:
    try:
        found: object = json.loads(text)
    except ValueError:
        raise RowRefused("a list of words that is not JSON") from None
    return [str(word) for word in cast("list[Any]", found)] if isinstance(found, list) else []


def _json(text: str) -> dict[str, Any]:
    try:
        found: object = json.loads(text)
    except ValueError:
        raise RowRefused("attributes that are not JSON") from None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _read_frequency(cell: str) -> str:
    word = cell.strip().lower()
    if word and word not in _FREQUENCIES:
        raise RowRefused(f"unknown frequency: {word[:NAME_LENGTH]}; daily or weekly")
    return word or NOTHING


def _read_text(cell: str, what: str = "text") -> str:
    text = " ".join(cell.split())
    if len(text) > NAME_LENGTH:
        raise RowRefused(f"the {what} is longer than {NAME_LENGTH} characters")
    if not text.isprintable() and CONTROL.search(text):
        raise RowRefused(f"a control character in the {what}")
    return _escaped(text) if text else NOTHING


def _read_moment(text: str) -> str:
    """Return a moment in UTC; without a zone it is taken to be in UTC already."""
    typed = text.strip()
    if not typed:
        return NOTHING
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        moment = _read_printed(typed)
    return moment.isoformat() if moment.tzinfo else f"{moment.isoformat()}Z"


def _read_printed(typed: str) -> datetime:
    printed = _PRINTED(typed)
    try:
        return datetime.fromisoformat(
            f"{printed[1]}T{printed[2]}{printed[3] or ''}" if printed else ""
        )
    except ValueError:
        raise RowRefused(f"not a date like 2026-11-23: {typed[:NAME_LENGTH]}") from None


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\")
