"""What is printed where the terminal knows fewer characters than we use."""

import codecs
import io
import sys

#: For the signs that commands print; anything else that cannot be printed is a question mark.
_PLAIN = {
    "✓": "+",
    "✗": "x",
    "–": "-",
    "—": "-",
    "·": "-",
    "…": "...",
    "•": "*",
    "≤": "<=",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "→": "->",
    "×": "x",
    "\u00a0": " ",
    "≥": ">=",
}
_HANDLER = "newsletter.plain"


def never_break_off() -> None:
    """Print what the locale's encoding lacks by other signs; the rest of the line is not lost."""
    codecs.register_error(_HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def is_unicode() -> bool:
    """Return whether every character can be printed."""
    return (sys.stdout.encoding or "").lower().replace("_", "-") in ("utf-8", "utf8")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = (_PLAIN.get(sign, "?") for sign in error.object[error.start : error.end])
    return "".join(signs), error.end
