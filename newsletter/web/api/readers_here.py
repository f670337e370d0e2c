"""Readers that a call about an issue names: who may, and that each look is recorded."""

from newsletter.core.api_token import Scope
from newsletter.core.publication import Newsletter
from newsletter.errors import NotFound
from newsletter.web.api.access import Caller
from newsletter.web.api.problems import ApiProblem
from newsletter.web.api.route import recording
from subscribers.errors import NoSuchSubscriber
from subscribers.model import Subscription


def require_readers(caller: Caller) -> None:
    """Raise the problem of a token that may see no readers."""
    if Scope.READERS_READ not in caller.token.scopes:
        raise ApiProblem("forbidden", f"the token lacks the scope {Scope.READERS_READ.value}")


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
