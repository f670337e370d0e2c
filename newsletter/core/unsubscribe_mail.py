"""Unsubscribe by mail: which mails count as a request, and whose.

List-Unsubscribe holds a mailto form beside its link (RFC 8058, section 3.1). A mail to it carries
our token in its subject, or in the plus part of the address. People also write there by hand; they
are believed when their mail provider proves who they are.
See docs/decisions/unsubscribe-mail-needs-proof.md.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{28}(?![A-Za-z0-9_-])")
_MOST_TOKENS = 5  #: tried of one mail

#: What people write who want to unsubscribe, case-folded.
_ASKING = (
    "unsubscribe, opt out, opt-out, remove me, take me off, abmelden, abbestellen, désabonner, "
    "desabonner, désinscrire, darme de baja, cancelar suscripción, disiscriv, afmelden"
)
_WORDS = tuple(_ASKING.split(", "))
#: Words that mean it only when nothing else is on their line.
_ALONE = frozenset({"stop", "remove", "leave", "end", "cancel"})
_FIRST_LINES = 3  #: of a mail's own text; a signature or a quoted letter may follow
_QUOTED = (">", "|", "-----", "_____")


@dataclass(frozen=True, kw_only=True)
class UnsubscribeMail:
    """A mail to the unsubscribe address, as far as it matters; nothing of it is stored."""

    sender: str  #: the address in From; empty unless there is exactly one
    recipients: tuple[str, ...]
    subject: str
    text: str
    proven: frozenset[str]  #: domains that a passing DKIM signature or SPF check speaks for
    automatic: bool  #: written by a machine, such as a notice of absence (RFC 3834)


def tokens_of(mail: UnsubscribeMail) -> tuple[str, ...]:
    """Return what may be one of our tokens: of the subject, and of plus-addresses."""
    details = (one.rpartition("@")[0].partition("+")[2] for one in mail.recipients)
    found = [*_TOKEN.findall(mail.subject), *(d for d in details if _TOKEN.fullmatch(d))]
    return tuple(dict.fromkeys(found))[:_MOST_TOKENS]


def asks_to_unsubscribe(mail: UnsubscribeMail) -> bool:
    """Return whether somebody asks, in their own words, to get no more letters."""
    said = [_plain(line) for line in (mail.subject, *_own_lines(mail.text))]
    return any(line in _ALONE or any(word in line for word in _WORDS) for line in said)


def is_senders_own(mail: UnsubscribeMail) -> bool:
    """Return whether the address in From is proven, by the domain's own mail servers."""
    domain = mail.sender.rpartition("@")[2].lower()
    is_plain = mail.sender.isascii() and mail.sender.isprintable()
    return is_plain and domain in mail.proven and not mail.automatic


def mailboxes_of(mail: UnsubscribeMail) -> frozenset[str]:
    return frozenset(mailbox(one) for one in mail.recipients)


def mailbox(address: str) -> str:
    """Return one of our addresses without its plus part, for comparison."""
    local, _, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _own_lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    own = [line for line in lines if line and not line.startswith(_QUOTED)]
    return own[:_FIRST_LINES]


def _plain(line: str) -> str:
    return line.casefold().strip(" \t.!?\"'")
