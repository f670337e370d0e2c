"""Feeds: the items of an RSS, Atom or JSON Feed document."""

import html
import re
from collections.abc import Iterator, Mapping

from newsletter.adapters.sources.charsets import decoded
from newsletter.adapters.sources.dates import moment_of
from newsletter.adapters.sources.fetching import Document, FetchFailed, loaded_json
from newsletter.adapters.sources.item_links import absolute
from newsletter.adapters.sources.items import CUT_SHORT, Get, Item, KindReader
from newsletter.adapters.sources.xml_items import link_of, read_item, title_of
from newsletter.adapters.sources.xml_mending import BrokenItem, local, parsed
from newsletter.adapters.values import at, listed, mapping, text_at

_WEB_PAGE = re.compile(r"(?i)\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.DOTALL)
_JSON_FEED = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/.*")
_UNREAD = "\N{REPLACEMENT CHARACTER}"


def read_feed(document: Document, address: str, _get: Get) -> Iterator[Item]:
    """Return every item, valid or not; FetchFailed if the document is no feed."""
    text = decoded(document).lstrip("\ufeff")
    if text.lstrip().startswith("{"):
        return _json_items(text, address)
    if _WEB_PAGE.match(text):
        raise FetchFailed("it is a web page, not a feed")
    if "<" not in text:
        raise FetchFailed(f"it is neither RSS, Atom nor JSON Feed but {document.media_type:.60}")
    return _xml_items(text, address)


def _xml_items(text: str, address: str) -> Iterator[Item]:
    feed = parsed(text)
    channel = next((child for child in feed.root if local(child) == "channel"), feed.root)
    publisher, base = title_of(channel), link_of(channel, address)
    for one in feed.items:
        if isinstance(one, BrokenItem):
            yield _broken(one.text, one.reason)
        else:
            item = read_item(one, publisher=publisher, base=base)
            yield _legible(item)
    if not feed.whole and not isinstance(feed.items[-1], BrokenItem):
        yield Item(id="", title="", broken=CUT_SHORT)


def _legible(item: Item) -> Item:
    """Return the item; broken if it has a byte that is no character."""
    if _UNREAD in f"{item.title}{item.summary}{item.content}{item.id}":
        reason = "it has a byte that is no character in the encoding of the feed"
        return Item(id=item.id, title=item.title, link=item.link, broken=reason)
    return item


def _broken(text: str, reason: str) -> Item:
    """Return an item that cannot be read, with the title and the link it can be known by."""

    def inside(name: str) -> str:
        found = re.search(rf"(?is)<{name}\b[^>]*>(.{{0,300}}?)</", text)
        return re.sub(r"<!\[CDATA\[|\]\]>", "", found[1]).strip() if found else ""

    return Item(id=inside("guid"), title=inside("title"), link=inside("link"), broken=reason)


def _json_items(text: str, address: str) -> Iterator[Item]:
    feed = loaded_json(text)
    if not _JSON_FEED.fullmatch(text_at(feed, "version")):
        raise FetchFailed("it is JSON, but no JSON Feed")
    if not isinstance(at(feed, "items"), list):
        raise FetchFailed("it is a JSON Feed without items")
    publisher = text_at(feed, "title")
    base = absolute(text_at(feed, "home_page_url"), address) or address
    return (_json_item(mapping(item), publisher, base) for item in listed(at(feed, "items")))


def _json_item(item: Mapping[str, object], publisher: str, base: str) -> Item:
    content = text_at(item, "content_html") or _paragraphed(text_at(item, "content_text"))
    published = moment_of(text_at(item, "date_published"))
    link = absolute(text_at(item, "url"), base)
    return Item(
        id=text_at(item, "id") or text_at(item, "url"),
        title=html.escape(text_at(item, "title"), quote=False),
        summary=html.escape(text_at(item, "summary"), quote=False),
        content=content,
        published=published.isoformat() if published else text_at(item, "date_published"),
        changed=moment_of(text_at(item, "date_modified")) or published,
        publisher=html.escape(publisher, quote=False),
        link=link,
        fields={**item, "categories": item.get("tags"), "link": link},
    )


def _paragraphed(text: str) -> str:
    parts = re.split(r"\n\s*\n", html.escape(text, quote=False))
    return "".join(f"<p>{part}</p>" for part in parts if part.strip())


#: An item of a feed is its own source, unlike a post of the hub.
FEED = KindReader(
    address=lambda source, _since: source.url,
    items=read_feed,
    paths=("brief_{}", "_brief.{}"),  # <brief:minutes>, "_brief": {"minutes": …}
    more_paths={
        "topics": ("categories",),
        "source": ("source.title",),
        "source_url": ("external_url", "link"),
    },
)
