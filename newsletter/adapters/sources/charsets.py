"""In which characters a fetched document is written."""

import codecs
import re

from newsletter.adapters.sources.fetching import Document, FetchFailed

_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DECLARED = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
#: The encodings that are read. Others, such as UTF-7, only serve to hide markup.
_ENCODINGS = re.compile(
    r"ascii|utf-8(-sig)?|utf-16(-[lb]e)?|iso8859-\d+|cp125\d|koi8-[rut]|mac-roman|big5(hkscs)?"
    r"|gb2312|gbk|gb18030|shift_jis|cp932|euc_.+|iso2022_jp"
)
_MULTI_BYTE = re.compile(r"big5.*|gb.+|shift_jis|cp932|euc_.+|iso2022_jp|utf-16.*")
_READ_AS = {"iso8859-1": "cp1252", "ascii": "cp1252"}  # as browsers do (WHATWG Encoding)
_FEW = 200  #: of so many characters one may be broken; more, and it is written in something else


def decoded(document: Document) -> str:
    """Return the document's text; a few bytes that are none become U+FFFD each.

    Byte order mark, charset, declaration (RFC 7303, section 3), but text that is valid UTF-8 is
    that, whatever single-byte charset the server names: by accident it hardly ever is.
    """
    body = document.body
    found = _DECLARED.search(body[:1000])
    declared = found[1].decode() if found else ""
    marked = next((name for bom, name in _BOMS.items() if body.startswith(bom)), "")
    named = marked or _wide(body) or document.charset or declared or "utf-8"
    encoding = _known(named)
    if (
        not marked
        and _is_utf8(body)
        and (not _MULTI_BYTE.fullmatch(encoding) or _spelled(declared) == "utf-8")
    ):
        return body.decode("utf-8")
    for name in dict.fromkeys((encoding, _spelled(declared) or encoding)):
        text = body.decode(_READ_AS.get(name, name), "replace")
        if "\0" not in text and text.count("\N{REPLACEMENT CHARACTER}") * _FEW <= len(text):
            return text
    raise FetchFailed(f"it is not text in {named:.40}")


def _known(named: str) -> str:
    encoding = _spelled(named)
    if not encoding:
        raise FetchFailed(f"it is not text in {named:.40}")
    if not _ENCODINGS.fullmatch(encoding):
        raise FetchFailed(f"it is in an encoding that is not read: {named:.40}")
    return encoding


def _spelled(named: str) -> str:
    try:
        return codecs.lookup(named).name if named else ""
    except LookupError:
        return ""


def _wide(body: bytes) -> str:
    """Return UTF-16 by its first character where it has no byte order mark."""
    return {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(body[:2], "")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in body
