"""Feeds: the items of an RSS, Atom or JSON Feed document."""

import codecs
import html
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import feedparser

from newsletter.adapters.sources.fetching import Document, FetchFailed, loaded_json
from newsletter.adapters.sources.items import Get, Item, KindReader
from newsletter.adapters.values import at, listed, mapping, moment, text_at

_parse = cast("Any", feedparser).parse

_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DECLARED = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
#: The encodings that are read. Others, such as UTF-7, only serve to hide markup.
_ENCODINGS = re.compile(
    r"ascii|utf-8(-sig)?|utf-16|iso8859-\d+|cp125\d|gb2312|gbk|shift_jis|euc_.+"
)
_WEB_PAGE = re.compile(r"(?i)\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.DOTALL)


def read_feed(document: Document, _address: str, _get: Get) -> Iterator[Item]:
    """Return every item, valid or not; FetchFailed if the document is no feed, or broken."""
    text = _text(document)
    if text.lstrip().startswith("{"):
        return _json_items(text)
    if _WEB_PAGE.match(text):
        raise FetchFailed("it is a web page, not a feed")
    if not text.lstrip().startswith("<"):
        raise FetchFailed(f"it is neither RSS, Atom nor JSON Feed but {document.media_type:.60}")
    return _xml_items(text)


def _text(document: Document) -> str:
    """Return the document's text. Byte order mark, charset, declaration: RFC 7303, section 3."""
    body = document.body
    marked = next((name for bom, name in _BOMS.items() if body.startswith(bom)), "")
    declared = _DECLARED.match(body.lstrip()[:200])
    named = marked or document.charset or (declared[1].decode() if declared else "utf-8")
    try:
        encoding = codecs.lookup(named).name
        if not _ENCODINGS.fullmatch(encoding):
            raise FetchFailed(f"it is in an encoding that is not read: {named:.40}")
        return body.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        raise FetchFailed(f"it is not text in {named:.40}") from None


def _xml_items(text: str) -> Iterator[Item]:
    """Parse strictly: a document that is cut short or not well-formed is refused."""
    if "<!ENTITY" in text:
        raise FetchFailed("it declares entities of its own, which no feed needs")
    whole = '<?xml version="1.0" encoding="utf-8"?>' + _DECLARATION.sub("", text, count=1)
    # A stream: feedparser tries a text or bytes as an address and as a file's name.
    feed = _parse(
        io.BytesIO(whole.encode("utf-8", "replace")),
        response_headers={"content-type": "application/xml; charset=utf-8"},
    )
    error = feed.get("bozo_exception")
    if feed.bozo and hasattr(error, "getLineNumber"):
        raise FetchFailed(f"it is not well-formed XML, line {error.getLineNumber()}")
    if not feed.version:
        raise FetchFailed("it is XML, but neither RSS nor Atom")
    publisher = text_at(feed.feed, "title")
    return (_xml_item(dict(entry), publisher) for entry in feed.entries)


def _xml_item(entry: dict[str, Any], publisher: str) -> Item:
    contents = [content.get("value", "") for content in entry.get("content", ())]
    summary = text_at(entry, "summary")
    content = contents[0] if contents else summary
    published = _stamp(entry, "published") or _stamp(entry, "updated")
    terms = [tag.get("term") or tag.get("label") or "" for tag in entry.get("tags", ())]
    return Item(
        id=text_at(entry, "id") or text_at(entry, "link"),
        title=text_at(entry, "title"),
        summary=summary if summary != content else "",  # the parser repeats a missing one
        content=content,
        published=published,
        changed=moment(_stamp(entry, "updated")) or moment(published),
        publisher=publisher,
        fields={**entry, "categories": terms},
    )


def _stamp(entry: Mapping[str, Any], name: str) -> str:
    """Return a date as ISO 8601, or as it is written if it cannot be read."""
    try:
        return datetime(*entry[f"{name}_parsed"][:6], tzinfo=UTC).isoformat()
    except (KeyError, TypeError, ValueError):  # not there, not read, or a leap second
        return text_at(entry, name)


def _json_items(text: str) -> Iterator[Item]:
    feed = loaded_json(text)
    if not text_at(feed, "version").startswith("https://jsonfeed.org/version/"):
        raise FetchFailed("it is JSON, but no JSON Feed")
    if not isinstance(at(feed, "items"), list):
        raise FetchFailed("it is a JSON Feed without items")
    publisher = text_at(feed, "title")
    return (_json_item(mapping(item), publisher) for item in listed(at(feed, "items")))


def _json_item(item: Mapping[str, object], publisher: str) -> Item:
    content = text_at(item, "content_html") or _paragraphed(text_at(item, "content_text"))
    published = text_at(item, "date_published") or text_at(item, "date_modified")
    return Item(
        id=text_at(item, "id") or text_at(item, "url"),
        title=text_at(item, "title"),
        summary=html.escape(text_at(item, "summary"), quote=False),
        content=content,
        published=published,
        changed=moment(text_at(item, "date_modified")) or moment(published),
        publisher=publisher,
        fields={**item, "categories": item.get("tags"), "link": item.get("url")},
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
