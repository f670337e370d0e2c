"""Items of polled sources, mapped field by field to briefs."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import nh3

from newsletter.adapters.sources.cleaning import paragraphs, plain, text_of
from newsletter.adapters.sources.fetching import Document
from newsletter.adapters.sources.fields import brief_of
from newsletter.adapters.values import at, listed, mapping
from newsletter.core.brief import Brief
from newsletter.core.publication import Newsletter
from newsletter.core.source import PolledSource
from newsletter.errors import InvalidBrief

#: Fields without a usual place: a feed may have several pictures, and of the author too.
_ONLY_CONFIGURED = ("picture", "picture_alt")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:/?=~@%#+-]{1,100}")
#: The tags of an item's HTML that are read: text in blocks, no figures or tables.
_TAGS = "a b blockquote br code div em h1 h2 h3 h4 h5 h6 i li ol p section strong ul"
_DROPPED = "figure iframe noscript script style svg table template"
_PROSE = nh3.Cleaner(
    tags=frozenset(_TAGS.split()),
    attributes={"a": {"href"}},
    clean_content_tags=frozenset(_DROPPED.split()),
    link_rel=None,
)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item, in whatever format it was published."""

    id: str  #: stable within its source
    title: str  #: may hold markup
    summary: str = ""  #: HTML
    content: str = ""  #: HTML
    published: str = ""  #: ISO 8601; anything else stays as it is and is refused by name
    changed: datetime | None = None  #: aware; when it was last changed, or else published
    publisher: str = ""  #: the feed's own title
    fields: Mapping[str, object] = field(default_factory=dict[str, object])  #: all it contains


Get = Callable[[str], Document]  #: fetches an address within the limits of the whole reading


@dataclass(frozen=True, kw_only=True)
class KindReader:
    """How a kind of source is fetched and read, and where its items have a newsletter's fields."""

    address: Callable[[PolledSource, datetime], str]  #: of the first document; when last read
    items: Callable[[Document, str, Get], Iterable[Item]]  #: of the document at this address
    paths: tuple[str, ...]  #: of every field, tried in this order; {} is the field's name
    more_paths: Mapping[str, tuple[str, ...]]  #: of one field, tried after these


def brief_from(item: Item, kind: KindReader, newsletter: Newsletter, source: PolledSource) -> Brief:
    """Return the brief an item makes in this newsletter; InvalidBrief says what is wrong."""
    if not item.id:
        raise InvalidBrief("item", "it has neither an id nor a link to identify it by")
    defaults = source.defaults

    def found(name: str) -> object:
        return _found(item, kind, name, getattr(source.fields, name))

    def value(name: str) -> object:
        return _scalar(found(name))

    summary, body = _summary_and_body(item, value("summary"))
    given: dict[str, object] = {
        "id": f"{newsletter.slug}/{source.slug}/{_short(item.id)}",
        "title": item.title,
        "pillar": newsletter.pillar,
        "summary": summary,
        "body": body,
        "published": item.published,
        "topics": _topics(found("topics"), source) or list(defaults.topics),
        "why": value("why"),
        "source": value("source") or defaults.source or item.publisher,
        "source_url": value("source_url"),
        "verification": value("verification") or defaults.verification.value,
        "importance": value("importance") or defaults.importance.value,
        "minutes": value("minutes") or defaults.minutes,
        **{name: value(name) for name in _ONLY_CONFIGURED if getattr(source.fields, name)},
    }
    return brief_of(given, lambda _: "item")


def _short(item_id: str) -> str:
    """Return the id if a key can hold it, else a digest of it."""
    plainly = _PLAIN_ID.fullmatch(item_id)
    return item_id if plainly else hashlib.sha256(item_id.encode()).hexdigest()


def _summary_and_body(item: Item, given: object) -> tuple[object, list[str]]:
    """Return summary and body; without a summary the first paragraph is one."""
    body = _prose(item.content)
    if given:
        return given, body
    summary = " ".join(text_of(part) for part in _prose(item.summary))
    if body and summary in ("", text_of(body[0])):
        return text_of(body[0]), body[1:]
    return summary, body


def _prose(markup: str) -> list[str]:
    return list(paragraphs(_PROSE.clean(markup)))


def _topics(given: object, source: PolledSource) -> list[str]:
    """Return our topics for the item's terms; a term without a rule may be a topic's own slug."""
    rules = {term.casefold(): topic for term, topic in source.topics.items()}
    many = given.split(",") if isinstance(given, str) else listed(given) or [given]
    terms = (plain(term).casefold() for one in many if isinstance(term := _scalar(one), str))
    return [rules.get(term, term) for term in terms if term]


def _found(item: Item, kind: KindReader, name: str, mapped: str) -> object:
    """Return what the item has at the configured path, or at the first usual one."""
    usual = (*(path.format(name) for path in kind.paths), *kind.more_paths.get(name, ()))
    values = (at(item.fields, *path.split(".")) for path in ((mapped,) if mapped else usual))
    return next((value for value in values if _scalar(value) is not None), None)


def _scalar(value: object) -> object:
    """Return the one value that WordPress wraps in a list of one, a choice or a rendered text.

    A field that was left empty is `false`, "" or [].
    """
    if many := listed(value):
        return _scalar(many[0])
    if choice := mapping(value):
        return next((choice[key] for key in ("value", "rendered", "slug") if key in choice), None)
    return None if value in ("", False, [], {}) else value
