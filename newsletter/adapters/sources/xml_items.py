"""RSS and Atom: each field of an item, from the element that means it."""

import base64
import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from newsletter.adapters.sources.dates import moment_of
from newsletter.adapters.sources.item_links import absolute, target
from newsletter.adapters.sources.items import Item
from newsletter.adapters.sources.xml_mending import etree, local, namespace

_ATOM = re.compile(r"(?i)http://www\.w3\.org/2005/atom|http://purl\.org/atom/ns#.*")
_PREFIXES = {
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://search.yahoo.com/mrss": "media",
}
_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_MARKUP = re.compile(r"(?:html|xhtml|text/html|application/xhtml\+xml)$")


def read_item(element: Any, *, publisher: str, base: str) -> Item:
    """Return the item; `base` is what its links are relative to."""
    fields = _fields(element)
    atom = bool(_ATOM.fullmatch(namespace(element)))
    link = _link(element, base)
    published = _first(fields, "pubdate", "published", "issued", "dc_date", "dcterms_issued")
    published = published or _first(fields, "dcterms_created", "created")
    updated = _first(fields, "updated", "modified", "dcterms_modified")
    summary = _markup(element, "summary" if atom else "description") or _markup(
        element, "dc_description", "itunes_summary"
    )
    content = _markup(element, "content_encoded", "content") or summary
    when, changed = moment_of(published), moment_of(updated)
    return Item(
        id=_first(fields, "guid", "id") or str(element.get(_RDF_ABOUT, "")) or link,
        title=_title(element),
        summary=summary if summary != content else "",
        content=content,
        published=when.isoformat() if when else published,
        changed=changed or when,
        publisher=publisher,
        link=link,
        fields={**fields, "link": link, "categories": list(_terms(element))},
    )


_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"


def title_of(channel: Any) -> str:
    found = _children(channel, "title")
    return _text(found[0]) if found else ""


def link_of(channel: Any, base: str) -> str:
    """Return what a feed's links are relative to: its base, or else its site."""
    outer = channel.getparent()
    based = _based(channel, _based(outer, "") if outer is not None else "")
    return absolute(based, base) if based else _link(channel, base) or base


def _name(element: Any, home: str) -> str:
    """Return `title` for the feed's own elements, `media_title` for others'."""
    space = namespace(element)
    if space == home:
        return local(element)
    known = _PREFIXES.get(space) or _PREFIXES.get(space.lower().rstrip("/"))
    prefix = known or element.prefix or ("atom" if _ATOM.fullmatch(space) else "")
    return f"{prefix}_{local(element)}" if prefix else local(element)


def _children(element: Any, *names: str) -> list[Any]:
    home = namespace(element)
    return [child for child in element if local(child) and _name(child, home) in names]


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _title(element: Any) -> str:
    """Return the title as markup: the text of one that is text, escaped."""
    for child in _children(element, "title", "dc_title"):
        inner = _inner(child)
        if inner.strip():
            return inner
    return ""


def _markup(element: Any, *names: str) -> str:
    return next((one for c in _children(element, *names) if (one := _inner(c).strip())), "")


def _inner(element: Any) -> str:
    """Return an element's content as markup: written as elements, escaped, or in base64."""
    kind, mode = str(element.get("type", "")).lower(), element.get("mode", "")
    if element.get("src"):
        return ""  # Atom: it is somewhere else
    if len(element):
        start = html.escape(element.text or "", quote=False)
        parts = (etree.tostring(c, encoding="unicode", method="html") for c in element)
        return _without_namespaces(start + "".join(parts))
    text = str(element.text or "")
    if mode == "base64" or (kind and "/" in kind and not _is_text(kind)):
        return _from_base64(text)
    return text


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind.endswith(("+xml", "/xml")) or bool(_MARKUP.match(kind))


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except ValueError:
        return ""


def _without_namespaces(markup: str) -> str:
    return re.sub(r"(</?)[\w.-]+:(?=\w)|\sxmlns(?::[\w.-]+)?=\"[^\"]*\"", r"\1", markup)


def _link(element: Any, base: str) -> str:
    """Return where an item or a feed can be read, absolute where that can be known."""
    base = _based(element, base)
    origin = _children(element, "feedburner_origlink")
    links = [*origin, *_children(element, "link"), *_children(element, "atom_link")]
    for link in links:
        given = (link.get("href") or _text(link)).strip()
        if given and (link.get("rel", "alternate") == "alternate" or not link.get("href")):
            return target(absolute(given, _based(link, base)))
    ids = [g for g in _children(element, "guid") if g.get("isPermaLink", "true") != "false"]
    return next((t for g in ids if re.match("https?://", t := _text(g))), "")


def _based(element: Any, base: str) -> str:
    return absolute(str(element.get(_BASE, "")), base) or base


def _terms(element: Any) -> Iterator[str]:
    for one in _children(element, "category", "dc_subject"):
        yield one.get("term") or _text(one) or one.get("label") or ""


def _fields(element: Any) -> dict[str, object]:
    """Return all that an item contains, by name; what stands there twice is a list."""
    home, found = namespace(element), dict[str, object]()
    for child in element:
        if not local(child):
            continue
        name, value = _name(child, home), _value(child)
        if name in found and found[name] != value:
            before = found[name]
            value = [*before, value] if isinstance(before, list) else [before, value]  # pyright: ignore[reportUnknownVariableType]  # our own list
        found[name] = value
    found.setdefault("author", found.get("dc_creator"))
    return found


def _value(element: Any) -> object:
    text = str(element.text or "").strip()
    parts = {local(child): _text(child) for child in element if local(child)}
    marks = {str(etree.QName(key).localname): value for key, value in element.attrib.items()}
    if local(element) == "source" and text:
        parts["title"] = text
    said = {"value": text or parts.get("name")} if text or parts.get("name") else {}
    return {**marks, **parts, **said} if parts or marks else text


def _first(fields: Mapping[str, object], *names: str) -> str:
    for name in names:
        value = fields.get(name)
        value = value[0] if isinstance(value, list) and value else value  # pyright: ignore[reportUnknownVariableType]  # our own list
        value = value.get("value") if isinstance(value, dict) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # our own
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return ""
