"""Link check: whether the address a story names still answers, and when that must be asked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from html import unescape
from urllib.parse import urlsplit

from newsletter.core.issue import Issue

KEPT = timedelta(hours=1)  #: an answer is good for so long
BEFORE_SENDING = timedelta(minutes=15)  #: when every link is checked once more

_PICTURE = re.compile(r'<img\b[^>]*\ssrc="(https?://[^"]+)"', re.IGNORECASE)
_GONE = (404, 410)
_FINE = range(200, 300)


class LinkState(StrEnum):
    """What is known of a link."""

    FINE = "fine"
    DEAD = "dead"  #: there is no such page, or no such host
    UNSURE = "unsure"  #: it may well work for a reader: refused to machines, or too slow for now


@dataclass(frozen=True, kw_only=True)
class LinkCheck:
    """The latest answer of a link."""

    url: str
    state: LinkState
    reason: str = ""  #: why it is not fine
    final_url: str = ""  #: where it led in the end
    length: int = 0  #: bytes of what is there, as it says; 0: it does not say
    at: datetime


def link_state(status: int) -> LinkState:
    """Return what an HTTP status says of a link.

    >>> [str(link_state(status)) for status in (204, 404, 403, 500)]
    ['fine', 'dead', 'unsure', 'unsure']
    """
    if status in _FINE:
        return LinkState.FINE
    return LinkState.DEAD if status in _GONE else LinkState.UNSURE


def story_links(issue: Issue) -> tuple[str, ...]:
    """Return the links of an issue's stories, each once."""
    urls = (entry.brief.source.url for entry in issue.entries)
    return tuple(dict.fromkeys(url for url in urls if url))


def picture_links(html: str) -> tuple[str, ...]:
    """Return the addresses of a page's remote pictures, each once.

    >>> picture_links('<img alt="" src="https://example.org/a?b=1&amp;c=2"><img src="cid:x">')
    ('https://example.org/a?b=1&c=2',)
    """
    return tuple(dict.fromkeys(map(unescape, _PICTURE.findall(html))))


def due_links(
    urls: Iterable[str],
    known: Iterable[LinkCheck],
    *,
    assembled: datetime,
    send: datetime,
    now: datetime,
) -> tuple[str, ...]:
    """Return the links to check now: when a draft is set, and again shortly before it leaves."""
    last_look = send - BEFORE_SENDING
    needed = last_look if last_look <= now < send else assembled - KEPT
    checked = {check.url: check.at for check in known}
    return tuple(url for url in urls if url not in checked or checked[url] < needed)


def same_site(one: str, other: str) -> bool:
    """Return whether two links lead to one site, or to parts of one.

    >>> same_site("https://www.wire.example/a", "http://news.wire.example/b?c")
    True
    >>> same_site("https://wire.example/a", "https://parked.example.net/")
    False
    """
    return _site(one) == _site(other)


def _site(url: str) -> str:
    return ".".join((urlsplit(url).hostname or "").split(".")[-2:])
