"""A list's files: the one that is read, whatever its encoding, and those that are written.

Text that is neither UTF-8 nor UTF-16 could be in many encodings, and most of them read any text:
what it would say in each is shown, and asked. Only where all of the likely ones agree it is read.
"""

import codecs
import errno
import io
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from secrets import token_hex
from typing import IO, BinaryIO, TextIO

from subscribers.errors import InvalidList
from subscribers.lists.encoding_question import encoding_questions
from subscribers.lists.questions import Question

_BLOCK = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  #: these errors name no file themselves
_SAMPLE = 4096
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_WESTERN = "cp1252"  # what Western spreadsheets write; all of Latin-1 that can be printed is in it
_TITLES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}


@dataclass(frozen=True)
class OpenList:
    """A list's text, and how far it was read."""

    text: TextIO
    encoding: str
    size: int
    _raw: IO[bytes]
    questions: tuple[Question, ...] = ()

    @property
    def position(self) -> int:
        return self._raw.tell()


@contextmanager
def open_list(path: Path, encoding: str | None = None) -> Generator[OpenList]:
    """Open a list, or the one list in a ZIP; raise InvalidList, naming the file or the line."""
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError as error:
        raise InvalidList(f"there is no encoding called {encoding}") from error
    try:
        with _opened(path) as (raw, size):
            questions: tuple[Question, ...] = ()
            if encoding is None and (encoding := _encoding_of(raw)) == _WESTERN:
                raw.seek(0)
                questions = tuple(encoding_questions(raw))
            raw.seek(0)
            errors = "replace" if questions else "strict"  # the others are asked in one answer
            text = io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="")
            yield OpenList(text, title(encoding), size, raw, questions)
    except UnicodeError as error:
        line = _undecodable_line(path, encoding or "utf-8")
        raise InvalidList(f"{path.name}, line {line}: not {title(encoding or '')}") from error
    except OSError as error:
        raise InvalidList(f"{path}: {error.strerror or error}") from error


def title(encoding: str) -> str:
    return _TITLES.get(encoding, encoding.upper())


@contextmanager
def written_whole(path: Path) -> Generator[BinaryIO]:
    """Yield a file that takes this path only once all of it is written, and else leaves nothing.

    Its name until then is nobody else's: two processes may write the same path at once.
    """
    partial = path.with_name(f"{path.name}.{token_hex(4)}.partial")
    try:
        begun = partial.open("xb")
    except OSError as error:
        raise _unwritten(error, path) from error
    try:
        yield begun
        begun.close()
        partial.replace(path)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise _unwritten(error, path) from error
    finally:
        with suppress(OSError):  # of what could not be written before
            begun.close()
        partial.unlink(missing_ok=True)


def _unwritten(error: OSError, path: Path) -> OSError:
    # Whoever reads it knows the path they named.
    return OSError(error.errno, f"cannot be written: {error.strerror}", str(path))


@contextmanager
def _opened(path: Path) -> Generator[tuple[IO[bytes], int]]:
    if not zipfile.is_zipfile(path):
        with path.open("rb") as raw:
            yield raw, path.stat().st_size
        return
    try:
        with zipfile.ZipFile(path) as archive:
            member = _only_list(archive, path)
            with archive.open(member) as raw:
                yield raw, member.file_size
    except (zipfile.BadZipFile, RuntimeError) as error:  # a password is a RuntimeError
        raise InvalidList(f"{path.name}: {error}") from error


def _only_list(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    found = [
        member
        for member in archive.infolist()
        if PurePath(member.filename).suffix.lower() in (".csv", ".tsv", ".txt")
        and not member.filename.startswith("__MACOSX")
    ]
    if len(found) != 1:
        names = ", ".join(member.filename for member in found) or "none"
        raise InvalidList(
            f"{path.name} holds {len(found)} lists ({names}): unpack it and import them one by one,"
            " first those of people who left"
        )
    return found[0]


def _encoding_of(raw: IO[bytes]) -> str:
    """Return the encoding: by its mark, by its zeros, by being UTF-8 throughout, else Western."""
    start = raw.read(_SAMPLE)
    for mark, encoding in _BOMS.items():
        if start.startswith(mark):
            return encoding
    if start.count(0) > len(start) // 4:
        return "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"
    raw.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in _blocks(raw):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return "utf-8" if _is_damaged(error.object, raw.read(_BLOCK)) else _WESTERN
    return "utf-8"


def _is_damaged(*blocks: bytes) -> bool:
    """Return whether most of what is beyond ASCII is UTF-8 nevertheless."""
    text = b"".join(blocks).decode(errors="replace")
    broken = text.count("�")
    return sum(not character.isascii() for character in text) - broken >= broken


def _blocks(raw: IO[bytes]) -> Iterator[bytes]:
    while block := raw.read(_BLOCK):
        yield block


def _undecodable_line(path: Path, encoding: str) -> int:
    """Return the first line, counted from 1, that is not in this encoding."""
    line, decoder = 1, codecs.getincrementaldecoder(encoding)()
    with _opened(path) as (raw, _):
        try:
            for block in _blocks(raw):
                line += decoder.decode(block).count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            line += error.object[: error.start].decode(encoding, "ignore").count("\n")
    return line
