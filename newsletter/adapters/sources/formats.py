"""The file formats that hold briefs, by extension."""

from collections.abc import Callable

from newsletter.adapters.sources.hub_html import read_hub_html
from newsletter.adapters.sources.hub_page import read_hub_text
from newsletter.adapters.sources.json_briefs import read_json
from newsletter.adapters.sources.markdown import read_markdown
from newsletter.core.brief import Brief

#: Extension → function from a file's text and place to its brief, or its briefs.
FORMATS: dict[str, Callable[[str, str], Brief | tuple[Brief, ...]]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".json": read_json,
    ".txt": read_hub_text,
    ".html": read_hub_html,
    ".htm": read_hub_html,
}
