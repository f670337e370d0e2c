"""Inlining of CSS with premailer, whose defaults would damage MJML's output.

By default it drops the doctype (quirks mode), every `!important` (dark mode dies), selectors that
match nothing here but do in a mail client (`[data-ogsc]`), and image widths.
"""

import logging
import re
import threading
from typing import Any, Final

from premailer import Premailer

from newsletter.errors import RenderingFailed

_DOCTYPE = re.compile(r"^<!doctype html>", re.IGNORECASE)
_STYLE: Final = "<style"
_IGNORED_STYLE: Final = '<style data-premailer="ignore"'
# premailer and cssutils share global state: with threads, rules get lost without an error.
_premailer = threading.Lock()


def inline(html: str, css: str) -> str:
    """Return the HTML with `css` written into its tags; its style tags stay as they are.

    Characters beyond ASCII stay what they are: an entity for each would make Cyrillic three times
    as large. The charset is declared in the HTML and in the message's headers.
    """
    # cssutils fetches imports, whatever premailer's `allow_network` is.
    if "@import" in css.lower():
        raise RenderingFailed("the stylesheet to be inlined has an @import")
    html = _DOCTYPE.sub("<!DOCTYPE html>", html)  # the one spelling that lxml keeps
    html = html.replace(_STYLE, _IGNORED_STYLE)
    with _premailer:
        inlined = _transform(html, css)
    return inlined.replace(_IGNORED_STYLE, _STYLE)


def _transform(html: str, css: str) -> str:
    premailer: Any = Premailer(
        css_text=css,
        allow_network=False,
        strip_important=False,
        disable_leftover_css=True,
        disable_validation=True,
        align_floating_images=False,
        disable_basic_attributes=["width", "height", "align", "valign", "bgcolor"],
        cssutils_logging_level=logging.CRITICAL,
    )
    return str(premailer.transform(html, pretty_print=False, encoding="utf-8"))
