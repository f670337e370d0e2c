"""Hub page saved as text."""

import html
from collections.abc import Iterator

from newsletter.adapters.sources.cleaning import plain
from newsletter.adapters.sources.hub_page import PageBlock, read_page
from newsletter.core.brief import Brief


def read_hub_text(text: str, place: str) -> Brief:
    """Return the brief of a page that a browser saved, or a person copied, as text."""
    return read_page(tuple(_blocks(text)), place)


def _blocks(text: str) -> Iterator[PageBlock]:
    gap = True
    for line in text.splitlines():
        text = plain(line)
        if text:
            yield PageBlock(text=text, markup=html.escape(text, quote=False), gap=gap)
        gap = not text
