"""What would go: what is in an issue's way, whom it would reach, in which editions and letters."""

from typing import Annotated

from fastapi import Query

from newsletter.core.api_token import Scope
from newsletter.core.edition import edition_of
from newsletter.core.publication import Newsletter
from newsletter.errors import NotFound
from newsletter.services.preview import Preview, ReaderLinks
from newsletter.web.api.access import Caller, ReadIssues
from newsletter.web.api.issue_here import CONFLICT, ISSUE, Here, NamedIssue, found, upcoming
from newsletter.web.api.issue_schemas import GivenAddress, LetterView
from newsletter.web.api.preview_schemas import (
    EditionItem,
    IssueEditions,
    IssueForecast,
    IssueLetter,
    IssuePreflight,
)
from newsletter.web.api.problems import ApiProblem, invalid
from newsletter.web.api.readers_here import reader_of, record_look
from newsletter.web.api.route import api_router

router = api_router()

_BOTH = frozenset({"html", "text"})
As = Annotated[
    str,
    Query(
        alias="as",
        max_length=400,
        description="`everything`, `edition:KEY`, `topics:SLUG,SLUG` or `reader:ADDRESS`; the last "
        "needs the scope readers:read, and the log says who looked.",
    ),
]


@router.get(f"{ISSUE}/preflight", responses=CONFLICT)
def preflight(caller: ReadIssues, here: Here) -> IssuePreflight:
    """Check the issue as it would leave now."""
    which, _ = upcoming(caller, here)
    return IssuePreflight.of(caller.services.preflight.report(which, here.on))


@router.get(f"{ISSUE}/forecast", responses=CONFLICT)
def forecast(caller: ReadIssues, here: Here) -> IssueForecast:
    """Say whom the issue would reach if it left now.

    Readers are counted at most every 20 seconds: `counted_at` says when.
    """
    which, _ = upcoming(caller, here)
    return IssueForecast.of(caller.services.forecasts.of(which, here.on))


@router.get(f"{ISSUE}/editions", responses=CONFLICT)
def editions(caller: ReadIssues, here: Here) -> IssueEditions:
    """List the editions: as they were planned, or as they would be planned now."""
    _, stored = found(caller, here)
    if stored.planned_at is None:
        which, _ = upcoming(caller, here)
        forecasts = caller.services.forecasts.of(which, here.on).editions
        return IssueEditions(planned=False, data=[EditionItem.forecast(one) for one in forecasts])
    planned = caller.services.archive.editions(stored)
    return IssueEditions(
        planned=True,
        data=[
            EditionItem.of(edition_of(stored.issue, one.brief_ids), one.readers) for one in planned
        ],
    )


@router.get(f"{ISSUE}/letter", responses=CONFLICT)
def letter(
    caller: ReadIssues, here: Here, whom: As = "everything", view: LetterView | None = None
) -> IssueLetter:
    """Return a letter as it would be sent now: HTML and text, or what is asked for alone."""
    return _letter(caller, here, whom, view)


@router.post(f"{ISSUE}/letter")
def letter_of(
    caller: ReadIssues, here: Here, given: GivenAddress, view: LetterView | None = None
) -> IssueLetter:
    """Return a reader's letter, without the address in the path."""
    return _letter(caller, here, f"reader:{given.email}", view)


def _letter(caller: Caller, here: NamedIssue, whom: str, view: LetterView | None) -> IssueLetter:
    kind, _, name = whom.partition(":")
    if kind == "reader":
        caller.require(Scope.READERS_READ)
    which, _ = found(caller, here)
    try:
        preview = _preview(caller, here, which, kind, name)
    except NotFound as nothing:
        raise ApiProblem("not-found", str(nothing)) from None
    return IssueLetter.of(preview, frozenset({view}) if view else _BOTH)


def _preview(
    caller: Caller, here: NamedIssue, newsletter: Newsletter, kind: str, name: str
) -> Preview:
    previews, on, links = caller.services.previews, here.on, ReaderLinks.NONE
    match kind:
        case "everything" if not name:
            return previews.everything(newsletter, on, links=links)
        case "edition" if name:
            return previews.for_edition(newsletter, on, name, links=links)
        case "topics" if name:
            topics = name.split(",")
            if unknown := set(topics) - set(newsletter.topic_slugs):
                raise invalid("query/as", f"there is no topic {min(unknown)!r}")
            return previews.for_topics(newsletter, on, topics, links=links)
        case "reader" if name:
            one = reader_of(caller, newsletter, name)
            record_look(caller, one.subscriber_id, "preview")
            return previews.for_email(newsletter, on, one.email, links=links)
        case _:
            raise invalid("query/as", "say everything, edition:KEY, topics:SLUG or reader:ADDRESS")
