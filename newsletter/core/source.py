"""Polled source: a feed or a WordPress site whose items become briefs, as a file defines it."""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from newsletter.core.brief import Importance, Verification
from newsletter.core.web_address import is_web_address

_LONGEST_PAUSE = 1440  #: minutes: a daily newsletter asks once a day at least
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_PATH = re.compile(r"[^.\s]+(?:\.[^.\s]+)*")


class SourceKind(StrEnum):
    """What is polled."""

    FEED = "feed"  #: RSS, Atom or JSON Feed; which one, the document says
    WORDPRESS = "wordpress"  #: posts by the REST API, /wp-json/wp/v2/posts


@dataclass(frozen=True, kw_only=True)
class FieldMap:
    """Where an item says what: names parted by dots (`acf.label`); empty: the usual place."""

    verification: str = ""  #: how far it is verified
    importance: str = ""  #: H, M or L
    minutes: str = ""  #: reading time
    source: str = ""  #: who reported it
    source_url: str = ""  #: where it can be read
    topics: str = ""  #: its topics or terms
    summary: str = ""  #: what happened
    why: str = ""  #: why it matters
    picture: str = ""  #: address of its picture; there is no usual place
    picture_alt: str = ""  #: what the picture shows; there is no usual place


@dataclass(frozen=True, kw_only=True)
class FieldDefaults:
    """What holds for an item that does not say it. Missing evidence never counts as verified."""

    verification: Verification = Verification.UNVERIFIED  #: how far it is verified
    importance: Importance = Importance.MEDIUM  #: how much it matters
    minutes: int = 0  #: reading time; 0: none
    source: str = ""  #: who reported it
    topics: tuple[str, ...] = ()  #: topics, by slug


@dataclass(frozen=True, kw_only=True)
class PolledSource:
    """A source as the newsletter's file defines it."""

    slug: str  #: part of its briefs' keys: another slug makes all of them new
    kind: SourceKind  #: what is polled
    url: str  #: of the feed; of the WordPress site, or of one of its REST collections
    poll_minutes: int = 15  #: from one poll to the next
    categories: tuple[int, ...] = ()  #: WordPress: ids; only posts of these are asked for
    fields: FieldMap = FieldMap()
    defaults: FieldDefaults = FieldDefaults()
    # A mapping has no hash; sources, and the newsletters that have them, need one.
    topics: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)  #: term: topic

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all that is defined here: how an item is read depends on it."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()

    @property
    def shown_url(self) -> str:
        """Return the address without its query, where a private feed keeps its token."""
        return urlsplit(self.url)._replace(query="", fragment="").geturl()


def source_faults(
    sources: tuple[PolledSource, ...], topics: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield key and sentence for each thing that is wrong with a newsletter's sources."""
    slugs = [source.slug for source in sources]
    for number, source in enumerate(sources):
        for key, sentence in _faults(source, topics):
            yield f"sources.{number}.{key}", sentence
        if source.slug in slugs[:number]:
            yield f"sources.{number}.slug", f"{source.slug!r} is another source's"


def _faults(source: PolledSource, topics: Collection[str]) -> Iterator[tuple[str, str]]:
    if not _SLUG.fullmatch(source.slug):
        yield "slug", "must be small letters, digits and hyphens, at most 40"
    if not is_web_address(source.url):
        yield "url", "must be an address that begins with http:// or https://"
    elif "@" in urlsplit(source.url).netloc:
        yield "url", "must not carry a user name or password"
    if not 1 <= source.poll_minutes <= _LONGEST_PAUSE:
        yield "poll_minutes", f"must be between 1 and {_LONGEST_PAUSE}"
    if source.categories and source.kind is not SourceKind.WORDPRESS:
        yield "categories", "only WordPress has them; map a feed's with topics"
    yield from _mapping_faults(source, topics)


def _mapping_faults(source: PolledSource, topics: Collection[str]) -> Iterator[tuple[str, str]]:
    if source.defaults.minutes < 0:
        yield "defaults.minutes", "must not be negative"
    for name, path in asdict(source.fields).items():
        if path and not _PATH.fullmatch(path):
            yield f"fields.{name}", f"{path!r} is not names parted by dots"
    named = {"defaults.topics": source.defaults.topics, "topics": tuple(source.topics.values())}
    for key, slugs in named.items():
        if unknown := [slug for slug in slugs if slug not in topics]:
            yield key, f"there is no topic {unknown[0]!r}"
