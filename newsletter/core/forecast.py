"""Forecast: how many would get which edition of an issue if it were planned now."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from newsletter.core.edition import Edition, edition_for
from newsletter.core.issue import Issue
from subscribers.model import AudienceCounts, Exclusion, TopicSet, TopicSetCount

_TOLERANCE = 0.2  #: by which the number of readers may differ from the one that was shown


def is_about(readers: int, shown: int) -> bool:
    """Return whether an issue goes to about as many as somebody was shown, who has it leave."""
    return abs(readers - shown) <= _TOLERANCE * shown


@dataclass(frozen=True, kw_only=True)
class ForecastEdition:
    """An edition with the number of its readers, and one choice of topics that leads to it."""

    edition: Edition
    readers: int
    topics: TopicSet  #: of its readers' choices, the one that most of them made


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a plan made now would store, in numbers: each person is counted once."""

    issue: Issue
    editions: tuple[ForecastEdition, ...]  #: the one with most readers first
    exclusions: dict[Exclusion, int]  #: the most frequent reason first
    without_story: tuple[TopicSetCount, ...]  #: who gets nothing, by what they chose; most first
    counted_at: datetime  #: the moment whose readers these are

    @cached_property
    def readers(self) -> int:
        return sum(one.readers for one in self.editions)

    def readers_of(self, brief_id: int) -> int:
        """Count the readers whose letter prints this brief."""
        return self._readers_by_brief[brief_id]

    @cached_property
    def _readers_by_brief(self) -> Counter[int]:
        """Count them for each brief in one pass: there may be thousands of editions."""
        readers = Counter[int]()
        for one in self.editions:
            for brief_id in one.edition.brief_ids:
                readers[brief_id] += one.readers
        return readers

    @property
    def people(self) -> int:
        """Count everybody on the list, readers and excluded."""
        return self.readers + sum(self.exclusions.values())


def forecast(issue: Issue, counts: Iterable[TopicSetCount], counted_at: datetime) -> Forecast:
    """Return who would get what of an issue, given how many made each choice at a moment."""
    counts = sorted(counts, key=lambda one: (-one.people, sorted(one.topics.slugs)))
    choose = edition_chooser(issue)
    mailable = [(one, choose(one.topics)) for one in counts if one.exclusion is None]
    without = tuple(one for one, edition in mailable if edition is None)
    excluded = Counter[Exclusion]()
    for one in counts:
        if one.exclusion:
            excluded[one.exclusion] += one.people
    if without:
        excluded[Exclusion.NO_STORY] += sum(one.people for one in without)
    editions = _editions((one, edition) for one, edition in mailable if edition)
    return Forecast(
        issue=issue,
        editions=tuple(sorted(editions, key=lambda one: (-one.readers, one.edition.key))),
        exclusions=dict(excluded.most_common()),
        without_story=without,
        counted_at=counted_at,
    )


def audience_counts(counts: Iterable[TopicSetCount]) -> AudienceCounts:
    """Return how many may be written to and how many may not, of either frequency."""
    people = Counter[Exclusion | None]()
    for one in counts:
        people[one.exclusion] += one.people
    return AudienceCounts(
        mailable=people[None] + people[Exclusion.OTHER_FREQUENCY],
        suppressed=people[Exclusion.SUPPRESSED],
        ended=people[Exclusion.ENDED],
        paused=people[Exclusion.PAUSED],
    )


def edition_chooser(issue: Issue) -> Callable[[TopicSet], Edition | None]:
    """Return `edition_for` of this issue, quick for thousands of choices that lead to few."""
    known: dict[tuple[int, ...], Edition | None] = {}

    def choose(topics: TopicSet) -> Edition | None:
        ids = tuple(one.brief_id for one in issue.entries if topics.chooses(one.topics))
        if ids not in known:
            known[ids] = edition_for(issue, topics)
        return known[ids]

    return choose


def _editions(chosen: Iterable[tuple[TopicSetCount, Edition]]) -> Iterator[ForecastEdition]:
    """Yield each edition once; the choices come in order, the most frequent first."""
    readers = Counter[str]()
    first: dict[str, tuple[Edition, TopicSet]] = {}
    for one, edition in chosen:
        readers[edition.key] += one.people
        first.setdefault(edition.key, (edition, one.topics))
    for key, (edition, topics) in first.items():
        yield ForecastEdition(edition=edition, readers=readers[key], topics=topics)
