"""Polled source: a feed or a WordPress site whose items become briefs, and how it is doing."""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from newsletter.core.brief import Brief, Importance, Verification
from newsletter.core.web_address import is_web_address

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_PATH = re.compile(r"[^.\s]+(?:\.[^.\s]+)*")


class SourceKind(StrEnum):
    """What is polled."""

    FEED = "feed"  #: RSS, Atom or JSON Feed; which one, the document says
    WORDPRESS = "wordpress"  #: posts by the REST API, /wp-json/wp/v2/posts


@dataclass(frozen=True, kw_only=True)
class FieldMap:
    """Where an item says what: names parted by dots, such as `acf.label`; empty: the usual place."""

    verification: str = ""
    importance: str = ""
    minutes: str = ""
    source: str = ""
    source_url: str = ""
    topics: str = ""
    summary: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class FieldDefaults:
    """What holds of an item that does not say it. Nothing is verified for want of a word."""

    verification: Verification = Verification.UNVERIFIED
    importance: Importance = Importance.MEDIUM
    minutes: int = 0
    source: str = ""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PolledSource:
    """A source as the newsletter's file defines it."""

    slug: str  #: part of its briefs' keys: another slug makes all of them new
    kind: SourceKind
    url: str  #: of the feed; of the WordPress site, or of one of its REST collections
    categories: tuple[int, ...] = ()  #: WordPress: ids; only posts of these are asked for
    fields: FieldMap = FieldMap()
    defaults: FieldDefaults = FieldDefaults()
    topics: Mapping[str, str] = field(default_factory=dict[str, str])  #: its term: our topic

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all that is defined here: how an item is read depends on it."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()

    @property
    def shown_url(self) -> str:
        """Return the address without its query, where a private feed keeps its token."""
        return urlsplit(self.url)._replace(query="", fragment="").geturl()


@dataclass(frozen=True, kw_only=True)
class Validators:
    """What the server gave to ask "is it still this?" with (RFC 9110, section 8.8)."""

    basis: str = ""  #: digest of the source and address they were given for
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, kw_only=True)
class RefusedItem:
    """An item that is no brief, and why; its neighbours are none the worse."""

    item: str  #: its place, and its title where it has one
    reason: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a source says now."""

    briefs: tuple[Brief, ...]
    refused: tuple[RefusedItem, ...] = ()
    older: int = 0  #: items last changed before the time asked for, left alone
    validators: Validators = Validators()


@dataclass(frozen=True)
class Unmodified:
    """It says what it said when it was last read: 304."""


@dataclass(frozen=True)
class Unreadable:
    """It could not be read; nothing was taken."""

    reason: str  #: for people and logs: no address's query, no content


Answer = Reading | Unmodified | Unreadable


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What became of the items of one reading."""

    new: int = 0
    revised: int = 0
    correction: int = 0
    unchanged: int = 0
    refused: int = 0
    older: int = 0


@dataclass(frozen=True, kw_only=True)
class SourceRecord:
    """A source as it stands on file."""

    validators: Validators = Validators()
    polled_at: datetime | None = None  #: None: never
    answered_at: datetime | None = None  #: when it could last be read, or said 304
    failures: int = 0  #: since it could last be read
    failing_since: datetime | None = None
    error: str = ""  #: why the last poll failed; empty if it did not
    tally: Tally = Tally()  #: of the last reading
    refused: tuple[RefusedItem, ...] = ()  #: by the last reading


class SourceState(StrEnum):
    """How a source is doing."""

    UNPOLLED = "unpolled"  #: nobody has asked it yet
    UP = "up"
    FAILING = "failing"  #: the last poll failed; the next may not
    DOWN = "down"  #: it has failed for so long that a person should know


@dataclass(frozen=True, kw_only=True)
class SourceHealth:
    """How a source is doing, and since when."""

    state: SourceState
    failures: int
    since: datetime | None  #: of the first of these failures
    error: str


def recorded(
    record: SourceRecord, answer: Answer, now: datetime, tally: Tally | None = None
) -> SourceRecord:
    """Return the record after this answer; `tally` is what a reading came to."""
    if isinstance(answer, Unreadable):
        return replace(
            record,
            polled_at=now,
            failures=record.failures + 1,
            failing_since=record.failing_since or now,
            error=answer.reason,
        )
    well = replace(
        record, polled_at=now, answered_at=now, failures=0, failing_since=None, error=""
    )
    if isinstance(answer, Unmodified):
        return well
    return replace(
        well, validators=answer.validators, tally=tally or Tally(), refused=answer.refused
    )


def health_of(record: SourceRecord, now: datetime, down_after: timedelta) -> SourceHealth:
    """Say how a source is doing; it is down once it has failed for `down_after`."""
    since = record.failing_since
    if since is not None:
        state = SourceState.DOWN if now - since >= down_after else SourceState.FAILING
    else:
        state = SourceState.UP if record.polled_at else SourceState.UNPOLLED
    return SourceHealth(state=state, failures=record.failures, since=since, error=record.error)


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
    if source.categories and source.kind is not SourceKind.WORDPRESS:
        yield "categories", "only WordPress has them; map a feed's with topics"
    if source.defaults.minutes < 0:
        yield "defaults.minutes", "must not be negative"
    for name, path in asdict(source.fields).items():
        if path and not _PATH.fullmatch(path):
            yield f"fields.{name}", f"{path!r} is not names parted by dots"
    named = {"defaults.topics": source.defaults.topics, "topics": tuple(source.topics.values())}
    for key, slugs in named.items():
        if unknown := [slug for slug in slugs if slug not in topics]:
            yield key, f"there is no topic {unknown[0]!r}"
