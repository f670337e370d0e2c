"""What a polled source answers, what is stored of that, and the source's health."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from newsletter.core.brief import Brief
from newsletter.core.source import PolledSource

_LONGEST_WAIT = timedelta(days=2)  #: however long a server asks us to wait
_SHORTEST_GAP = timedelta(days=3)  #: no longer than a weekend
_FIRST_GAP = timedelta(days=7)  #: of a source of which nothing is known yet


@dataclass(frozen=True, kw_only=True)
class Validators:
    """What the server gave to ask "is it still this?" with (RFC 9110, section 8.8)."""

    basis: str = ""  #: digest of the source and address they were given for
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, kw_only=True)
class RefusedItem:
    """An item that is no brief, and why; the other items are not affected."""

    item: str  #: its place, and its title where it has one
    reason: str


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What became of the items of one reading."""

    new: int = 0
    revised: int = 0
    correction: int = 0
    unchanged: int = 0
    refused: int = 0
    older: int = 0
    undated: int = 0  #: without a date, and there before this source was first read


@dataclass(frozen=True, kw_only=True)
class SourceReading:
    """What a source contains now."""

    briefs: tuple[Brief, ...]
    refused: tuple[RefusedItem, ...] = ()
    older: int = 0  #: items last changed before the time asked for, left alone
    validators: Validators = Validators()
    seen: frozenset[str] = frozenset()  #: keys of all it shows, briefs or not
    every: bool = False  #: a known brief that is not among them is not shown any more
    oldest: datetime | None = None  #: date of the oldest item
    items: int = 0


@dataclass(frozen=True, kw_only=True)
class KnownItem:
    """A brief that came from a source and may still be printed."""

    brief_id: int
    key: str
    title: str
    published: datetime | None


def taken_down(
    reading: SourceReading, known: Iterable[KnownItem], before: Tally
) -> tuple[KnownItem, ...]:
    """Return the known items that their source has taken down.

    A feed forgets its oldest items by itself: one of its items was taken down if older ones are
    still there. Of those beyond the last one shown, one was if the feed is just one item shorter
    than `before`: where several go at once, the page shows fewer. An empty feed says nothing.
    See docs/decisions/stories-taken-down-are-held.md.
    """
    missing = [one for one in known if reading.seen.isdisjoint(_names(one.key))]
    if not (reading.every or reading.items):
        return ()
    within = tuple(one for one in missing if reading.every or _is_within(one, reading))
    beyond = tuple(one for one in missing if one not in within)
    lost = sum(asdict(before).values()) - reading.items
    return within + beyond if len(beyond) == lost - len(within) == 1 else within


def _names(key: str) -> tuple[str, str]:
    """Return the key, and the one it has without the mark of a story under another's id."""
    return key, key.rpartition("#")[0]


def _is_within(item: KnownItem, reading: SourceReading) -> bool:
    return bool(item.published and reading.oldest and item.published > reading.oldest)


@dataclass(frozen=True)
class Unmodified:
    """Nothing changed since it was last read: 304."""


@dataclass(frozen=True)
class Unreadable:
    """It could not be read; nothing was taken."""

    reason: str  #: for people and logs: no address's query, no content
    retry_after: str = ""  #: when to ask again, as the server says it: seconds or an HTTP date


Answer = SourceReading | Unmodified | Unreadable


@dataclass(frozen=True, kw_only=True)
class SourceRecord:
    """What is stored of a source."""

    validators: Validators = Validators()
    polled_at: datetime | None = None  #: None: never
    answered_at: datetime | None = None  #: when it could last be read, or said 304
    failures: int = 0  #: since it could last be read
    failing_since: datetime | None = None
    error: str = ""  #: why the last poll failed; empty if it did not
    tally: Tally = Tally()  #: of the last reading
    refused: tuple[RefusedItem, ...] = ()  #: by the last reading
    retry_at: datetime | None = None  #: not asked before this; its server said so
    read_from: str = ""  #: the address that was read first, and since
    baseline: tuple[str, ...] = ()  #: keys of the undated items of that first reading: no news
    news_at: datetime | None = None  #: when it last brought something new, or was first read
    longest_gap: timedelta = timedelta()  #: between two such moments


