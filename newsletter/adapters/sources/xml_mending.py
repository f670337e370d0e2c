"""A feed's XML as its elements: mended where that is safe, a broken item left out alone."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import lxml.etree as _lxml  # pyright: ignore[reportMissingTypeStubs]  # C, no types

from newsletter.adapters.sources.fetching import FetchFailed
from newsletter.adapters.sources.items import CUT_SHORT

etree = cast("Any", _lxml)

_ROOT = re.compile(
    r"(?i)<((?:[\w.-]+:)?(?:rss|feed|rdf))(?=[\s>])(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>"
)
_ITEM = re.compile(
    r"(?is)<!\[CDATA\[(?:(?!<!\[CDATA\[).)*?\]\]>|<!--(?:(?!<!--).)*?-->|<(?P<name>(?:[\w.-]+:)?(?:item|entry))(?=[\s>])"
)
#: What is not XML: an entity of HTML, a raw &, a < that opens nothing. Not in CDATA or comments.
_LOOSE = re.compile(
    r"(?s)<!\[CDATA\[(?:(?!<!\[CDATA\[).)*?\]\]>|<!--(?:(?!<!--).)*?-->|&#?(?P<entity>\w{1,32});|(?P<and>&)|(?P<less><)(?![\w/!?])"
)
_OWN = frozenset(("lt", "gt", "amp", "quot", "apos"))
_NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PREFIX = re.compile(r"<([A-Za-z_][\w.-]*):|\s([A-Za-z_][\w.-]*):[\w.-]+\s*=\s*[\"']")
_DECLARED = re.compile(r"xmlns:([\w.-]+)\s*=")
_KNOWN = {  #: prefixes that mean the same wherever they are forgotten
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
    "atom": "http://www.w3.org/2005/Atom",
}
_FIRST_PLACE = 20_000  #: characters of junk before the feed, such as a server's own warnings


@dataclass(frozen=True, kw_only=True)
class BrokenItem:
    """An item that is not XML, with what it can be known by."""

    text: str  #: as it stands in the document
    reason: str


@dataclass(frozen=True, kw_only=True)
class FeedDocument:
    """The elements of a feed."""

    root: Any  #: of the document without the items, where it is broken
    items: tuple[Any, ...]  #: elements in their order, or a BrokenItem
    whole: bool  #: nothing is missing at its end


def parsed(text: str) -> FeedDocument:
    """Return the feed's elements; FetchFailed if it is no feed, or nothing of it can be read."""
    opening = _ROOT.search(text[:_FIRST_PLACE])
    if not opening:
        raise FetchFailed("it is XML, but neither RSS nor Atom")
    if "<!ENTITY" in text[: opening.start()]:
        raise FetchFailed("it declares entities of its own, which no feed needs")
    ending = f"</{opening[1]}>"
    last = text.lower().rfind(ending.lower())
    whole = last > 0
    body = text[opening.end() : last if whole else len(text)]
    head = _with_prefixes(opening[0], body)
    try:
        root = _element(f"{head}{_mended(body)}{ending}" if whole else "")
    except ValueError:
        return _in_parts(head, body, ending, whole=whole)
    return FeedDocument(root=root, items=tuple(_items(root)), whole=True)


def _items(root: Any) -> Iterator[Any]:
    """Yield the items of a channel, of a feed, or beside the channel (RSS 1.0)."""
    for parent in (root, *(child for child in root if local(child) == "channel")):
        yield from (child for child in parent if local(child) in ("item", "entry"))


def _in_parts(head: str, body: str, ending: str, *, whole: bool) -> FeedDocument:
    """Read each item by itself, so that a broken one harms no other."""
    starts = [found for found in _ITEM.finditer(body) if found["name"]]
    if not starts:
        raise FetchFailed("it is not well-formed XML, and has no item that is")
    ends = [found.start() for found in starts[1:]] + [len(body)]
    items = tuple(
        _item(head, body[start.start() : end], start["name"], ending)
        for start, end in zip(starts, ends, strict=True)
    )
    if all(isinstance(one, BrokenItem) for one in items):
        raise FetchFailed("it is not well-formed XML, nor is any of its items")
    return FeedDocument(
        root=_frame(head, body[: starts[0].start()], ending), items=items, whole=whole
    )


def _item(head: str, text: str, name: str, ending: str) -> Any:
    closing = text.lower().rfind(f"</{name}>".lower())
    if closing < 0:
        return BrokenItem(text=text, reason=CUT_SHORT)
    one = text[: closing + len(name) + 3]
    try:
        return _element(f"{head}{_mended(one)}{ending}")[0]
    except ValueError as error:
        return BrokenItem(text=one, reason=f"it is not well-formed XML: {error}")


def _frame(head: str, before: str, ending: str) -> Any:
    """Return what is said of the feed before its first item, however its elements end."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    return etree.fromstring(f"{head}{_mended(before)}{ending}".encode(), parser)


def _element(text: str) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        said = str(error.msg or "it is empty").partition(", line")[0]
        raise ValueError(said) from None


def _mended(text: str) -> str:
    return _LOOSE.sub(_mended_one, _NO_CHARACTER.sub("", text))


def _mended_one(found: re.Match[str]) -> str:
    """Write what only HTML knows as XML does."""
    if found["less"]:
        return "&lt;"
    if found["and"]:
        return "&amp;"
    name = found["entity"]
    if not name or name in _OWN:
        return found[0]
    read = html.unescape(found[0])
    if read == found[0] or _NO_CHARACTER.search(read) or "\N{REPLACEMENT CHARACTER}" in read:
        return "" if found[0].startswith("&#") else f"&amp;{found[0][1:]}"
    return html.escape(read)


def _with_prefixes(opening: str, body: str) -> str:
    """Return the root's start tag with the namespaces that were forgotten."""
    used = {first or second for first, second in _PREFIX.findall(opening + body)}
    declared = set(_DECLARED.findall(opening + body)) | {"xml", "xmlns"}
    missing = (
        f' xmlns:{p}="{_KNOWN.get(p, f"urn:undeclared:{p}")}"' for p in sorted(used - declared)
    )
    return f"{opening[:-1].rstrip('/')}{''.join(missing)}>"


def local(element: Any) -> str:
    """Return an element's name without its namespace, in small letters."""
    return str(etree.QName(element).localname).lower() if isinstance(element.tag, str) else ""


def namespace(element: Any) -> str:
    return str(etree.QName(element).namespace or "")
