"""Parsers for single cells of a list: topics, tags, names, moments, a status.

Most lists repeat the same few cells over and over, so what was read is cached. A side fact that
cannot be read never refuses the person: it becomes a warning, and what is true without it.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import TypeVar

from subscribers.lists.cell_words import (
    NOTHING,
    SEPARATOR,
    SEPARATORS,
    SideFact,
    attribute_tags,
    joined_tags,
    json_object,
    read_frequency,
    read_text,
    split_words,
)
from subscribers.lists.fields import TEXTS, ColumnMeaning
from subscribers.lists.list_format import Format
from subscribers.lists.moments import Moments, UnreadableMoment
from subscribers.lists.statuses import ImportedStatus, Words, normal
from subscribers.model import (
    EVERYTHING,
    NAME_LENGTH,
    SuppressionReason,
    TopicSet,
)

_BETWEEN = re.compile(r"[;,|\n]")
_EVERYTHING = (EVERYTHING, "all", "everything")
_CACHED = 8192

Record = list[str]
_Read = TypeVar("_Read")
_REASONS = frozenset(reason.value for reason in SuppressionReason)
Reader = Callable[[Record], str]


class RowRefused(ValueError):
    """A cell cannot be understood, and nothing can be said of its person without it."""


class Cells:
    """Readers for the cells of one list."""

    def __init__(
        self,
        kind: Format,
        columns: list[str],
        *,
        topics: Mapping[str, str],
        known_zones: Iterable[str],
        moments: Moments | None = None,
        least: ImportedStatus = ImportedStatus.SUBSCRIBED,
    ) -> None:
        """Take the words of each topic, and what is true of everybody on the list at least."""
        self._kind = kind
        self._meanings = [kind.columns.get(column) for column in columns]
        self._topics = topics
        self._topics_are_tags = not kind.strict_topics  # those that nobody here knows
        self._zones = {zone.lower(): zone for zone in known_zones}
        self._moments = moments or Moments()
        self._least = least
        self._words = [
            (place, kind.statuses[column])
            for place, column in enumerate(columns)
            if column in kind.statuses
        ]
        self._statuses = [self._status_at(place, words) for place, words in self._words]
        self._reasons = self._where(ColumnMeaning.SUPPRESSED)
        self._left = self._where(ColumnMeaning.LEFT)
        self.has_reasons = bool(self._reasons)
        self.has_status = bool(self._words or self._reasons or least)
        #: Reads the gravest status that a row has.
        self.status = self._statuses[0] if len(self._statuses) == 1 and not least else self._gravest
        self.readers = list(self._readers())

    def _gravest(self, record: Record) -> ImportedStatus:
        found = self._least
        for read in self._statuses:
            try:
                found = max(found, read(record))
            except RowRefused:
                if not self._least:
                    raise
        return found

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
                return self._read_moment(text)
            except SideFact:
                continue
        return NOTHING

    def _readers(self) -> Iterator[tuple[str, Reader]]:
        topics, tags, attributes = (
            self._where(ColumnMeaning.TOPICS),
            self._where(ColumnMeaning.TAGS),
            self._where(ColumnMeaning.ATTRIBUTES),
        )
        if topics:
            yield "topics", self._cache(topics, self._read_topics)
        also = topics if self._topics_are_tags else []
        if places := [*also, *tags, *attributes]:
            read = self._tags_reader(len(also), len(also) + len(tags))
            yield "tags", self._cache(places, read)
        yield from self._texts()
        if names := self._where(ColumnMeaning.NAME) or self._where(
            ColumnMeaning.FIRST_NAME, ColumnMeaning.LAST_NAME
        ):
            yield "name", lambda record: read_text(" ".join([record[at] for at in names]), "name")
        if joined := self._where(ColumnMeaning.JOINED):
            yield "joined", lambda record: self._read_moment(record[joined[0]])
        yield from self._pauses()

    def _texts(self) -> Iterator[tuple[str, Reader]]:
        own = {"zone": self._read_zone, "frequency": read_frequency}
        for name, text in TEXTS.items():
            also = [ColumnMeaning.ATTRIBUTES] if name == "zone" else []
            if places := self._where(text.meaning, *also):
                yield name, self._cache(places, own.get(name, read_text))

    def _pauses(self) -> Iterator[tuple[str, Reader]]:
        if any(ImportedStatus.PAUSED in words.values() for _, words in self._words):
            yield "paused", lambda record: str(self.status(record) is ImportedStatus.PAUSED)
        if until := self._where(ColumnMeaning.PAUSED_UNTIL):
            yield "paused_until", lambda record: self._read_moment(record[until[0]])

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
        found: set[str] = set()
        unknown: set[str] = set()
        for word in (word for cell in cells for word in self._topic_words(cell)):
            slug = self._slug(word)
            found |= {slug} if slug else set()
            unknown |= set() if slug else {word}
        known = SEPARATOR.join(sorted(TopicSet.of(found).slugs)) if found else NOTHING
        if unknown:
            shown = ", ".join(sorted(unknown))[:NAME_LENGTH]
            kept = ", kept as a tag" if self._topics_are_tags else ""
            raise SideFact(known, f"no topic: {shown}{kept}")
        return known

    def _topic_words(self, cell: str) -> Iterable[str]:
        """Return the words of a cell; a topic's name is one, whatever separators it contains."""
        if self._slug(cell):
            return [cell]
        words = split_words(cell, SEPARATORS)
        return (
            part.strip()
            for word in words
            for part in ([word] if self._slug(word) else _BETWEEN.split(word))
            if part.strip()
        )

    def _slug(self, word: str) -> str | None:
        name = normal(word)
        return self._topics.get(name) or (EVERYTHING if name in _EVERYTHING else None)

    def _tags_reader(self, topics: int, words: int) -> Callable[..., str]:
        """Return what reads cells of so many topics, then of tags, then of attributes."""

        def read(*cells: str) -> str:
            found = {
                word
                for cell in cells[:topics]
                for word in self._topic_words(cell)
                if not self._slug(word)
            }
            tags = {word for cell in cells[topics:words] for word in split_words(cell, SEPARATORS)}
            warnings: list[str] = []
            for cell in cells[words:]:
                tags |= attribute_tags(cell, warnings)
            alike = sorted(tag for tag in tags if normal(tag) in self._topics)
            warnings += [f"a tag that is called like a topic: {tag}" for tag in alike]
            return joined_tags(found | tags, warnings)

        return read

    def _read_zone(self, *cells: str) -> str:
        for cell in cells:
            typed = cell.strip()
            if typed.startswith("{"):
                typed = str(json_object(typed, []).get("timezone", "")).strip()
            elif typed.startswith("["):
                continue
            if zone := self._zones.get(typed.lower()):
                return zone
            if typed:
                raise SideFact(NOTHING, f"unknown time zone: {typed[:NAME_LENGTH]}")
        return NOTHING

    def _read_moment(self, text: str) -> str:
        if not text.strip():
            return NOTHING
        try:
            return self._moments.read_iso(text)
        except UnreadableMoment as error:
            raise SideFact(NOTHING, str(error)) from None


def topic_words(
    known: Collection[str], titles: Mapping[str, str], explained: Mapping[str, str]
) -> dict[str, str]:
    """Return the slug of each word for a topic: its slug, its title, what an operator explained."""
    slugs = {normal(slug): slug for slug in known}
    return {normal(title): slug for title, slug in titles.items()} | slugs | dict(explained)