class SourceState(StrEnum):
    """The health of a source."""

    UNPOLLED = "unpolled"  #: not polled yet
    UP = "up"
    FAILING = "failing"  #: the last poll failed; the next may not
    DOWN = "down"  #: it has failed for so long that a person should know
    QUIET = "quiet"  #: it answers, and has brought nothing new for longer than it ever did


@dataclass(frozen=True, kw_only=True)
class SourceHealth:
    """The health of a source, and since when."""

    state: SourceState
    failures: int
    since: datetime | None  #: of the first of these failures, or of the last news
    error: str


def recorded(record: SourceRecord, answer: Answer, tally: Tally, now: datetime) -> SourceRecord:
    """Return the record after this answer; `tally` is what came of it, if it was a reading."""
    if isinstance(answer, Unreadable):
        return replace(
            record,
            polled_at=now,
            failures=record.failures + 1,
            failing_since=record.failing_since or now,
            error=answer.reason,
            retry_at=_retry_at(answer.retry_after, now),
        )
    well = replace(
        record,
        polled_at=now,
        answered_at=now,
        failures=0,
        failing_since=None,
        error="",
        retry_at=None,
        news_at=record.news_at or now,
    )
    if isinstance(answer, Unmodified):
        return well
    read = replace(well, validators=answer.validators, tally=tally, refused=answer.refused)
    if not tally.new or record.news_at is None:
        return read
    gap = max(record.longest_gap, now - record.news_at)
    return replace(read, news_at=now, longest_gap=gap)


def is_due(source: PolledSource, record: SourceRecord, now: datetime) -> bool:
    pause = timedelta(minutes=source.poll_minutes)
    rested = record.polled_at is None or now - record.polled_at >= pause
    return rested and not must_wait(record, now)


def must_wait(record: SourceRecord, now: datetime) -> bool:
    """Return whether the source's server asked not to be asked yet."""
    return record.retry_at is not None and now < record.retry_at


def _retry_at(said: str, now: datetime) -> datetime | None:
    """Return when to ask again (RFC 9110, section 10.2.3), at most two days from now."""
    if said.isascii() and said.isdigit():
        at = now + min(timedelta(seconds=int(said[:9])), _LONGEST_WAIT)
    else:
        try:
            named = parsedate_to_datetime(said)
        except ValueError:
            return None
        at = named if named.tzinfo else named.replace(tzinfo=UTC)
    return min(at, now + _LONGEST_WAIT) if at > now else None


def health_of(record: SourceRecord, now: datetime, down_after: timedelta) -> SourceHealth:
    """Return a source's health; it is down once it has failed for `down_after`."""
    since = record.failing_since
    if since is not None:
        state = SourceState.DOWN if now - since >= down_after else SourceState.FAILING
    else:
        state = SourceState.UP if record.polled_at else SourceState.UNPOLLED
        if _is_quiet(record, now):
            state, since = SourceState.QUIET, record.news_at
    return SourceHealth(state=state, failures=record.failures, since=since, error=record.error)


def _is_quiet(record: SourceRecord, now: datetime) -> bool:
    """Return whether nothing new came for longer than ever, half as long again at least."""
    if record.news_at is None:
        return False
    known = max(1.5 * record.longest_gap, _SHORTEST_GAP)
    return now - record.news_at > (known if record.longest_gap else _FIRST_GAP)


class PollResult(StrEnum):
    """What a poll came to."""

    READ = "read"
    UNMODIFIED = "unmodified"
    FAILED = "failed"
    BUSY = "busy"  #: somebody else is polling it
    WAITING = "waiting"  #: its server asked not to be asked yet
