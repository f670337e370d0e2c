"""What would go: findings, readers, editions and letters, as the API says them."""

from datetime import datetime
from typing import Self

from pydantic import Field

from newsletter.core.edition import Edition
from newsletter.core.forecast import Forecast, ForecastEdition
from newsletter.core.preflight import PreflightGrade
from newsletter.services.preflight import PreflightReport
from newsletter.services.preview import Preview
from newsletter.web.api.schemas import ApiModel
from subscribers.model import TopicSet


class PreflightTicked(ApiModel):
    """Who saw a finding."""

    by: str
    at: datetime


class PreflightItem(ApiModel):
    """Something a check before sending found."""

    key: str = Field(description="What `seen` of an approval names.")
    grade: PreflightGrade
    sentence: str
    place: str
    mend: str
    ticked: PreflightTicked | None


class IssuePreflight(ApiModel):
    """What is in an issue's way, as it would leave now."""

    hash: str = Field(description="Of what the findings are about; empty when nothing is set.")
    can_be_approved: bool = Field(description="Nothing stops it, and all was looked at.")
    findings: list[PreflightItem]

    @classmethod
    def of(cls, report: PreflightReport) -> Self:
        seen = {one.finding: PreflightTicked.like(one) for one in report.ticks}
        return cls(
            hash=report.content_hash,
            can_be_approved=bool(report.content_hash) and not (report.stops or report.open),
            findings=[PreflightItem.like(one, ticked=seen.get(one.key)) for one in report.findings],
        )


class EditionReaders(ApiModel):
    """How many get an edition."""

    key: str
    readers: int
    stories: int


class WithoutStory(ApiModel):
    """How many chose these topics, of which the issue prints nothing."""

    topics: list[str]
    readers: int


class IssueForecast(ApiModel):
    """Whom the issue would reach if it left now."""

    counted_at: datetime
    people: int = Field(description="On the list: readers and excluded.")
    readers: int
    excluded: int
    exclusions: dict[str, int] = Field(description="By reason.")
    editions: list[EditionReaders]
    without_story: list[WithoutStory] = Field(description="Who gets nothing, by what they chose.")

    @classmethod
    def of(cls, found: Forecast) -> Self:
        return cls(
            counted_at=found.counted_at,
            people=found.people,
            readers=found.readers,
            excluded=found.people - found.readers,
            exclusions={str(reason.value): count for reason, count in found.exclusions.items()},
            editions=[
                EditionReaders(
                    key=one.edition.key, readers=one.readers, stories=len(one.edition.brief_ids)
                )
                for one in found.editions
            ],
            without_story=[
                WithoutStory(topics=_slugs(one.topics), readers=one.people)
                for one in found.without_story
            ],
        )


class EditionItem(ApiModel):
    """An edition: the stories that a choice of topics leads to."""

    key: str
    readers: int
    briefs: list[int]
    subject: str
    preheader: str
    minutes: int
    topics: list[str] | None = Field(
        description="A choice that leads to it, `*` being every topic; null once it is planned."
    )

    @classmethod
    def of(cls, edition: Edition, readers: int, topics: TopicSet | None = None) -> Self:
        chosen = _slugs(topics) if topics else None
        return cls.like(edition, readers=readers, briefs=edition.brief_ids, topics=chosen)

    @classmethod
    def forecast(cls, one: ForecastEdition) -> Self:
        return cls.of(one.edition, one.readers, one.topics)


class IssueEditions(ApiModel):
    """The editions of an issue, the one with most readers first."""

    planned: bool = Field(description="Whether these are the ones that leave, or a forecast.")
    data: list[EditionItem]


class IssueLetter(ApiModel):
    """A letter as it would be sent now; its links to unsubscribe lead nowhere."""

    hash: str = Field(description="Of the issue that it is cut from.")
    edition: str
    sender: str
    subject: str
    preheader: str
    briefs: list[int]
    html: str | None
    text: str | None
    source: str | None = Field(description="The message as mail programs get it.")

    @classmethod
    def of(cls, preview: Preview, views: frozenset[str]) -> Self:
        edition, letter = preview.edition, preview.letter
        return cls(
            hash=preview.content_hash,
            edition=edition.key,
            sender=preview.inbox.sender,
            subject=letter.subject,
            preheader=edition.preheader,
            briefs=list(edition.brief_ids),
            html=letter.html if "html" in views else None,
            text=letter.text if "text" in views else None,
            source=preview.eml.decode("utf-8", "replace") if "source" in views else None,
        )


def _slugs(topics: TopicSet) -> list[str]:
    return sorted(topics.slugs)
