"""Sources of briefs: Markdown, JSON, and saved pages of the hub."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from newsletter.adapters.sources.cleaning import visible
from newsletter.adapters.sources.files import find_files, read_text, skipped_files
from newsletter.adapters.sources.hub_html import read_hub_html
from newsletter.adapters.sources.hub_text import read_hub_text
from newsletter.adapters.sources.json_briefs import read_json
from newsletter.adapters.sources.markdown import read_markdown
from newsletter.core.brief import Brief
from newsletter.errors import InvalidBrief

__all__ = ["find_files", "read_file", "skipped_files"]

_ONE: dict[str, Callable[[str, str], Brief]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_hub_text,
    ".html": read_hub_html,
    ".htm": read_hub_html,
}


def read_file(path: Path, *, source_url: str = "") -> tuple[Brief, ...]:
    """Return every brief of the file, or raise InvalidBrief with the place that is wrong.

    `source_url` serves the briefs that name no address: a page saved as text has lost its links.
    """
    briefs = _read(path)
    _refuse_repeats(briefs, str(path))
    return tuple(_with_source_url(brief, visible(source_url)) for brief in briefs)


def _read(path: Path) -> tuple[Brief, ...]:
    extension, text = path.suffix.lower(), read_text(path)
    if extension == ".json":
        return read_json(text, str(path))
    if extension not in _ONE:
        raise InvalidBrief(str(path), f"is none of .json, {', '.join(_ONE)}")
    return (_ONE[extension](text, str(path)),)


def _refuse_repeats(briefs: tuple[Brief, ...], place: str) -> None:
    seen: set[str] = set()
    for number, brief in enumerate(briefs, start=1):
        if brief.key in seen:
            raise InvalidBrief(f"{place}, item {number}", f"the key {brief.key!r} was used before")
        seen.add(brief.key)


def _with_source_url(brief: Brief, source_url: str) -> Brief:
    if brief.source.url:
        return brief
    return replace(brief, source=replace(brief.source, url=source_url))
