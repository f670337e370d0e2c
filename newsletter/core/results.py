"""Results: what became of an issue's letters, counted by delivery, never by event.

Each delivery counts once for a word, however often and in whatever order its events come. What a
person did and what only a machine did are counted apart: the truth lies between.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from newsletter.core.events import EventKind
from newsletter.core.web_address import page_key, web_url

COMING_IN = timedelta(hours=72)  #: so long after an issue left, events still move its results

#: What events said of a delivery, each kind a bit of its column `reported`.
REPORTED: Mapping[EventKind, int] = {
    EventKind.DELIVERED: 1,
    EventKind.OPENED: 2,
    EventKind.OPENED_BY_MACHINE: 4,
    EventKind.CLICKED: 8,
    EventKind.CLICKED_BY_MACHINE: 16,
    EventKind.COMPLAINED: 32,
    EventKind.UNSUBSCRIBED: 64,
    EventKind.DROPPED: 128,
    EventKind.BLOCKED: 256,
    EventKind.SOFT_BOUNCED: 512,
    EventKind.BOUNCED: 1024,
}

#: What shows that the letter was there, whatever else was said of it.
_THERE = 2 | 4 | 8 | 16 | 32 | 64
_DELIVERED = 1

#: Whose hand followed a link of a story: bits of a story's clicks.
BY_PERSON, BY_MACHINE = 1, 2


class ResultWord(StrEnum):
    """What became of a letter; of those that came back each has one word."""

    ARRIVED = "arrived"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    DROPPED = "dropped"
    OPENED = "opened"  #: by a person, or a person followed a link of it
    OPENED_BY_MACHINE = "opened_by_machine"  #: and by no person, as far as can be told
    CLICKED = "clicked"
    CLICKED_BY_MACHINE = "clicked_by_machine"  #: and by no person
    COMPLAINED = "complained"


#: In this order: what was refused for good says more than what was refused for now.
_CAME_BACK = (
    (1024 | 512, ResultWord.BOUNCED),
    (256, ResultWord.BLOCKED),
    (128, ResultWord.DROPPED),
)


#: The words that a statement can look for: some of these bits, and none of those.
MASKS: Mapping[ResultWord, tuple[int, int]] = {
    ResultWord.BOUNCED: (1024 | 512, _THERE),
    ResultWord.BLOCKED: (256, _THERE | 1024 | 512),
    ResultWord.DROPPED: (128, _THERE | 1024 | 512 | 256),
    ResultWord.COMPLAINED: (32, 0),
}

#: Bits that show that a person opened or clicked; `_engagement` specifies them.
BY_READER: Mapping[ResultWord, int] = {ResultWord.OPENED: 2 | 8, ResultWord.CLICKED: 8}

#: A letter arrived where one of the first is said, or the second and none of the last.
ARRIVED_MASKS = (_THERE, _DELIVERED, 1024 | 512 | 256 | 128)


def words_of(reported: int) -> frozenset[ResultWord]:
    """Return the words for what events said of one delivery."""
    words = set(_engagement(reported))
    back = next((word for bits, word in _CAME_BACK if reported & bits), None)
    if reported & _THERE:
        words.add(ResultWord.ARRIVED)
    elif back:
        words.add(back)
    elif reported & _DELIVERED:
        words.add(ResultWord.ARRIVED)
    return frozenset(words)


def _engagement(reported: int) -> Iterable[ResultWord]:
    opened, clicked = reported & (2 | 8), reported & 8
    if opened:
        yield ResultWord.OPENED
    elif reported & 4:
        yield ResultWord.OPENED_BY_MACHINE
    if clicked:
        yield ResultWord.CLICKED
    elif reported & 16:
        yield ResultWord.CLICKED_BY_MACHINE
    if reported & 32:
        yield ResultWord.COMPLAINED


def moved(before: int, after: int) -> Counter[ResultWord]:
    """Return by how much each word's count changes when more was said of one delivery."""
    change = Counter(words_of(after))
    change.subtract(words_of(before))
    return Counter({word: count for word, count in change.items() if count})


