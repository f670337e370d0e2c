"""Readers: find, add and change them, let them leave, erase them."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query, Response

from newsletter.core.api_token import Scope
from newsletter.core.publication import Newsletter
from newsletter.core.webhook import without_addresses
from newsletter.web.api.access import Caller, ReadReaders, WriteReaders
from newsletter.web.api.cursors import Part
from newsletter.web.api.openapi import problem_response
from newsletter.web.api.preconditions import IfMatch, etag_of, matched
from newsletter.web.api.problems import ApiProblem, invalid
from newsletter.web.api.reader_schemas import (
    AddedReader,
    EndedSubscriptions,
    NewReader,
    ReaderHistory,
    ReaderHistoryLine,
    ReaderItem,
    ReaderLeave,
    ReaderLine,
    ReaderPatch,
    SubscriptionPatch,
)
from newsletter.web.api.readers_here import (
    reader_here,
    record_look,
    seen_lists,
    version_of,
    within,
)
from newsletter.web.api.route import PREFIX, api_router
from newsletter.web.api.schemas import ListPage, PathId
from newsletter.web.api.streams import DESCRIBED, LineStream
from subscribers.errors import InvalidChoice
from subscribers.model import TopicSet
from subscribers.records.model import NewSubscriber, SubscriberListing
from subscribers.segments.filters import Filter

router = api_router()

_Text = Annotated[str | None, Query(max_length=320)]
_NOTHING = SubscriptionPatch()
_ADDED: dict[int | str, dict[str, Any]] = {
    201: {"model": AddedReader, "description": "They subscribe from now on."},
    202: {"model": AddedReader, "description": "A letter asks them to confirm it."},
}


@router.get("/readers")
def readers(
    caller: ReadReaders,
    part: Part,
    *,
    newsletter: str | None = None,
    email: _Text = None,
    search: _Text = None,
    tag: Annotated[str | None, Query(max_length=100)] = None,
) -> ListPage[ReaderLine]:
    """List readers, the newest first: all of them, or who has this address, or a part of it."""
    if email is not None and search is not None:
        raise invalid("query/search", "give the whole address or a part of it, not both")
    shown = seen_lists(caller)
    only = shown if newsletter is None else frozenset({_list_of(caller, newsletter)})
    which = SubscriberListing(
        email=email.strip().lower() if email is not None else None,
        part=(search or "").strip().lower(),
        tag=tag,
        newsletters=only,
        shown=shown,
        before=part.last("readers"),
    )
    found = caller.services.records.listed(which, limit=part.rows)
    record_look(caller, None, "search")
    return part.page("readers", found, show=ReaderLine.of, key=lambda one: one.id)


@router.get("/readers/export", status_code=200, response_class=LineStream, responses=DESCRIBED)
def export(caller: ReadReaders, newsletter: str) -> LineStream:
    """Stream every subscription of a newsletter by address: a JSON object a line."""
    slug, now = _list_of(caller, newsletter), caller.services.now()
    record_look(caller, None, "export")
    exported = caller.services.lists.exported(slug, Filter(), now=now)
    return LineStream(exported, caller.is_still_admitted)


@router.get("/readers/{reader_id}")
def reader(response: Response, caller: ReadReaders, reader_id: PathId) -> ReaderItem:
    """Return what a reader chose, and whether letters go to them; its ETag is for `If-Match`."""
    person, subscriptions = reader_here(caller, reader_id)
    record_look(caller, person.id, "look")
    shown = ReaderItem.of(person, subscriptions)
    response.headers["ETag"] = etag_of(version_of(shown))
    return shown


@router.post("/readers", status_code=201, responses=_ADDED)
def add(response: Response, caller: WriteReaders, given: NewReader) -> AddedReader:
    """Subscribe somebody, or ask them by a letter whether they want to.

    People who unsubscribed, were erased or are suppressed are not added: only they themselves can
    sign up again.
    """
    newsletter = _named(caller, given.newsletter)
    new = NewSubscriber(
        email=given.email,
        newsletter=newsletter.readers.newsletter,
        statement=given.consent,
        zone=given.time_zone or newsletter.timetable.zone,
        topics=TopicSet.of(given.topics or ()),
        name=given.name,
    )
    keeping = caller.services.reader_keeping
    if caller.services.newsletters[new.newsletter].signup.open and not given.confirmed:
        keeping.invite(new, actor=caller.actor)
        response.status_code = HTTPStatus.ACCEPTED
        return AddedReader(status="to be confirmed", reader=None)
    number = keeping.add(new, actor=caller.actor)
    response.headers["Location"] = f"{PREFIX}/readers/{number}"
    return AddedReader(status="subscribed", reader=number)


@router.patch("/readers/{reader_id}")
def change(
    response: Response,
    caller: WriteReaders,
    reader_id: PathId,
    patch: ReaderPatch,
    if_match: IfMatch = None,
) -> ReaderItem:
    """Change what a reader chose, in their name. Nobody who left is brought back by it.

    The answer shows a reader, and so the token needs the scope readers:read as well.
    """
    caller.require(Scope.READERS_READ)
    person, subscriptions = reader_here(caller, reader_id)
    matched(if_match, version_of(ReaderItem.of(person, subscriptions)))
    for slug in patch.subscriptions:
        if slug not in subscriptions:
            raise InvalidChoice(f"subscriptions/{slug}", "there is no such subscription")
    caller.services.reader_keeping.change(
        person,
        {slug: patch.subscriptions.get(slug, _NOTHING).change() for slug in subscriptions},
        name=(patch.name or "") if "name" in patch.model_fields_set else None,
        actor=caller.actor,
    )
    return reader(response, caller, reader_id)


@router.post("/readers/{reader_id}/leave")
def leave(
    caller: WriteReaders, reader_id: PathId, given: ReaderLeave | None = None
) -> EndedSubscriptions:
    """Unsubscribe a reader who asked for it: from one newsletter, or from all."""
    _, subscriptions = reader_here(caller, reader_id)
    chosen = subscriptions
    if given and given.newsletter is not None:
        slug = _named(caller, given.newsletter).readers.newsletter
        chosen = {name: one for name, one in subscriptions.items() if name == slug}
        if not chosen:
            raise ApiProblem("conflict", f"they have no subscription to {slug}")
    ended = caller.services.people.unsubscribe(tuple(chosen.values()), actor=caller.actor)
    return EndedSubscriptions(ended=ended)


@router.get("/readers/{reader_id}/history")
def history(caller: ReadReaders, reader_id: PathId) -> ReaderHistory:
    """Return every consent, change, issue, letter and event of a reader, the oldest first."""
    person, _ = reader_here(caller, reader_id)
    record_look(caller, person.id, "look")
    lines = caller.services.people.history(person.id)
    return ReaderHistory(data=[ReaderHistoryLine.like(one) for one in lines if within(caller, one)])


@router.delete("/readers/{reader_id}", status_code=204, responses={409: problem_response(409)})
def erase(
    caller: WriteReaders,
    reader_id: PathId,
    because: Annotated[str, Query(min_length=1, max_length=500, pattern=r"\S")],
) -> None:
    """Erase a reader with all consent, changes and events; only a keyed hash of them remains.

    This cannot be undone. `because` is recorded for good: say nothing in it of who they were.
    """
    person, _ = reader_here(caller, reader_id)
    lists = seen_lists(caller)
    if lists is not None and any(
        one.newsletter not in lists for one in person.subscriptions if one.undone_at is None
    ):
        raise ApiProblem("conflict", "they read what this token does not see, and would lose it")
    reason = without_addresses(because)
    caller.services.people.erase(person.id, actor=caller.actor, because=reason)


def _named(caller: Caller, slug: str) -> Newsletter:
    """Return the newsletter that a body names."""
    for one in caller.newsletters:
        if one.slug == slug:
            return one
    raise invalid("#/newsletter", "the token sees no such newsletter")


def _list_of(caller: Caller, slug: str) -> str:
    return caller.newsletter(slug).readers.newsletter
