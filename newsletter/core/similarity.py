"""Similarity: whether two titles tell the same story. See docs/decisions/duplicates-are-held.md."""

import re

_ALIKE = 0.7  # shared words / all words; tried on rewordings of one headline
_FEWEST = 3  # fewer words than this say too little: they must be the same
_SMALL = """
    a an and are as at be by for from has have in into is it its of on or says that the their this
    to was will with
"""
_SMALL_WORDS = frozenset(_SMALL.split())


def alike(one: str, other: str) -> bool:
    """Return whether two titles say nearly the same; another number makes another story."""
    mine, theirs = _words(one), _words(other)
    if mine == theirs:
        return bool(mine)
    if min(len(mine), len(theirs)) < _FEWEST or _numbers(mine) != _numbers(theirs):
        return False
    return len(mine & theirs) >= _ALIKE * len(mine | theirs)


def _words(title: str) -> frozenset[str]:
    words = frozenset(re.findall(r"\w+", title.casefold().replace("’", "'").replace("'s", "")))
    return words - _SMALL_WORDS or words


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if any(c.isdigit() for c in word))
