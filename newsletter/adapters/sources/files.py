"""Files: finding those that hold briefs, and reading them within limits."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from newsletter.errors import InvalidBrief

LARGEST = 2_000_000  #: bytes; a brief is a few kilobytes, a saved page rarely over one megabyte
EXTENSIONS = (".md", ".markdown", ".json", ".txt", ".html", ".htm")


def find_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the brief files among these files and below these folders, sorted, each once.

    Hidden files and folders are left out. InvalidBrief if a path does not exist, or names a file
    that cannot hold a brief.
    """
    return tuple(sorted({file for path in paths for file in _files_at(path)}))


def skipped_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files below these folders that `find_files` passes over, hidden ones aside."""
    folders = (path for path in paths if path.is_dir())
    return tuple(sorted({f for folder in folders for f in _files_below(folder) if not _fits(f)}))


def read_text(path: Path) -> str:
    """Return the text of a file of at most 2 MB: UTF-8, UTF-16 with a mark, or Windows-1252."""
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
    return _decoded(content, place)


def _files_at(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from filter(_fits, _files_below(path))
    elif not path.exists():
        raise InvalidBrief(str(path), "does not exist")
    elif not _fits(path):
        raise InvalidBrief(str(path), f"is none of {', '.join(EXTENSIONS)}")
    else:
        yield path


def _files_below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in inside):
            yield path


def _fits(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS


def _decoded(content: bytes, place: str) -> str:
    if len(content) > LARGEST:  # it grew since it was measured
        raise InvalidBrief(place, f"is larger than {LARGEST:,} bytes")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    elif b"\0" in content:
        raise InvalidBrief(place, "is not text: it has NUL bytes")
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidBrief(place, "is not text in UTF-8 or Windows-1252")
