"""The MJML and HTML a letter may use: tags, where they belong, and their attributes.

mjml-python passes unknown tags and attributes through silently, so that a typo would reach
readers. The tables follow the component pages at documentation.mjml.io (MJML 4); tags that mrml
or mail clients handle badly are left out, each with its reason.
"""

_PADDING = "padding padding-top padding-right padding-bottom padding-left"
_BORDER = "border border-top border-right border-bottom border-left border-radius"
_FONT = (
    "font-family font-size font-style font-weight letter-spacing line-height "
    "text-align text-decoration text-transform color"
)
_LINK = "href rel target title"
_BACKGROUND = (
    "background-color background-url background-repeat background-size background-position"
)

_COMPONENTS = {
    "mj-body": "background-color width",
    "mj-wrapper": f"{_BACKGROUND} {_BORDER} {_PADDING} full-width text-align",
    "mj-section": f"{_BACKGROUND} {_BORDER} {_PADDING} direction full-width text-align",
    "mj-group": "background-color direction vertical-align width",
    "mj-column": f"background-color inner-background-color {_BORDER} {_PADDING} direction "
    "vertical-align width",
    "mj-text": f"{_FONT} {_PADDING} align container-background-color height",
    "mj-button": f"{_FONT} {_LINK} {_PADDING} {_BORDER} align background-color "
    "container-background-color height inner-padding name vertical-align width",
    "mj-image": f"{_LINK} {_PADDING} {_BORDER} align alt container-background-color "
    "fluid-on-mobile font-size height name sizes src srcset usemap width",
    "mj-divider": f"{_PADDING} align border-color border-style border-width "
    "container-background-color width",
    "mj-spacer": f"{_PADDING} container-background-color height",
    "mj-table": f"{_FONT} {_PADDING} align cellpadding cellspacing container-background-color "
    "table-layout width",
    "mj-social": f"{_FONT} {_PADDING} align border-radius container-background-color icon-height "
    "icon-padding icon-size inner-padding mode table-layout text-padding",
    "mj-social-element": f"{_FONT} {_LINK} {_PADDING} align alt background-color border-radius "
    "icon-height icon-padding icon-size name src text-padding vertical-align",
}
_HEAD = {
    "mjml": "lang dir",
    "mj-head": "",
    "mj-attributes": "",
    "mj-breakpoint": "width",
    "mj-style": "",
    "mj-title": "",
    "mj-raw": "",
}

_KNOWN = {
    **{tag: frozenset(names.split()) for tag, names in _HEAD.items()},
    **{tag: frozenset(f"{names} css-class mj-class".split()) for tag, names in _COMPONENTS.items()},
}
_ANY = frozenset[str]().union(*_KNOWN.values())

#: MJML tag → the attributes it may have.
MJML: dict[str, frozenset[str]] = {**_KNOWN, "mj-all": _ANY, "mj-class": _ANY | {"name"}}

_IN_COLUMN = "mj-text mj-image mj-button mj-divider mj-spacer mj-table mj-social mj-raw"

#: MJML tag → the MJML tags that belong in it; one that is missing here holds none.
CHILDREN: dict[str, frozenset[str]] = {
    tag: frozenset(children.split())
    for tag, children in {
        "mjml": "mj-head mj-body",
        "mj-head": "mj-attributes mj-breakpoint mj-style mj-title mj-raw",
        "mj-attributes": f"mj-all mj-class {' '.join(_COMPONENTS)}",
        "mj-body": "mj-section mj-wrapper mj-raw",
        "mj-wrapper": "mj-section mj-raw",
        "mj-section": "mj-column mj-group mj-raw",
        "mj-group": "mj-column mj-raw",
        "mj-column": _IN_COLUMN,
        "mj-social": "mj-social-element mj-raw",
    }.items()
}

#: The MJML tags that hold text or HTML.
HOLDS_HTML = frozenset({"mj-text", "mj-button", "mj-table", "mj-social-element", "mj-raw"})
HOLDS_TEXT = HOLDS_HTML | {"mj-title", "mj-style"}

#: MJML tag → why a letter must not use it.
FORBIDDEN = {
    "mj-preview": "its white text counts as spam; write a hidden div in mj-raw",
    "mj-hero": "it needs VML, which may not hold headings or links",
    "mj-carousel": "few clients show it, and it has no text",
    "mj-navbar": "few clients show it",
    "mj-font": "it would fetch from a third party for every reader",
    "mj-include": "use Jinja's include",
    "mj-html-attributes": "mjml-python cannot read it",
}

_EVERYWHERE = "class id style lang dir title role"
_CELL = "align valign width height colspan rowspan bgcolor"
_HTML = {
    "a": "href target rel clicktracking",
    "img": "src alt width height border",
    "meta": "name content http-equiv",
    "ol": "start",
    "p": "align",
    "table": "align width border cellpadding cellspacing bgcolor",
    "td": _CELL,
    "th": f"{_CELL} scope",
    "time": "datetime",
    "tr": "align valign bgcolor",
}
_PLAIN_HTML = (
    "abbr b bdi blockquote br cite code div em h1 h2 h3 h4 hr i li small span strong sub sup "
    "tbody thead u ul wbr"
)

#: HTML tag → the attributes it may have, besides those that begin with "aria-".
HTML: dict[str, frozenset[str]] = {
    tag: frozenset(f"{_HTML.get(tag, '')} {_EVERYWHERE}".split())
    for tag in (*_HTML, *_PLAIN_HTML.split())
}
