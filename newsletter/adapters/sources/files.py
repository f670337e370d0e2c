"""Files: finding those that hold briefs, and reading them within limits."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from newsletter.adapters.sources.cleaning import visible
from newsletter.adapters.sources.formats import FORMATS
from newsletter.adapters.sources.text_encoding import decoded
from newsletter.core.brief import Brief
from newsletter.errors import InvalidBrief

LARGEST = 2_000_000  #: bytes; a brief is a few kilobytes, a saved page rarely over one megabyte


def find_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the brief files among these files and below these folders, sorted, each once.

    Hidden files and folders are left out. InvalidBrief if a path does not exist, or names a file
    that cannot hold a brief.
    """
    return tuple(sorted({file for path in paths for file in _files_at(path)}))


def skipped_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files below these folders that are in no known format, without hidden ones."""
    folders = (path for path in paths if path.is_dir())
    return tuple(sorted({f for folder in folders for f in _files_below(folder) if not _fits(f)}))


def read_file(path: Path, *, source_url: str = "") -> tuple[Brief, ...]:
    """Return every brief of the file, or raise InvalidBrief with the place that is wrong.

    `source_url` is for briefs without an address: a page saved as text has lost its links.
    """
    _require_known_format(path)
    found = FORMATS[path.suffix.lower()](read_text(path), str(path))
    briefs = found if isinstance(found, tuple) else (found,)
    _refuse_repeats(briefs, str(path))
    return tuple(_with_source_url(brief, visible(source_url)) for brief in briefs)


def read_text(path: Path) -> str:
    """Return the text of a file of at most 2 MB, in the encoding that it has or declares."""
    place = str(path)
    try:
        if not path.is_file():
            raise InvalidBrief(place, "is not a file" if path.exists() else "does not exist")
        if path.stat().st_size > LARGEST:
            raise InvalidBrief(place, f"is larger than {LARGEST:,} bytes")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise InvalidBrief(place, f"cannot be read: {error.strerror or error}") from None
    if len(content) > LARGEST:  # it grew since it was measured
        raise InvalidBrief(place, f"is larger than {LARGEST:,} bytes")
    return decoded(content, place)


def _files_at(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from filter(_fits, _files_below(path))
    elif not path.exists():
        raise InvalidBrief(str(path), "does not exist")
    else:
        _require_known_format(path)
        yield path


def _files_below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in inside):
            yield path


def _fits(path: Path) -> bool:
    return path.suffix.lower() in FORMATS


def _require_known_format(path: Path) -> None:
    if not _fits(path):
        raise InvalidBrief(str(path), f"is none of {', '.join(FORMATS)}")


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
