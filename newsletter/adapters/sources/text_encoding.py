"""The encoding of a file: marked, UTF-8, declared by the file, or plainly Western."""

import codecs
import re

from newsletter.errors import InvalidBrief

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_HEAD = 4_096  #: bytes in which a page declares its encoding (HTML standard: 1,024)
_DECLARED = re.compile(
    rb"<(?:meta[^>]{0,200}?charset|\?xml[^>]{0,100}?encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})",
    re.IGNORECASE,
)
#: Names that browsers read as a wider encoding (WHATWG Encoding, section 4.2).
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
#: The encodings that are read. Others, such as UTF-7, only serve to hide markup.
_READ = re.compile(
    r"utf-8|iso8859-\d+|cp125\d|cp874|cp866|koi8-[ru]|mac-roman|cp932|cp949|gb18030|big5hkscs"
    r"|euc_jp|iso2022_jp"
)
#: What an encoding other than Western would show: letters in a row, or signs within words.
_NOT_WESTERN = re.compile(r"[À-ÿ]{3}|[A-Za-zÀ-ÿ][£¥¦¬¯±³¶¹¼¾]|[£¥¦¬¯±³¶¹¼¾][A-Za-zÀ-ÿ]")
_UTF8_LETTER = re.compile(rb"[\xc3-\xf4][\x80-\xbf]+|\xc2[\xa0-\xbf]")


def decoded(content: bytes, place: str) -> str:
    """Return the text; InvalidBrief names the line whose bytes cannot be read.

    Nothing is guessed but Windows-1252, and that only where nothing speaks against it.
    """
    marked = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "")
    if marked:
        return _read(content, marked, place)
    if b"\0" in content:
        raise InvalidBrief(place, "is not text: it has NUL bytes")
    declared = _declared(content, place)
    if declared == "iso2022_jp":  # its bytes would pass for ASCII
        return _read(content, declared, place)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        if declared not in ("", "utf-8"):
            return _read(content, declared, place)
        return _western(content, error.start, place)


def _declared(content: bytes, place: str) -> str:
    """Return the encoding that a page declares for itself; empty if it is no page."""
    found = _DECLARED.search(content[:_HEAD]) if content.lstrip()[:1] == b"<" else None
    if not found:
        return ""
    named = found[1].decode()
    try:
        name = codecs.lookup(named).name
    except LookupError:
        name = named
    name = _WIDER.get(name, name)
    if not _READ.fullmatch(name):
        raise InvalidBrief(place, f"is in an encoding that is not read: {named}")
    return name


def _read(content: bytes, encoding: str, place: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        said = encoding.removesuffix("-sig").upper()
        where = f"{place}, line {_line(content, error.start)}"
        raise InvalidBrief(where, f"is not text in {said}, which the file declares") from None


def _western(content: bytes, bad: int, place: str) -> str:
    """Return the text as Windows-1252, unless part of it is UTF-8, or of another alphabet."""
    where = f"{place}, line {_line(content, bad)}"
    if _UTF8_LETTER.search(content):
        reason = f"the byte {content[bad]:#04x} is not UTF-8, which the rest is; save it as UTF-8"
        raise InvalidBrief(where, reason)
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if not text or _NOT_WESTERN.search(text):
        reason = "is not text in UTF-8, and its encoding cannot be told; save it as UTF-8"
        raise InvalidBrief(where, reason)
    return text


def _line(content: bytes, at: int) -> int:
    return content.count(b"\n", 0, at) + 1
