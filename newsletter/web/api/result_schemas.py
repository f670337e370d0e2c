"""What went, as the API says it: sums, results, and what became of one reader's letter."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Self

from pydantic import Field

from newsletter.core.issue_totals import DeliveryRecord, IssueTotals
from newsletter.core.results import (
    IssueResults,
    ResultLine,
    ResultWord,
    StoryResult,
    TopicResult,
)
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.services.explain import Explanation
from newsletter.web.api.issue_schemas import IssueCounts
from newsletter.web.api.schemas import ApiModel


class IssueAccount(IssueCounts):
    """The sums of an issue, each with its parts."""

    newsletter: str
    date: date
    status: IssueStatus
    exclusions: dict[str, int] = Field(description="The excluded, by reason.")
    skips: dict[str, int] = Field(description="The skipped, by reason.")
    refusals: dict[str, int] = Field(description="The refused, by reason.")
    doubles: dict[str, int] = Field(description="The doubled, by batch.")
    editions: int
    batches: dict[str, int] = Field(description="By state.")
    requests: int = Field(description="That reached SendGrid, and ended.")
    events: dict[str, int] = Field(description="Deliveries by the highest state reported.")
    awaited: str | None = Field(description="What the end of the issue waits for.")
    letters_released: str | None = Field(description="Since when nobody knows any longer who.")

    @classmethod
    def account(cls, stored: StoredIssue, totals: IssueTotals, released: str | None) -> Self:
        sending = stored.state is IssueStatus.SENDING
        return cls.like(
            totals.sums,
            totals,
            newsletter=stored.issue.newsletter,
            date=stored.issue.date,
            status=stored.state,
            doubles={str(batch): count for batch, count in totals.doubled.items()},
            awaited=totals.awaited if sending else None,
            letters_released=released,
        )


class ResultCount(ApiModel):
    """At least these people; machines alone did it for the others, and the truth lies between."""

    people: int
    machines: int


class StoryResultItem(ApiModel):
    """Who followed the link of a story, of those who were sent it."""

    brief: int
    title: str
    topics: list[str]
    sent: int
    clicked: ResultCount

    @classmethod
    def of(cls, one: StoryResult) -> Self:
        return cls.like(one, brief=one.brief_id, clicked=ResultCount.like(one))


class TopicResultItem(ApiModel):
    """The stories of a topic together: who was sent two of them counts twice."""

    topic: str
    stories: int
    sent: int
    clicked: ResultCount

    @classmethod
    def of(cls, one: TopicResult) -> Self:
        return cls.like(one, clicked=ResultCount.like(one))


class DayResult(ApiModel):
    """What became of the letters of one day's issue."""

    date: date
    accepted: int
    arrived: int
    bounced: int
    blocked: int
    dropped: int
    complained: int
    opened: ResultCount
    clicked: ResultCount

    @classmethod
    def day(cls, line: ResultLine) -> Self:
        return cls(date=line.date, accepted=line.accepted, **counts_of(line.words))


class IssueResultsItem(DayResult):
    """What became of an issue's letters so far, people and machines apart."""

    left: int = Field(description="Unsubscribed after it and before the next one.")
    no_answer: int = Field(description="Neither arrived nor came back, as far as is known.")
    coming_in: bool = Field(description="Events are expected to move these figures yet.")
    planned_at: datetime | None
    last_event: datetime | None
    stories: list[StoryResultItem]
    topics: list[TopicResultItem]

    @classmethod
    def of(cls, found: IssueResults, *, coming_in: bool) -> Self:
        return cls.like(
            found,
            coming_in=coming_in,
            stories=[StoryResultItem.of(one) for one in found.stories],
            topics=[TopicResultItem.of(one) for one in found.topics],
            **counts_of(found.words),
        )


def counts_of(words: Mapping[ResultWord, int]) -> dict[str, Any]:
    """Return the counts that an issue and a day have alike."""
    plain = ("arrived", "bounced", "blocked", "dropped", "complained")
    counts: dict[str, Any] = {name: words.get(ResultWord(name), 0) for name in plain}
    for name in ("opened", "clicked"):
        people = words.get(ResultWord(name), 0)
        machines = words.get(ResultWord(f"{name}_by_machine"), 0)
        counts[name] = ResultCount(people=people, machines=machines)
    return counts


class LetterAttempt(ApiModel):
    """A request that held the letter."""

    number: int
    started_at: datetime
    outcome: str | None = Field(description="Null while no answer came.")
    reason: str | None
    message_id: str | None


class LetterEvent(ApiModel):
    """What was reported of the letter."""

    at: datetime
    kind: str
    reason: str | None
    response: str | None


class LetterHistory(ApiModel):
    """The letter's way: why there was none, or its requests and what was reported of it."""

    exclusion: str | None
    edition: str | None
    briefs: list[int]
    batch: int | None
    batch_state: str | None
    skipped: str | None
    refused: str | None
    state: str
    attempts: list[LetterAttempt]
    events: list[LetterEvent]

    @classmethod
    def of(cls, record: DeliveryRecord) -> Self:
        return cls.like(
            record,
            edition=record.edition_key,
            briefs=record.brief_ids,
            batch=record.batch_id,
            state=record.state.name.lower(),
            attempts=[LetterAttempt(**_chosen(LetterAttempt, one)) for one in record.attempts],
            events=[LetterEvent(**_chosen(LetterEvent, one)) for one in record.events],
        )


def _chosen(model: type[ApiModel], row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in model.model_fields}


class LetterWhy(ApiModel):
    """What became of a reader's letter of an issue, or why there was none."""

    email: str
    answer: str = Field(description="One sentence or more.")
    subscription: int | None
    suppressed: str | None = Field(description="Why the address is on the suppression list now.")
    letter: LetterHistory | None

    @classmethod
    def of(cls, found: Explanation) -> Self:
        suppression = found.suppression
        return cls(
            email=found.email,
            answer=found.sentence,
            subscription=found.subscription and found.subscription.id,
            suppressed=str(suppression.reason) if suppression else None,
            letter=LetterHistory.of(found.record) if found.record else None,
        )
