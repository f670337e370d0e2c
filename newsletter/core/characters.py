"""Characters that say that a text was read in the wrong encoding."""

import re

#: UTF-8's first byte, then its continuation bytes, each as Windows-1252 or ISO-8859-1 shows them.
_TAIL = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_DOUBLY = re.compile(f"[\xc2-\xdf][{_TAIL}]|[\xe0-\xef][{_TAIL}]{{2}}|[\xf0-\xf4][{_TAIL}]{{3}}")


def misread(text: str) -> str:
    r"""Return what was read in the wrong encoding, or could not be read; nothing if all is well.

    >>> misread("CafÃ© au lait"), misread("Café"), misread("st\ufffdry")
    ('Ã©', '', '\\ufffd')
    """
    if "\N{REPLACEMENT CHARACTER}" in text:
        return "\N{REPLACEMENT CHARACTER}"
    return next((one[0] for one in _DOUBLY.finditer(text) if _is_utf8(one[0])), "")


def _is_utf8(shown: str) -> bool:
    raw = b"".join(_byte(character) for character in shown)
    try:
        return len(raw.decode("utf-8")) == 1
    except UnicodeDecodeError:
        return False


def _byte(character: str) -> bytes:
    return character.encode("latin-1") if ord(character) <= 0xFF else character.encode("cp1252")  # noqa: PLR2004  # the last of ISO-8859-1
