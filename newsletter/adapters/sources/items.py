"""Items of polled sources, mapped field by field to briefs."""

import hashlib
import html
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import nh3

from newsletter.adapters.sources import brackets
from newsletter.adapters.sources.cleaning import heading, paragraphs, plain, text_of, visible
from newsletter.adapters.sources.fetching import Document
from newsletter.adapters.sources.fields import brief_of
from newsletter.adapters.sources.item_links import absolute
from newsletter.adapters.sources.prose_html import prose_html
from newsletter.adapters.values import at, listed, mapping, moment
from newsletter.core.boilerplate import boilerplate_in, is_cut, prose
from newsletter.core.brief import Brief, Doubt
from newsletter.core.publication import Newsletter
from newsletter.core.source import PolledSource
from newsletter.errors import InvalidBrief

CUT_SHORT = "it is cut short"  #: why the last item of a document is refused
#: Fields without a usual place: a feed may have several pictures, and of the author too.
_ONLY_CONFIGURED = ("picture", "picture_alt")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:/?=~@%#+-]{1,100}")
_ESCAPED_TWICE = re.compile(r"&lt;(?:/(?:p|a|b|i|em|strong|div|span|li)|br ?/?)&gt;")
#: The tags of an item's HTML that are read: text in blocks, no figures or tables.
_TAGS = "a b blockquote br code div em h1 h2 h3 h4 h5 h6 i li ol p section strong ul"
_DROPPED = "figure iframe noscript script style svg table template"
_PROSE = nh3.Cleaner(
    tags=frozenset(_TAGS.split()),
    attributes={"a": {"href"}},
    clean_content_tags=frozenset(_DROPPED.split()),
    link_rel=None,
)


PROTECTED = "it is protected by a password"
_NO_EXCERPT = "There is no excerpt because this is a protected post."
#: What a link that is an object (ACF: title, url, target) says of each of these.
_LINK_PARTS = {"source_url": ("url", "href"), "source": ("title",)}


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item, in whatever format it was published."""

    id: str  #: stable within its source
    title: str  #: may hold markup
    summary: str = ""  #: HTML
    content: str = ""  #: HTML
    published: str = ""  #: ISO 8601; anything else is a doubt, for a person to mend
    changed: datetime | None = None  #: aware; when it was last changed, or else published
    publisher: str = ""  #: the feed's own title
    withheld: str = ""  #: why its site does not show it to everybody
    link: str = ""  #: where it can be read; what its other links are relative to
    broken: str = ""  #: why it is refused, where it cannot be read at all
    fields: Mapping[str, object] = field(default_factory=dict[str, object])  #: all it contains


Get = Callable[[str], Document]  #: fetches an address within the limits of the whole reading
#: Returns which of these ids its site still shows, asked one by one.
StillShown = Callable[[str, Sequence[str], Get], Collection[str]]


@dataclass(frozen=True, kw_only=True)
class KindReader:
    """How a kind of source is fetched and read, and where its items have a newsletter's fields."""

    address: Callable[[PolledSource, datetime], str]  #: of the first document; when last read
    items: Callable[[Document, str, Get], Iterable[Item]]  #: of the document at this address
    paths: tuple[str, ...]  #: of every field, tried in this order; {} is the field's name
    more_paths: Mapping[str, tuple[str, ...]]  #: of one field, tried after these
    still_shown: StillShown | None = None  #: None: the document's own items are all there is


def brief_from(item: Item, kind: KindReader, newsletter: Newsletter, source: PolledSource) -> Brief:
    """Return the brief an item makes in this newsletter; InvalidBrief says what is wrong."""
    if fault := item.broken or item.withheld or _withheld(item):
        raise InvalidBrief("item", fault)
    if not item.id:
        raise InvalidBrief("item", "it has neither an id nor a link to identify it by")
    defaults = source.defaults

    def found(name: str) -> object:
        return _found(item, kind, name, getattr(source.fields, name))

    def value(name: str) -> object:
        given = _scalar(found(name), *_LINK_PARTS.get(name, ()))
        return plain(given) if isinstance(given, str) and name != "source_url" else given

    summary, body = _summary_and_body(item, value("summary"))
    title, doubts = _titled(item, summary)
    published, undated = moment(item.published), _is_undated(item)
    if not published and not undated:
        reason = f"Its date cannot be read as one date only: “{visible(item.published)[:60]}”."
        doubts = (*doubts, Doubt(field="published", reason=reason))
    given: dict[str, object] = {
        "id": item_key(newsletter, source, item.id),
        "title": title,
        "pillar": newsletter.pillar,
        "summary": summary,
        "body": body,
        "published": item.published if published else None,
        "topics": _topics(found("topics"), source) or list(defaults.topics),
        "why": value("why"),
        "source": value("source") or defaults.source or heading(item.publisher),
        "source_url": _address(value("source_url"), item),
        "verification": value("verification") or defaults.verification.value,
        "importance": value("importance") or defaults.importance.value,
        "minutes": value("minutes") or defaults.minutes,
        **{name: value(name) for name in _ONLY_CONFIGURED if getattr(source.fields, name)},
    }
    brief = brief_of(given, lambda _: "item", clean=visible)
    return replace(brief, doubts=doubts, undated=undated)


