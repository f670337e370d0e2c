"""Which passwords are refused: short ones, and those that are tried first."""

import re

from newsletter.core.sign_in import email_key

SHORTEST = 12
LONGEST_PASSWORD = 1024  #: so that nobody makes the hash expensive
_DISTINCT = 5  #: different characters, at least

_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "98765432109876543210",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "zaq12wsxcde34rfvbgt56yhn",
)

#: What common passwords consist of, after digits and signs are taken off their ends.
_WORDS = """
    access admin administrator asdf autumn baseball basketball batman changeit changeme charlie
    chocolate computer correcthorsebatterystaple default donttellanyone dragon example flower
    football freedom hello iloveyou internet jordan killer letmein letmeinnow liverpool login
    loveyou manchester marketing master michael microsoft monkey mustang mynewpassword mypassword
    myspace newpassword newsletter ninja pass passpass passw password passwort pokemon princess
    qwerty root secret secretpassword security shadow spring starwars summer sunshine superman
    supersecret superuser temporary temppassword test thepassword thisisapassword trustno unknown
    user welcome whatever winter yourpassword
"""
_COMMON = frozenset(_WORDS.split())
_LEET = str.maketrans("0134578@$!", "oieastbasi")


def password_fault(password: str, *, email: str = "", name: str = "") -> str | None:
    """Return why this password is refused, in a sentence; None if it is good."""
    if len(password) < SHORTEST:
        return f"use at least {SHORTEST} characters; a few words in a row are easy to remember"
    if len(password) > LONGEST_PASSWORD:
        return f"use at most {LONGEST_PASSWORD} characters"
    plain = password.casefold()
    if len(set(plain)) < _DISTINCT or _is_run(plain) or _is_common(plain):
        return "this is one of the passwords that are tried first; choose another one"
    if _is_of_person(plain, email, name):
        return "a password must not be made of your own name or address"
    return None


def _is_run(plain: str) -> bool:
    """Return whether most of it goes along the alphabet or the keyboard, once or repeatedly."""
    bare = re.sub(r"[^a-z0-9]", "", plain)
    parts = (part for part in (bare, bare.strip("0123456789")) if len(part) * 2 >= len(plain))
    return any(part in run * 4 or part in run[::-1] * 4 for part in parts for run in _RUNS)


def _is_common(plain: str) -> bool:
    """Return whether it is a common word among digits and signs, or consists of these alone."""
    if not any(character.isalpha() for character in plain):
        return True
    core = re.sub(r"^[^a-z]+|[^a-z]+$", "", plain)
    spellings = (core, core.translate(_LEET), plain.translate(_LEET))
    bare = {re.sub(r"[^a-z]", "", one) for one in spellings}
    return not _COMMON.isdisjoint(bare | set(map(_once, bare)))


def _once(word: str) -> str:
    """Return the word without its repetitions."""
    found = re.fullmatch(r"(.+?)\1+", word)
    return found[1] if found else word


def _is_of_person(plain: str, email: str, name: str) -> bool:
    key = email_key(email)
    parts = {key, key.partition("@")[0], name.casefold(), name.casefold().replace(" ", "")}
    bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    return any(part and bare == re.sub(r"^[\W\d_]+|[\W\d_]+$", "", part) for part in parts)
