"""Obvious slips in addresses, such as `gmial.com`: what was probably meant is offered."""

from functools import lru_cache

_COMMON = (
    "gmail.com", "googlemail.com", "hotmail.com", "hotmail.fr", "hotmail.co.uk", "outlook.com",
    "live.com", "yahoo.com", "yahoo.fr", "yahoo.de", "yahoo.co.uk", "icloud.com", "gmx.de",
    "gmx.net", "web.de", "t-online.de", "freenet.de", "orange.fr", "wanadoo.fr", "laposte.net",
    "libero.it", "protonmail.com", "proton.me", "comcast.net", "verizon.net", "aol.com",
    "mail.ru", "yandex.ru", "seznam.cz", "ziggo.nl", "bluewin.ch",
)  # fmt: skip
_NAMED_ALIKE = """
    mail.com email.com ymail.com hotmail.de hotmail.it hotmail.es hotmail.nl hotmail.be live.de
    live.fr live.nl live.it outlook.de outlook.fr outlook.es outlook.it yahoo.es yahoo.it
    yahoo.ca yahoo.ie gmx.at gmx.ch gmx.com gmx.fr gmx.us gmx.eu web.com web.dk love.com
    five.com lie.com olive.com aol.de aol.fr aim.com ail.com bol.com mail.de mail.bg mail.ee
    gmail.de me.com mac.com gmail.ru ya.ru alive.com dive.com give.com hive.com life.com
    like.com line.com wed.de
"""
_REAL = frozenset(_NAMED_ALIKE.split())  #: domains that are one letter from a common one
_ENDINGS = {
    **dict.fromkeys(("con", "cmo", "ocm", "comm", "vom", "xom", "cpm", "coml"), "com"),
    **dict.fromkeys(("nett", "ner"), "net"),
    **dict.fromkeys(("ogr", "rog"), "org"),
}
_SHORT = 7  #: letters; of a shorter domain only a swap is a slip, since most others are real


def likely_slip(address: str) -> str | None:
    """Return the address that was probably meant, or None if nothing looks like a slip."""
    local, _, domain = address.strip().rpartition("@")
    meant = _meant(domain.lower())
    return f"{local}@{meant}" if local and meant else None


@lru_cache(4096)
def _meant(domain: str) -> str | None:
    if domain in _COMMON or domain in _REAL:
        return None
    if close := next((known for known in _COMMON if _is_close(domain, known)), None):
        return close
    name, dot, ending = domain.rpartition(".")
    if dot and ending in _ENDINGS:
        whole = f"{name}.{_ENDINGS[ending]}"
        return _meant(whole) or whole
    return None


def _is_close(typed: str, known: str) -> bool:
    """Return whether one letter is missing, too many, another, or swapped with its neighbour."""
    if abs(len(typed) - len(known)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(typed, known, strict=False)) if a != b), None)
    if start is None:
        return len(known) > _SHORT
    left, right = typed[start:], known[start:]
    if left[2:] == right[2:] and left[:2] == right[1::-1]:
        return True
    changed = left[1:] == right[1:] or left[1:] == right or left == right[1:]
    return changed and len(known) > _SHORT
