"""Briefs as the API says them and is told them; the names are those of a brief's file."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field

from newsletter.core.stored import StoredBrief
from newsletter.core.verification import Ruling
from newsletter.services.receiving import Arrival
from newsletter.web.api.openapi import ITEM_MODELS
from newsletter.web.api.schemas import ApiModel, FieldError

LONGEST = 20_000  #: characters of one text


class GivenBrief(ApiModel):
    """A brief that is handed over. What a field may hold is said by the gate, not here."""

    key: str | None = Field(
        default=None,
        max_length=200,
        description="The same for every revision of one brief; without it, made of the title.",
    )
    title: str = Field(min_length=1, max_length=LONGEST)
    pillar: str = Field(max_length=200, description="As `GET /newsletters` names it.")
    summary: str = Field(default="", max_length=LONGEST)
    body: list[str] = Field(default=[], max_length=200, description="Paragraphs: text or HTML.")
    why: str = Field(default="", max_length=LONGEST)
    source: str = Field(default="", max_length=LONGEST)
    source_url: str = Field(default="", max_length=LONGEST)
    verification: Literal["verified", "partial", "unverified"] = "unverified"
    importance: Literal["H", "M", "L"] = "M"
    minutes: int = Field(default=0, ge=0, le=9999)
    topics: list[str] = Field(default=[], max_length=100)
    published: str | None = Field(default=None, max_length=100, description="A date and time.")
    short: str = Field(default="", max_length=LONGEST)
    line: str = Field(default="", max_length=LONGEST)
    unconfirmed: str = Field(default="", max_length=LONGEST)
    picture: str = Field(default="", max_length=LONGEST)
    picture_alt: str = Field(default="", max_length=LONGEST)
    picture_width: int = Field(default=0, ge=0, le=9999)

    def fields(self) -> dict[str, Any]:
        """Return what was given, by the names of a brief's file."""
        given = self.model_dump(exclude_unset=True)
        return given | {"id": given.pop("key")} if "key" in given else given


class GivenPage(ApiModel):
    """The hub's own page, as it was saved or as the hub serves it: it holds a brief or several."""

    page: str = Field(min_length=1, max_length=2_000_000, description="HTML.")


class BriefFinding(ApiModel):
    """What one check of the gate found."""

    check: str
    passed: bool
    reason: str
    otherwise: Ruling = Field(description="What a failure leads to.")
    waivable: bool
    waived: bool


class BriefItem(ApiModel):
    """A brief as it is stored, with every finding of the gate."""

    id: int
    key: str
    newsletter: str | None = Field(description="That prints its pillar; null if none does now.")
    revision: int
    status: Ruling
    reasons: list[str] = Field(description="Why it is not accepted; none if it is.")
    findings: list[BriefFinding]
    held_by: str | None
    received: datetime
    title: str
    pillar: str
    summary: str
    body: list[str]
    why: str
    source: str
    source_url: str
    verification: str
    importance: str
    minutes: int
    topics: list[str]
    published: datetime | None
    short: str
    line: str
    unconfirmed: str
    picture: str
    picture_alt: str
    picture_width: int

    @classmethod
    def of(cls, stored: StoredBrief, newsletter: str | None) -> Self:
        brief = stored.brief
        return cls.like(
            stored,
            brief,
            id=stored.brief_id,
            newsletter=newsletter,
            status=stored.ruling,
            findings=[BriefFinding.like(one) for one in stored.verdict.findings],
            source=brief.source.name,
            source_url=brief.source.url,
            topics=stored.verdict.topics,
            picture=brief.picture.url,
            picture_alt=brief.picture.alt,
            picture_width=brief.picture.width,
        )


class BriefReceipt(ApiModel):
    """What became of one brief that was handed over."""

    item: int = Field(description="Which of those that were sent, counted from 0.")
    status: Ruling | Literal["invalid"]
    arrival: Arrival | None = Field(description="Null for one that could not be read.")
    brief: BriefItem | None
    errors: list[FieldError] = Field(description="What is wrong with one that is invalid.")


class BriefReceipts(ApiModel):
    """A receipt for every brief, in the order in which they were sent."""

    data: list[BriefReceipt]


ITEM_MODELS.extend((GivenBrief, GivenPage))
