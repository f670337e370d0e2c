"""What major mail programs do not show of a letter, by caniemail's data.

`python -m tests.rendering.client_support caniemail.json` reduces a new edition of that data to what
is kept in `caniemail/support.json`; see `caniemail/VENDORED.md`.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import lxml.html
import tinycss2

FOLDER = Path(__file__).parent / "caniemail"
SUPPORT, BASELINE = FOLDER / "support.json", FOLDER / "baseline.json"
_MAJOR = {"apple-mail", "gmail", "outlook", "samsung-email", "yahoo"}

#: Slug of a feature → what it is called, and the major programs that do not support it.
Support = dict[str, tuple[str, list[str]]]
#: Slug of a feature → where a letter uses it first.
Uses = dict[str, str]

_css = cast("Any", tinycss2)
_parse = cast("Any", lxml.html).document_fromstring
_UNITS = re.compile(r"\d(ch|cm|em|ex|in|mm|pc|pt|px|rem|vh|vmax|vmin|vw|%)(?![a-z])")
_FUNCTIONS = re.compile(r"([a-z-]+)\(")
_ALSO: dict[str, str] = {
    **dict.fromkeys(("left", "right", "top", "bottom"), "left-right-top-bottom"),
    **dict.fromkeys(("row-gap", "column-gap", "grid-gap"), "gap"),
    **dict.fromkeys(("rgb", "rgba"), "rgb"),
    "calc": "unit-calc",
    "inline-flex": "display-flex",
    "inline-grid": "display-grid",
    "var": "variables",
}
_COMBINATORS = {
    ">": "child",
    "+": "adjacent-sibling",
    "~": "general-sibling",
    "[": "attribute",
    "*": "universal",
}
_SEMANTIC = {"article", "aside", "footer", "header", "main", "nav", "section"}
_LISTS = {"dl", "li", "ol", "ul"}


def support() -> Support:
    """Return the kept data."""
    kept = json.loads(SUPPORT.read_text(encoding="utf-8"))
    return {slug: (title, lacking) for slug, (title, lacking) in kept.items()}


def gaps(html: str, known: Support) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each feature in a letter that a major program lacks: its slug, where, and which."""
    for slug, where in uses(html, known).items():
        if lacking := known[slug][1]:
            yield slug, where, lacking


def uses(html: str, known: Support) -> Uses:
    """Return the features that a letter uses, as far as there is data about them."""
    found: Uses = {}
    for slug, where in _uses(_parse(html)):
        if slug in known:
            found.setdefault(slug, where)
    return found


def _uses(tree: Any) -> Iterator[tuple[str, str]]:
    for tag in tree.iter():
        if not isinstance(tag.tag, str):
            continue
        place = f'<{tag.tag} class="{tag.get("class")}">' if tag.get("class") else f"<{tag.tag}>"
        yield from ((slug, place) for slug in _of_tag(tag))
        content = _css.parse_component_value_list(tag.get("style", ""))
        yield from ((slug, f"style of {place}") for slug in _of_block(content))
        if tag.tag == "style":
            yield from _of_sheet(tag.text or "")


def _of_tag(tag: Any) -> Iterator[str]:
    name = tag.tag
    yield f"html-{name}"
    yield from (["html-semantics"] if name in _SEMANTIC else [])
    yield from (["html-lists"] if name in _LISTS else [])
    yield from (["html-h1-h6"] if re.fullmatch(r"h[1-6]", name) else [])
    yield from (f"html-{attribute}" for attribute in tag.attrib)
    if name == "meta" and tag.get("name") == "color-scheme":
        yield "html-meta-color-scheme"
    if name == "a" and (link := tag.get("href", "")):
        kind = "mailto" if link.startswith("mailto:") else "anchor" if link[0] == "#" else ""
        yield f"html-{kind}-links"
    if name == "img":
        yield f"image-{tag.get('src', '').rpartition('.')[2].lower()}"


def _of_sheet(css: str) -> Iterator[tuple[str, str]]:
    for rule in _css.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        prelude = _css.serialize(rule.prelude).strip() if rule.type != "error" else ""
        if rule.type == "qualified-rule":
            slugs = (*_of_selector(prelude), *_of_block(rule.content))
            yield from ((slug, f"rule {prelude}") for slug in slugs)
        elif rule.type == "at-rule":
            at = f"@{rule.lower_at_keyword} {prelude}".strip()
            yield f"css-at-{rule.lower_at_keyword}", at
            for feature in re.findall(r"[a-z-]+", prelude):
                yield f"css-at-media-{feature}", at
            inner = _of_sheet(_css.serialize(rule.content or []))
            yield from ((slug, f"{at}, {where}") for slug, where in inner)


def _of_selector(selector: str) -> Iterator[str]:
    for colons, name in re.findall(r"(::?)([a-z-]+)", selector):
        yield f"css-pseudo-{'element' if colons == '::' else 'class'}-{name}"
    for sign, kind in _COMBINATORS.items():
        if sign in selector:
            yield f"css-selector-{kind}"


def _of_block(content: Any) -> Iterator[str]:
    for one in _css.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if one.type == "qualified-rule":
            yield "css-nesting"
        elif one.type == "declaration":
            value = _css.serialize(one.value).strip().lower()
            yield from _of_property(one.lower_name)
            yield from _of_value(one.lower_name, value)
            yield from (["css-important"] if one.important else [])


def _of_property(name: str) -> Iterator[str]:
    """Yield the property's own slug and those of the shorthands it belongs to."""
    yield f"css-{_ALSO.get(name, name)}"
    words = name.split("-")
    yield from (f"css-{'-'.join(words[:count])}" for count in range(1, len(words)) if words[0])


def _of_value(name: str, value: str) -> Iterator[str]:
    for word in value.split():
        yield f"css-{name}-{word}"
        yield f"css-{_ALSO.get(word, '')}"
    for unit in _UNITS.findall(value):
        yield f"css-unit-{'percent' if unit == '%' else unit}"
    for function in _FUNCTIONS.findall(value):
        yield f"css-function-{function}"
        yield f"css-{_ALSO.get(function, function)}"


def reduced(data: dict[str, Any]) -> Support:
    """Return what is kept of caniemail's data: the major programs that lack a feature by now."""
    names, kept = data["nicenames"], Support()
    for feature in data["data"]:
        lacking = [
            f"{names['family'][family]} ({names['platform'][platform]})"
            for family, platforms in feature["stats"].items()
            if family in _MAJOR
            for platform, versions in platforms.items()
            if list(versions.values())[-1].startswith("n")
        ]
        kept[feature["slug"]] = (feature["title"], sorted(lacking))
    return kept


if __name__ == "__main__":
    new = reduced(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    lines = (f"{json.dumps(slug)}: {json.dumps(new[slug])}" for slug in sorted(new))
    SUPPORT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
