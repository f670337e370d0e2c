"""Changing a brief: a merge patch (RFC 7396) of its fields, holding it, and accepting it."""

from typing import Any, Literal

from fastapi import Response
from pydantic import Field, ValidationError

from newsletter.core.brief import Brief
from newsletter.core.keywords import named_topics
from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredBrief
from newsletter.errors import InvalidBrief
from newsletter.web.api.access import Caller, WriteBriefs
from newsletter.web.api.brief_intake import read_brief, shown
from newsletter.web.api.brief_schemas import LONGEST, BriefItem
from newsletter.web.api.preconditions import IfMatch, etag_of, matched, matched_if_given
from newsletter.web.api.problems import errors_of, invalid, problem_with
from newsletter.web.api.route import api_router
from newsletter.web.api.schemas import ApiModel, PathId

router = api_router()


class EditedBrief(ApiModel):
    """What to change of a brief: the fields that are named. Null takes one away."""

    title: str | None = Field(default=None, min_length=1, max_length=LONGEST)
    summary: str | None = Field(default=None, max_length=LONGEST)
    body: list[str] | None = Field(default=None, max_length=200)
    why: str | None = Field(default=None, max_length=LONGEST)
    source: str | None = Field(default=None, max_length=LONGEST)
    source_url: str | None = Field(default=None, max_length=LONGEST)
    verification: Literal["verified", "partial", "unverified"] | None = None
    importance: Literal["H", "M", "L"] | None = None
    minutes: int | None = Field(default=None, ge=0, le=9999)
    topics: list[str] | None = Field(default=None, max_length=100)
    published: str | None = Field(default=None, max_length=100, description="A date and time.")
    short: str | None = Field(default=None, max_length=LONGEST)
    line: str | None = Field(default=None, max_length=LONGEST)
    unconfirmed: str | None = Field(default=None, max_length=LONGEST)
    picture: str | None = Field(default=None, max_length=LONGEST)
    picture_alt: str | None = Field(default=None, max_length=LONGEST)
    picture_width: int | None = Field(default=None, ge=0, le=9999)


class BriefReason(ApiModel):
    """Why a person's word comes before the gate's; the log has it."""

    because: str = Field(min_length=1, max_length=500)


@router.patch("/briefs/{brief_id}")
def edit(
    response: Response,
    caller: WriteBriefs,
    brief_id: PathId,
    given: EditedBrief,
    if_match: IfMatch = None,
) -> BriefItem:
    """Change a brief; the new revision goes through the gate.

    Its pillar and its key stay as they are. A program's hold and what was accepted are void, unless
    readers see no difference; a person's hold stays.
    """
    stored = brief_here(caller, brief_id)
    version = matched(if_match, stored.version)
    changes = _changes(caller, stored, given.model_dump(exclude_unset=True))
    edited = caller.services.intake.change(
        brief_id, changes, actor=caller.actor, version=version
    ).stored
    return answered(response, caller, edited)


@router.post("/briefs/{brief_id}/hold")
def hold(
    response: Response,
    caller: WriteBriefs,
    brief_id: PathId,
    reason: BriefReason,
    if_match: IfMatch = None,
) -> BriefItem:
    """Hold a brief back, whatever the gate says; `If-Match` may be left out."""
    version = matched_if_given(if_match, brief_here(caller, brief_id).version)
    held = caller.services.intake.hold(
        brief_id, actor=caller.actor, because=reason.because, version=version
    )
    return answered(response, caller, held)


@router.post("/briefs/{brief_id}/accept")
def accept(
    response: Response,
    caller: WriteBriefs,
    brief_id: PathId,
    reason: BriefReason,
    if_match: IfMatch = None,
) -> BriefItem:
    """Accept a brief as you read it: waive what a person may waive, end a program's hold."""
    version = matched(if_match, brief_here(caller, brief_id).version)
    accepted = caller.services.intake.accept(
        brief_id, actor=caller.actor, because=reason.because, version=version
    )
    return answered(response, caller, accepted)


def brief_here(caller: Caller, brief_id: int) -> StoredBrief:
    """Return a brief of a newsletter that the token sees; NotFound for any other."""
    return caller.services.archive.brief_of(caller.newsletters, brief_id)


def answered(response: Response, caller: Caller, stored: StoredBrief) -> BriefItem:
    """Return a brief as the API says it, under the ETag that `If-Match` takes."""
    response.headers["ETag"] = etag_of(stored.version)
    return shown(caller, stored)


def _changes(caller: Caller, stored: StoredBrief, given: dict[str, Any]) -> dict[str, Any]:
    """Return what is to be changed, each value read as of a brief that is handed over."""
    brief = _read(caller, stored.brief, given)
    newsletter = next(
        one
        for one in caller.newsletters
        if one.pillar.casefold() == brief.pillar.casefold() and not one.week_of
    )
    values = {
        "source_name": brief.source.name,
        "source_url": brief.source.url,
        "picture": brief.picture.url,
        "picture_alt": brief.picture.alt,
        "picture_width": brief.picture.width,
        "topics": _topics(newsletter, brief.topics),
    }
    names = ["source_name" if name == "source" else name for name in given]
    return {name: values[name] if name in values else getattr(brief, name) for name in names}


def _read(caller: Caller, stored: Brief, given: dict[str, Any]) -> Brief:
    """Return a brief that says what is given, and of all else only what every brief needs."""
    needed = {"key": stored.key, "title": stored.title, "pillar": stored.pillar}
    fields = {name: value for name, value in (needed | given).items() if value is not None}
    try:
        return read_brief(caller, fields, "#")
    except (ValidationError, InvalidBrief) as error:
        raise problem_with(errors_of(error, "#")) from None


def _topics(newsletter: Newsletter, given: tuple[str, ...]) -> tuple[str, ...]:
    topics = named_topics(newsletter, given)
    for topic in topics:
        if topic not in newsletter.topic_slugs:
            known = ", ".join(newsletter.topic_slugs)
            raise invalid("#/topics", f"no topic {topic!r}; choose from: {known}")
    return topics