def _is_undated(item: Item) -> bool:
    """Return whether it gives no date of its own: when it was last changed is none."""
    return not item.published.strip()


def _titled(item: Item, summary: object) -> tuple[str, tuple[Doubt, ...]]:
    """Return the title; where there is none, words to know the item by, and a doubt."""
    if title := heading(item.title):
        return title, ()
    if not (words := str(summary or "").strip()):
        raise InvalidBrief("item", "title is missing, and so is its text")
    doubt = Doubt(field="title", reason="Its source gives it no title; write one.")
    return f"Untitled: {words[:60]}", (doubt,)


def _address(given: object, item: Item) -> object:
    return absolute(given, item.link) if isinstance(given, str) else given


def _withheld(item: Item) -> str:
    """Return why a feed's item is withheld: WordPress prints a form in place of its text."""
    form = "post-password-form" in item.content
    return PROTECTED if form or _NO_EXCERPT in (item.summary or item.content) else ""


def is_shown(item: Item) -> bool:
    return not (item.withheld or _withheld(item))


def item_key(newsletter: Newsletter, source: PolledSource, item_id: str) -> str:
    """Return the key of the brief that the item of this id makes."""
    return f"{newsletter.slug}/{source.slug}/{_short(item_id)}"


def _short(item_id: str) -> str:
    """Return the id if a key can hold it, else a digest of it."""
    plainly = _PLAIN_ID.fullmatch(item_id)
    return item_id if plainly else hashlib.sha256(item_id.encode()).hexdigest()


def _summary_and_body(item: Item, given: object) -> tuple[object, list[str]]:
    """Return summary and body; without a summary the first paragraph is one."""
    body = _prose(item.content)
    if given:
        return given, body
    parts = [text_of(part) for part in _prose(item.summary)]
    summary = " ".join(filter(None, map(prose, parts))) or " ".join(parts)
    if body and (summary in ("", text_of(body[0])) or _is_no_summary(summary, body)):
        return text_of(body[0]), body[1:]
    return summary, body


def _is_no_summary(summary: str, body: Sequence[str]) -> bool:
    return bool(is_cut(summary) or boilerplate_in(summary) or _runs_on(summary, body))


def _runs_on(summary: str, body: Sequence[str]) -> bool:
    """Return whether a summary is the text itself: WordPress makes one of its first 55 words."""
    first, *others = (text_of(part) for part in body)
    rest = summary.removeprefix(first).strip()
    return rest != summary and any(other and rest.startswith(other) for other in others)


def _prose(markup: str) -> list[str]:
    """Return an item's paragraphs without its publisher's boilerplate; the first, if all are."""
    if "<" not in markup and _ESCAPED_TWICE.search(markup):
        markup = html.unescape(markup)
    known = brackets.escaped(prose_html(markup), open_blocks=True)
    found = list(paragraphs(_PROSE.clean(known)))
    return [one for part in found if (one := prose(part))] or found[:1]


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


def _scalar(value: object, *parts: str) -> object:
    """Return the one value that WordPress wraps in a list of one, a choice or a rendered text.

    `parts` names what is wanted of a link. A field that was left empty is `false`, "" or [].
    """
    if many := listed(value):
        return _scalar(many[0], *parts)
    if choice := mapping(value):
        wanted = (*parts, "value", "rendered", "slug", "title")
        return next((choice[key] for key in wanted if choice.get(key)), None)
    return None if value in ("", False, [], {}) else value
