"""MJML to HTML, strictly: what mrml would ignore silently is refused first."""

import re

from mjml import mjml2html

from newsletter.errors import RenderingFailed
from newsletter.rendering.lint import lint
from newsletter.rendering.source_map import place_before, without_places

_POSITION = re.compile(r"position (\d+)")


def to_html(filled: str) -> str:
    """Compile MJML whose tags have their places; RenderingFailed names each wrong one."""
    lint(filled)
    source = without_places(filled)
    try:
        # An empty `fonts`, or every letter would link Google Fonts.
        return mjml2html(source, fonts={})
    except ValueError as error:
        position = _POSITION.search(str(error))
        # Places hold no line breaks: both sources have the same lines.
        line = source.count("\n", 0, int(position[1])) + 1 if position else 1
        place = place_before(filled, line, len(filled))
        raise RenderingFailed(f"at or before {place}: {error}") from error
