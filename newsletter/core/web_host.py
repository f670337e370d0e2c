"""Hosts of web addresses: their form in the DNS, and those that pretend to be another."""

import ipaddress
import re
import unicodedata

import idna

_PRIVATE_ENDINGS = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "onion")
_NUMERIC_LABEL = re.compile(r"(?i)\d+|0x[0-9a-f]*")  # WHATWG URL: such a last label means IPv4
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})
#: Cyrillic and Greek letters that look like Latin ones (Unicode TS 39, confusables).
_LOOKALIKES = frozenset("асеорхуіјѕһԁԛԝӏоνιαρυ")


def ascii_host(host: str) -> str:
    """Return the host as the DNS knows it, in Punycode; empty if it cannot be one."""
    bare = host.rstrip(".").lower()
    if bare.isascii():
        return bare
    try:
        return idna.encode(bare, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""


def why_unfit_host(host: str) -> str:
    """Return why readers cannot be sent to this host; empty when they can."""
    known = ascii_host(host)
    if not known or not _is_public(known):
        return f"{host} is not a public host"
    if any(map(_pretends, _spelled(known).split("."))):
        return f"{host} ({known}) mixes alphabets, or only looks like another host"
    return ""


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        labels = host.split(".")
        named = len(labels) > 1 and all(labels) and not _NUMERIC_LABEL.fullmatch(labels[-1])
        return named and labels[-1] not in _PRIVATE_ENDINGS and not host.endswith(".home.arpa")


def _spelled(host: str) -> str:
    """Return the host as a reader would see it; one that cannot be spelled stays as it is."""
    try:
        return idna.decode(host) if "xn--" in host else host
    except (idna.IDNAError, UnicodeError):
        return host


def _pretends(label: str) -> bool:
    letters = [letter for letter in label if letter.isalpha()]
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in letters}
    if scripts & _EAST_ASIAN:  # these are written with Latin letters among them
        scripts -= _EAST_ASIAN | {"LATIN"}
        return bool(scripts)
    alike = len(letters) > 1 and all(letter in _LOOKALIKES for letter in letters)
    return alike or len(scripts) > 1
