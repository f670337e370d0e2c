"""Items: what a polled source gives, mapped field by field to briefs."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import nh3

from newsletter.adapters.sources.cleaning import paragraphs, plain, text_of
from newsletter.adapters.sources.fields import brief_of
from newsletter.adapters.sources.values import at, listed, mapping
from newsletter.core.brief import Brief
from newsletter.core.publication import Newsletter
from newsletter.core.source import PolledSource, SourceKind

_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:/?=~@%#+-]{1,100}")
#: Where each kind says what only a newsletter asks, tried in this order; {} is the field's name.
_USUAL = {
    SourceKind.WORDPRESS: ("acf.{}", "meta.{}"),
    SourceKind.FEED: ("brief_{}", "_brief.{}"),  # <brief:minutes>, "_brief": {"minutes": …}
}
#: Where it may stand besides. A post of the hub is not its own source; an item of a feed is.
_BESIDES = {
    (SourceKind.WORDPRESS, "topics"): ("categories",),
    (SourceKind.FEED, "topics"): ("categories",),
    (SourceKind.FEED, "source"): ("source.title",),
    (SourceKind.FEED, "source_url"): ("external_url", "link"),
}
#: What is read of an item's HTML: its text in blocks. Figures and tables are no prose.
_KEPT = "a b blockquote br code div em h1 h2 h3 h4 h5 h6 i li ol p section strong ul"
_DROPPED = "figure iframe noscript script style svg table template"
_PROSE = nh3.Cleaner(
    tags=frozenset(_KEPT.split()),
    attributes={"a": {"href"}},
    clean_content_tags=frozenset(_DROPPED.split()),
    link_rel=None,
)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item, whichever format it came in."""

    id: str  #: stable within its source
    title: str  #: may hold markup
    summary: str = ""  #: HTML
    content: str = ""  #: HTML
    published: str = ""  #: ISO 8601; what is no date is kept as it is, to be refused by name
    changed: datetime | None = None  #: aware; when it was last changed, or else published
    publisher: str = ""  #: the feed's own title
    said: Mapping[str, object] = field(default_factory=dict[str, object])  #: all it says


def brief_from(item: Item, newsletter: Newsletter, source: PolledSource, place: str) -> Brief:
    """Return the brief an item makes in this newsletter; InvalidBrief says what is wrong."""
    summary, body = _told(item, _value(item, source, "summary"))
    defaults = source.defaults
    given: dict[str, object] = {
        "id": f"{newsletter.slug}/{source.slug}/{_short(item.id)}",
        "title": item.title,
        "pillar": newsletter.pillar,
        "summary": summary,
        "body": body,
        "published": item.published,
        "topics": _topics(item, source) or list(defaults.topics),
        "why": _value(item, source, "why"),
        "source": _value(item, source, "source") or defaults.source or item.publisher,
        "source_url": _value(item, source, "source_url"),
        "verification": _value(item, source, "verification") or defaults.verification.value,
        "importance": _value(item, source, "importance") or defaults.importance.value,
        "minutes": _value(item, source, "minutes") or defaults.minutes,
    }
    return brief_of(given, lambda _: place)


def _short(item_id: str) -> str:
    """Return the id as it stands if a key can hold it, else a digest of it."""
    plainly = _PLAIN_ID.fullmatch(item_id)
    return item_id if plainly else hashlib.sha256(item_id.encode()).hexdigest()


def _told(item: Item, given: object) -> tuple[object, list[str]]:
    """Return summary and body; an item without a summary is summed up by its first paragraph."""
    body = _prose(item.content)
    if given:
        return given, body
    summary = " ".join(text_of(part) for part in _prose(item.summary))
    if body and summary in ("", text_of(body[0])):
        return text_of(body[0]), body[1:]
    return summary, body


def _prose(markup: str) -> list[str]:
    return list(paragraphs(_PROSE.clean(markup)))


def _topics(item: Item, source: PolledSource) -> list[str]:
    """Return our topics for the item's terms; a term without a rule may be a topic's own slug."""
    rules = {term.casefold(): topic for term, topic in source.topics.items()}
    given = _found(item, source, "topics")
    many = given.split(",") if isinstance(given, str) else listed(given) or [given]
    terms = (plain(term).casefold() for one in many if isinstance(term := _scalar(one), str))
    return [rules.get(term, term) for term in terms if term]


def _value(item: Item, source: PolledSource, name: str) -> object:
    """Return what the item says in a field of one value; None if it says nothing."""
    return _scalar(_found(item, source, name))


def _found(item: Item, source: PolledSource, name: str) -> object:
    kind, mapped = source.kind, getattr(source.fields, name)
    usual = (*(path.format(name) for path in _USUAL[kind]), *_BESIDES.get((kind, name), ()))
    values = (at(item.said, *path.split(".")) for path in ((mapped,) if mapped else usual))
    return next((value for value in values if _scalar(value) is not None), None)


def _scalar(value: object) -> object:
    """Return the one value in what WordPress wraps: a list of one, a choice, a rendered text.

    Of a field that was left empty its forms say `false`, "" or [].
    """
    if many := listed(value):
        return _scalar(many[0])
    if choice := mapping(value):
        return next((choice[key] for key in ("value", "rendered", "slug") if key in choice), None)
    return None if value in ("", False, [], {}) else value
