"""Obvious slips in an address: a well-known mail provider with one key pressed wrongly.

It only ever suggests: an address that looks odd may be right.
"""

from functools import lru_cache

#: Of two that are as near, the first is suggested. Those that look like another one are here so
#: that nobody who uses them is asked.
_LIST = """
gmail.com yahoo.com hotmail.com outlook.com icloud.com googlemail.com live.com msn.com aol.com
ymail.com rocketmail.com mail.com email.com gmx.com gmx.net gmx.de gmx.at gmx.ch web.de
t-online.de freenet.de posteo.de mailbox.org outlook.de hotmail.de yahoo.de live.de
hotmail.co.uk yahoo.co.uk live.co.uk btinternet.com hotmail.fr yahoo.fr live.fr outlook.fr
orange.fr wanadoo.fr laposte.net hotmail.it yahoo.it live.it libero.it hotmail.es yahoo.es
outlook.es yahoo.ca yahoo.in yahoo.co.in yahoo.co.jp yahoo.com.br yahoo.com.au hotmail.com.br
uol.com.br terra.com.br rediffmail.com me.com mac.com protonmail.com proton.me tutanota.com
tuta.com fastmail.com fastmail.fm hushmail.com zoho.com hey.com comcast.net verizon.net att.net
sbcglobal.net bellsouth.net charter.net cox.net yandex.ru yandex.com mail.ru naver.com seznam.cz
"""
_PROVIDERS = tuple(_LIST.split())
_KNOWN = frozenset(_PROVIDERS)
_SHORTEST_NAME = 5  #: letters: a shorter name is one key away from too many others

#: Endings that no domain has, and what they were meant to be.
_ENDINGS = {
    wrong: right
    for right, all_wrong in {
        "com": "con cim cpm comm coom ccom vom xom ocm cmo clm com,",
        "net": "nett nte ent ner",
        "org": "ogr orgg rog",
    }.items()
    for wrong in all_wrong.split()
}


def likely_slip(address: str) -> str | None:
    """Return the address that was probably meant; None where nothing looks like a slip."""
    local, at, typed = address.strip().rpartition("@")
    meant = _meant(typed.lower()) if local and at else None
    return f"{local}@{meant}" if meant else None


@lru_cache(4096)  # a list has few domains, and every row is asked about
def _meant(domain: str) -> str | None:
    return None if domain in _KNOWN else _provider_like(domain) or _with_real_ending(domain)


def _provider_like(domain: str) -> str | None:
    return next((one for one in _PROVIDERS if _is_long(one) and _one_key_off(domain, one)), None)


def _with_real_ending(domain: str) -> str | None:
    name, dot, ending = domain.rpartition(".")
    if not (name and dot) or ending not in _ENDINGS:
        return None
    mended = f"{name}.{_ENDINGS[ending]}"
    return mended if mended in _KNOWN else _provider_like(mended) or mended


def _is_long(domain: str) -> bool:
    return len(domain.partition(".")[0]) >= _SHORTEST_NAME


def _one_key_off(typed: str, meant: str) -> bool:
    """Return whether one key was missed, added, mistaken, or pressed before its neighbour."""
    start = next((n for n, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), None)
    if start is None:
        return abs(len(typed) - len(meant)) == 1
    one, other = typed[start:], meant[start:]
    swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:]
