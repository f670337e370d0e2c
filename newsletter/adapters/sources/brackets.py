"""What stands in angle brackets: markup that is taken out, or text such as `Vec<T>` that stays."""

import re

_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z][^\s<>/=\"'`,;()*&]*)"
    r"(?P<rest>(?:\s[^<>]*|/?))>"
)
_ATTRIBUTE = re.compile(r"[A-Za-z_:@][\w:.@-]*\s*=\s*[\"'\w#/.]")
_VOID = frozenset(["br", "hr", "wbr"])
#: Elements that are nothing without attributes; bare, they are spoken of.
_EMPTY = frozenset(
    [
        "a",
        "area",
        "base",
        "col",
        "embed",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
    ]
)
_MAY_STAY_OPEN = frozenset(["p", "li", "dt", "dd", "td", "th", "tr", "tbody", "thead", "tfoot"])
_PAIRED = frozenset(
    [
        "abbr",
        "acronym",
        "address",
        "applet",
        "article",
        "aside",
        "audio",
        "b",
        "bdi",
        "bdo",
        "big",
        "blink",
        "blockquote",
        "body",
        "button",
        "canvas",
        "caption",
        "center",
        "cite",
        "code",
        "colgroup",
        "data",
        "datalist",
        "del",
        "details",
        "dfn",
        "dialog",
        "dir",
        "div",
        "dl",
        "em",
        "fieldset",
        "figcaption",
        "figure",
        "font",
        "footer",
        "form",
        "frame",
        "frameset",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hgroup",
        "html",
        "i",
        "iframe",
        "ins",
        "kbd",
        "label",
        "legend",
        "main",
        "map",
        "mark",
        "marquee",
        "math",
        "menu",
        "meter",
        "nav",
        "noscript",
        "object",
        "ol",
        "optgroup",
        "option",
        "output",
        "picture",
        "pre",
        "progress",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "script",
        "search",
        "section",
        "select",
        "slot",
        "small",
        "span",
        "strike",
        "strong",
        "style",
        "sub",
        "summary",
        "sup",
        "svg",
        "table",
        "template",
        "textarea",
        "time",
        "title",
        "tt",
        "u",
        "ul",
        "var",
        "video",
    ]
)
_PREFIXED = re.compile(r"(?i)(?:o|v|w|m|x|st1|fb|g|amp|ac|ri):[a-z][\w-]*")  # word processors, CMSs
_BRACKET = re.compile(rf"(?s)<!--(?!\[\[|\]\])(?:(?!<!--|-->).)*-->|{_TAG.pattern}|<")


def escaped(text: str, *, open_blocks: bool = False) -> str:
    """Return the markup with each `<` that begins no markup escaped.

    Markup is an HTML element that is closed, has attributes or is never closed (`<br>`), and an
    unknown one with attributes. `<T>`, `<linux/old.h>` and a lone `<canvas>` are text. In HTML
    (`open_blocks`) a paragraph or list item may stay open; in a line it may not.
    """
    known = _elements(text, open_blocks=open_blocks)
    return _BRACKET.sub(lambda found: _kept(found, known) or f"&lt;{found[0][1:]}", text)


def stripped(text: str) -> str:
    """Return the text without markup; nothing is unescaped."""
    known = _elements(text, open_blocks=False)
    return _BRACKET.sub(lambda found: "" if _kept(found, known) else found[0], text)


def _kept(found: re.Match[str], elements: frozenset[str]) -> str:
    """Return what was found if it is a tag of one of these elements, or a comment; else nothing."""
    if found["name"] is None:
        return found[0] if found[0].startswith("<!--") else ""
    name = _name(found)
    bare = not (found["close"] or _ATTRIBUTE.search(found["rest"]))
    return found[0] if name in elements and not (bare and name in _EMPTY) else ""


def _elements(text: str, *, open_blocks: bool) -> frozenset[str]:
    """Return the names of the elements that are markup in this text."""
    tags = list(_TAG.finditer(text))
    opened = {_name(tag) for tag in tags if not tag["close"]}
    closed = {_name(tag) for tag in tags if tag["close"]}
    marked = {_name(tag) for tag in tags if _ATTRIBUTE.search(tag["rest"])}
    plain = (_PAIRED | _MAY_STAY_OPEN) & opened & closed
    left_open = _MAY_STAY_OPEN & opened if open_blocks else frozenset[str]()
    prefixed = {name for name in opened | closed if _PREFIXED.fullmatch(name)}
    return frozenset(marked | plain | left_open | prefixed | (_VOID & (opened | closed)))


def _name(tag: re.Match[str]) -> str:
    return tag["name"].lower().rstrip("/")
