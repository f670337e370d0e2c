"""Readers whom a call names: what of them is seen, and that each look is recorded."""

from hashlib import sha256

from newsletter.core.history import HistoryLine
from newsletter.core.publication import Newsletter
from newsletter.errors import NotFound
from newsletter.web.api.access import Caller
from newsletter.web.api.route import recording
from newsletter.web.api.schemas import ApiModel
from subscribers.errors import NoSuchSubscriber
from subscribers.model import Subscription
from subscribers.records.model import Person


def reader_of(caller: Caller, newsletter: Newsletter, email: str) -> Subscription:
    """Return the reader of a newsletter with this address; NotFound if there is none."""
    try:
        subscriptions = caller.services.subscriptions.by_email(email.strip())
    except NoSuchSubscriber:
        subscriptions = ()
    for one in subscriptions:
        if one.newsletter == newsletter.readers.newsletter:
            return one
    raise NotFound("there is no such reader")


def record_look(caller: Caller, subscriber_id: int | None, verb: str) -> None:
    """Record that a reader was looked up: all that a GET ever writes, besides a token's use."""
    with recording():
        caller.services.archive.record_look(caller.actor, subscriber_id, verb)


def seen_lists(caller: Caller) -> frozenset[str] | None:
    """Return the lists of readers that a token sees; None for all."""
    if caller.token.newsletters is None:
        return None
    return frozenset(one.readers.newsletter for one in caller.newsletters)


def reader_here(caller: Caller, number: int) -> tuple[Person, dict[str, Subscription]]:
    """Return a reader, with what they have in the newsletters that the token sees, by slug.

    NotFound for one who has nothing there.
    """
    person, lists = caller.services.records.person(number), seen_lists(caller)
    seen = {
        one.newsletter: one
        for one in person.subscriptions
        if one.undone_at is None
        and one.newsletter in caller.services.newsletters
        and (lists is None or one.newsletter in lists)
    }
    if lists is not None and not seen:
        raise NotFound("there is no such reader")
    return person, seen


def within(caller: Caller, line: HistoryLine) -> bool:
    """Return whether a line is about a newsletter that the token sees, or about none."""
    return caller.token.newsletters is None or (
        not line.about or line.about.split()[0] in caller.slugs
    )


def version_of(shown: ApiModel) -> str:
    """Return what is another after each change of what is shown."""
    return sha256(shown.model_dump_json().encode()).hexdigest()[:32]
