"""An item's HTML without the parts that its publisher's system added."""

import re
from typing import Any, cast

import lxml.html as _html  # pyright: ignore[reportMissingTypeStubs]  # C, no types

html = cast("Any", _html)

_ADDED = re.compile(
    r"(?i)(?:^|[\s_-])(?:caption|caption-text|more-link|sharedaddy|share-buttons|jp-relatedposts|addtoany"
    r"|related-posts|newsletter-signup|affiliate|disclosure|advert|advertisement|feedflare"
    r"|screen-reader-text|post-tags|comments-link)(?:$|[\s_-])"
)
_CLASS = re.compile(r"(?i)\sclass\s*=")


def prose_html(markup: str) -> str:
    """Return the markup without elements whose class says that they are no prose."""
    if not (_CLASS.search(markup) and _ADDED.search(markup)):
        return markup
    whole = html.fragment_fromstring(markup, create_parent="div")
    for one in [e for e in whole.iter() if _ADDED.search(e.get("class", ""))]:
        if one.getparent() is not None:
            one.drop_tree()
    serialized: str = html.tostring(whole, encoding="unicode")
    return serialized.removeprefix("<div>").removesuffix("</div>")
