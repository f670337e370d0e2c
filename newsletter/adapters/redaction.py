"""Redaction: addresses and secrets taken out of a text that leaves for a log or a channel."""

import re
from collections.abc import Callable, Iterable

Redact = Callable[[str], str]

#: Each with what stands in its place. What is taken for an address is wide on purpose: a harmless
#: word too many is blacked out rather than one address too few.
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (r"://[^\s/@]*@", "://[secret]@"),  # a URL's user and password (RFC 3986, 3.2.1)
        (r"\bSG\.[\w.-]+", "[key]"),  # a SendGrid key: SG.<id>.<secret>
        (r"\b(Bearer|Basic)\s+[\w.~+/=-]+", r"\1 [key]"),  # RFC 6750, 2.1; RFC 7617, 2
        (r"(?<=/[up]/)[\w-]{28}", "[token]"),  # a reader's links (subscribers/tokens.py)
        # RFC 5321, 4.1.2: a quoted local part, or anything up to the sign (64 octets in earnest;
        # without a bound a long word would cost its square); then a name or a literal.
        (
            r"""("[^"\n]{1,99}"|[^\s@<>()\[\],:;"\\]{1,99})(@|%40)(\[[^\]\s]*\]|[^\s@<>()\[\],:;"'\\]+)""",
            "[address]",
        ),
    )
)


def redactor(secrets: Iterable[str] = ()) -> Redact:
    """Return what blacks out addresses, keys, and these secrets wherever they stand."""
    known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
    literal = re.compile("|".join(map(re.escape, known))) if known else None

    def redact(words: str) -> str:
        if literal:
            words = literal.sub("[secret]", words)
        for pattern, instead in _RULES:
            words = pattern.sub(instead, words)
        return words

    return redact
