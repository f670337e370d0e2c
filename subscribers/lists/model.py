"""What an operator says about a list: columns, words, topics, dates, and who is on it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from subscribers.errors import InvalidList
from subscribers.lists.fields import ColumnMeaning
from subscribers.lists.list_format import Format
from subscribers.lists.moments import read_date_format
from subscribers.lists.statuses import NO, WORDS, YES, ImportedStatus, Words, normal

#: `--as`: what is true of everybody on the list, unless a row says worse.
LISTED_AS: Mapping[str, ImportedStatus] = {
    "subscribed": ImportedStatus.SUBSCRIBED,
    "left": ImportedStatus.LEFT,
    "suppressed": ImportedStatus.BLOCKED,
    "bounced": ImportedStatus.BOUNCED,
    "complained": ImportedStatus.COMPLAINED,
    "invalid": ImportedStatus.INVALID,
}


@dataclass(frozen=True)
class WordMeaning:
    """What a word in a status column says; in any such column, unless one is named."""

    column: str
    word: str
    status: ImportedStatus


@dataclass(frozen=True, kw_only=True)
class Explanations:
    """All that an operator said about a list."""

    columns: Mapping[str, ColumnMeaning] = field(default_factory=dict[str, ColumnMeaning])
    words: tuple[WordMeaning, ...] = ()
    topics: Mapping[str, str] = field(default_factory=dict[str, str])  #: slugs, by their words
    listed_as: ImportedStatus | None = None  #: None: the operator did not say
    date_format: str = ""

    @property
    def leaving(self) -> ImportedStatus:
        """Return the least that is true of everybody on the list."""
        return self.listed_as or ImportedStatus.SUBSCRIBED


def read_explanations(
    *,
    columns: Iterable[str] = (),
    words: Iterable[str] = (),
    topics: Iterable[str] = (),
    known_topics: Collection[str] = (),
    listed_as: str | None = None,
    date_format: str | None = None,
) -> Explanations:
    """Read what an operator typed; raise InvalidList."""
    mapping = read_mapping(columns)
    return Explanations(
        columns=mapping,
        words=tuple(_word(text, mapping) for text in words),
        topics=dict(_topic(text, known_topics) for text in topics),
        listed_as=None if listed_as is None else _listed_as(listed_as),
        date_format=read_date_format(date_format) if date_format else "",
    )


def read_mapping(said: Iterable[str]) -> dict[str, ColumnMeaning]:
    """Read explanations such as `E-Mail=email`; raise InvalidList."""
    mapping: dict[str, ColumnMeaning] = {}
    for text in said:
        column, equals, word = text.rpartition("=")
        if not equals or normal(word) not in _MEANINGS or not column.strip():
            raise InvalidList(
                f"“{text}” explains no column; write THEIR COLUMN=WORD, and for WORD one of: "
                + ", ".join(ColumnMeaning)
            )
        mapping[normal(column)] = ColumnMeaning(normal(word))
    return mapping


_MEANINGS = frozenset(meaning.value for meaning in ColumnMeaning)


def _word(text: str, columns: Collection[str]) -> WordMeaning:
    word, equals, meaning = text.rpartition("=")
    status = WORDS.get(normal(meaning))
    if not equals or status is None:
        raise InvalidList(
            f"“{text}” explains no word; write THEIR WORD=MEANING, and for MEANING one of:"
            " subscribed, paused, unconfirmed, left, invalid, bounced, suppressed, complained"
        )
    column, colon, rest = word.partition(":")
    if colon and normal(column) in columns:
        return WordMeaning(normal(column), normal(rest), status)
    return WordMeaning("", normal(word), status)


def _topic(text: str, known: Collection[str]) -> tuple[str, str]:
    word, equals, slug = text.rpartition("=")
    if not equals or slug.strip().lower() not in known:
        raise InvalidList(
            f"“{text}” explains no topic; write THEIR WORD=TOPIC, and for TOPIC one of: "
            + ", ".join(sorted(known))
        )
    return normal(word), slug.strip().lower()


def _listed_as(word: str) -> ImportedStatus:
    found = LISTED_AS.get(normal(word))
    if found is None:
        raise InvalidList(f"--as is one of {', '.join(LISTED_AS)}; not “{word}”")
    return found


def with_words(kind: Format, said: Explanations) -> Format:
    """Return the kind of list with the words that the operator explained in its statuses.

    What a service's own words mean stands; a word of no column is one of the columns whose words
    are a status.
    """
    if not said.words:
        return kind
    statuses = dict(kind.statuses)
    for column, words in kind.statuses.items():
        meaning = said.columns.get(column, ColumnMeaning.STATUS)
        own = {
            one.word: one.status
            for one in said.words
            if one.column == column or (not one.column and meaning is ColumnMeaning.STATUS)
        }
        if own:
            statuses[column] = (
                {**words, **_both(own)} if column in said.columns else {**own, **words}
            )
    return replace(kind, statuses=statuses)


def _both(words: Words) -> Words:
    """Return the words, and of a “yes” or “no” among them the other one's meaning, too."""
    found: dict[str, ImportedStatus] = {}
    for word, status in words.items():
        other = ImportedStatus.SUBSCRIBED if status else ImportedStatus.LEFT
        for family, opposite in ((YES, NO), (NO, YES)):
            if word in family:
                found |= dict.fromkeys(opposite, other) | dict.fromkeys(family, status)
    return found | dict(words)
