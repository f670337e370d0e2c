"""Similarity: whether two titles tell the same story. See docs/decisions/duplicates-are-held.md."""

import re
from functools import lru_cache

from newsletter.core.brief import Brief
from newsletter.core.web_address import same_page

_ALIKE = 0.7  # shared words / all words; tried on rewordings of one headline
_FEWEST = 3  # fewer words than this say too little: they must be the same
_SMALL = """
    a an and are as at be by for from has have in into is it its of on or says that the their this
    to was will with
"""
_SMALL_WORDS = frozenset(_SMALL.split())


def alike(one: str, other: str) -> bool:
    """Return whether two titles say nearly the same.

    Another number makes another story, and so do swapped subjects: "Epic sues Google"
    is not "Google sues Epic".
    """
    mine, theirs = _words(one), _words(other)
    if len(mine & theirs) < _ALIKE * len(mine | theirs):
        return False  # as almost every pair
    if _swapped(one, other, mine & theirs):
        return False
    if mine == theirs:
        return bool(mine)
    return min(len(mine), len(theirs)) >= _FEWEST and _numbers(mine) == _numbers(theirs)


def is_another_story(one: Brief, other: Brief) -> bool:
    """Return whether two briefs differ in link and title: no revision of one another."""
    links = one.source.url, other.source.url
    return all(links) and not same_page(*links) and not alike(one.title, other.title)


def _swapped(one: str, other: str, shared: frozenset[str]) -> bool:
    """Return whether two parts of the shared words changed places around a third, as above.

    "Court says fab may grow" and "Fab may grow, court says" have no third part.
    """
    first, second = ([w for w in _in_order(t) if w in shared] for t in (one, other))
    mine, theirs = list(dict.fromkeys(first)), list(dict.fromkeys(second))
    while mine and mine[0] == theirs[0]:
        mine, theirs = mine[1:], theirs[1:]
    while mine and mine[-1] == theirs[-1]:
        mine, theirs = mine[:-1], theirs[:-1]
    if not mine:
        return False
    head, tail = len(theirs) - theirs.index(mine[0]), theirs.index(mine[-1]) + 1
    middle = mine[head : len(mine) - tail]
    return bool(middle) and theirs == mine[-tail:] + middle + mine[:head]


def _in_order(title: str) -> list[str]:
    return re.findall(r"\w+", title.casefold().replace("’", "'").replace("'s", ""))


@lru_cache(maxsize=8192)  # each title is compared with every other
def _words(title: str) -> frozenset[str]:
    words = frozenset(_in_order(title))
    return words - _SMALL_WORDS or words


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if any(c.isdigit() for c in word))