def stories_behind(link: str, sources: Mapping[int, str]) -> tuple[int, ...]:
    """Return the briefs that a link in a letter belongs to, given the source of each."""
    return tuple(
        brief_id
        for brief_id, url in sources.items()
        if web_url(url) and page_key(url) == page_key(link)
    )


@dataclass(frozen=True, kw_only=True)
class ResultRange:
    """How many did something: at least these people, and at most the machines' letters too."""

    people: int
    machines: int  #: by machines alone

    @property
    def most(self) -> int:
        return self.people + self.machines


@dataclass(frozen=True, kw_only=True)
class _Followed:
    sent: int
    people: int
    machines: int

    @property
    def share(self) -> float | None:
        """Return the share of those who were sent it; None if nobody was."""
        return share(self.people, self.sent)


@dataclass(frozen=True, kw_only=True)
class StoryResult(_Followed):
    """What became of one story: who followed its link, of those who were sent it."""

    brief_id: int
    title: str
    topics: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TopicResult(_Followed):
    """The stories of one topic together: a reader who was sent two of them counts twice."""

    topic: str
    stories: int


@dataclass(frozen=True, kw_only=True)
class IssueResults:
    """What became of one issue's letters so far."""

    date: date
    accepted: int
    words: Mapping[ResultWord, int]
    left: int  #: unsubscribed after it and before the next, and did not complain
    stories: tuple[StoryResult, ...]  #: in the order of the issue
    planned_at: datetime | None
    last_event: datetime | None

    def count(self, word: ResultWord) -> int:
        return self.words.get(word, 0)

    def share(self, count: int) -> float | None:
        """Return what share of the letters that arrived this is; None while none did."""
        return share(count, self.count(ResultWord.ARRIVED))

    @property
    def came_back(self) -> int:
        return sum(self.count(word) for _, word in _CAME_BACK)

    @property
    def opened(self) -> ResultRange:
        return self._range(ResultWord.OPENED, ResultWord.OPENED_BY_MACHINE)

    @property
    def clicked(self) -> ResultRange:
        return self._range(ResultWord.CLICKED, ResultWord.CLICKED_BY_MACHINE)

    @property
    def no_answer(self) -> int:
        """Return of how many letters neither was said: that they arrived, or that they did not."""
        return max(0, self.accepted - self.count(ResultWord.ARRIVED) - self.came_back)

    def still_coming_in(self, now: datetime) -> bool:
        return self.planned_at is not None and now < self.planned_at + COMING_IN

    @property
    def topics(self) -> tuple[TopicResult, ...]:
        """Return the stories by topic, those with the largest share first."""
        names = dict.fromkeys(topic for story in self.stories for topic in story.topics)
        found = (_topic(name, [s for s in self.stories if name in s.topics]) for name in names)
        return tuple(sorted(found, key=lambda one: -(one.share or 0)))

    def _range(self, people: ResultWord, machines: ResultWord) -> ResultRange:
        return ResultRange(people=self.count(people), machines=self.count(machines))


@dataclass(frozen=True, kw_only=True)
class ResultLine:
    """One issue in the trend: its figures, and the weekday it is compared by."""

    date: date
    accepted: int
    words: Mapping[ResultWord, int]

    @property
    def weekday(self) -> int:
        """Return the weekday, Monday being 0."""
        return self.date.weekday()

    def count(self, word: ResultWord) -> int:
        return self.words.get(word, 0)

    def share(self, word: ResultWord) -> float | None:
        return share(self.count(word), self.count(ResultWord.ARRIVED))


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _topic(topic: str, stories: list[StoryResult]) -> TopicResult:
    return TopicResult(
        topic=topic,
        stories=len(stories),
        sent=sum(one.sent for one in stories),
        people=sum(one.people for one in stories),
        machines=sum(one.machines for one in stories),
    )
