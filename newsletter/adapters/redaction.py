"""Redaction of addresses and secrets in text for the log or an alert channel.

See docs/decisions/logs-are-redacted-at-the-exit.md.
"""

import re
from collections.abc import Callable, Iterable

Redact = Callable[[str], str]

#: Each with its replacement. The pattern of an address is wide on purpose: rather one harmless
#: word too many than one address too few.
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"://[^\s/@]*@", "://[secret]@"),  # a URL's user and password (RFC 3986, 3.2.1)
        (r"\bSG\.[\w.-]+", "[key]"),  # a SendGrid key: SG.<id>.<secret>
        (r"\b(Bearer|Basic)\s+[\w.~+/=-]+", r"\1 [key]"),  # RFC 6750, 2.1; RFC 7617, 2
        (r"(?<=/[upcak]/)[\w-]{28}", "[token]"),  # a reader's links (subscribers/tokens.py)
        # RFC 5321, 4.1.2: a quoted local part, or anything up to the sign (64 octets in earnest;
        # without a bound a long word would cost its square); then a name or a literal.
        (
            r"""("[^"\n]{1,99}"|[^\s@<>()\[\],:;"\\]{1,99})(@|%40)(\[[^\]\s]*\]|[^\s@<>()\[\],:;"'\\]+)""",
            "[address]",
        ),
    )
)


def redactor(secrets: Iterable[str] = ()) -> Redact:
    """Return a function that redacts addresses, keys, and these secrets anywhere in a text."""
    known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
    literal = re.compile("|".join(map(re.escape, known))) if known else None

    def redact(words: str) -> str:
        if literal:
            words = literal.sub("[secret]", words)
        for pattern, replacement in _RULES:
            words = pattern.sub(replacement, words)
        return words

    return redact
