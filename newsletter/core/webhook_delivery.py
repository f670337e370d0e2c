"""Deliveries of webhooks: how one is signed, what its answer means, and when it is tried again.

Signed as the Standard Webhooks specification says (https://www.standardwebhooks.com).
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.core.webhook import EndpointState, WebhookEvent, WebhookEventKind

ANSWER_LENGTH = 500  #: characters of an answer's body that are stored
SHOWN = 100  #: deliveries of an endpoint that are kept when they are over
_GONE = 410
#: From one try to the next, at most: eight tries within a day.
_PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (15, 120, 900, 3600, 10_800, 25_200, 45_000)
)
_SPREAD = 0.1  #: the share by which a pause may be shorter

TRIES = len(_PAUSES) + 1

#: An endpoint that failed so often in a row is asked for one event at a time, at these intervals,
#: the last of which goes on: what waits there costs nothing, however much it is.
FAILURES = 5
RESTS = tuple(timedelta(seconds=seconds) for seconds in (15, 60, 300, 900, 1800))
FAILING_NEEDS_ALERT = timedelta(hours=12)  #: of failures alone, before operators get an alert


class WebhookDeliveryState(StrEnum):
    """How far the delivery of an event to an endpoint has come."""

    WAITING = "waiting"  #: for its first try, the next one, or an earlier event of the same thing
    CLAIMED = "claimed"  #: it is being posted
    DELIVERED = "delivered"
    GIVEN_UP = "given up"

    @property
    def is_over(self) -> bool:
        return self in (WebhookDeliveryState.DELIVERED, WebhookDeliveryState.GIVEN_UP)


@dataclass(frozen=True, kw_only=True)
class WebhookAnswer:
    """What an endpoint answered, or why it did not."""

    status: int | None = None  #: None: there was no answer
    reason: str = ""
    body: str = ""  #: its first characters

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  # any 2xx

    @property
    def is_gone(self) -> bool:
        """Return whether the endpoint says that it wants nothing any more."""
        return self.status == _GONE


@dataclass(frozen=True, kw_only=True)
class WebhookClaim:
    """A delivery that this process may try now, with all that it needs."""

    delivery_id: int
    tries: int  #: this one included
    endpoint_id: int
    endpoint: str  #: its name
    url: str
    secrets: tuple[str, ...]
    newsletters: frozenset[str]  #: that the endpoint is about; none: all
    event: WebhookEvent
    email: str | None = None  #: of its reader, where the endpoint may have it

    @property
    def is_trial(self) -> bool:
        return self.event.kind is WebhookEventKind.PING


@dataclass(frozen=True, kw_only=True)
class WebhookDisposition:
    """What becomes of a delivery after a try."""

    state: WebhookDeliveryState
    pause: timedelta | None = None  #: before the next try
    endpoint_state: EndpointState | None = None  #: what becomes of its endpoint, if anything


@dataclass(frozen=True, kw_only=True)
class WebhookDelivery:
    """An event on its way to an endpoint, as people look at it."""

    id: int
    event: WebhookEvent
    state: WebhookDeliveryState
    tries: int
    due_at: datetime | None  #: None: as soon as may be
    tried_at: datetime | None
    answer: WebhookAnswer


def disposition_after(
    answer: WebhookAnswer, claim: WebhookClaim, spread: float
) -> WebhookDisposition:
    """Return what becomes of a delivery after this answer; a trial is tried once only."""
    if answer.is_success:
        return WebhookDisposition(state=WebhookDeliveryState.DELIVERED)
    if answer.is_gone and not claim.is_trial:
        given_up = WebhookDeliveryState.GIVEN_UP
        return WebhookDisposition(state=given_up, endpoint_state=EndpointState.PAUSED)
    pause = None if claim.is_trial else pause_after(claim.tries, spread)
    if pause is None:
        return WebhookDisposition(state=WebhookDeliveryState.GIVEN_UP)
    return WebhookDisposition(state=WebhookDeliveryState.WAITING, pause=pause)


def pause_after(tries: int, spread: float) -> timedelta | None:
    """Return the pause after so many tries; None after the last. `spread` is a number from 0 to 1.

    Those that failed at the same moment are not all tried again at the same one.
    """
    if tries > len(_PAUSES):
        return None
    return _PAUSES[tries - 1] * (1 - _SPREAD * spread)


def signed_headers(
    event_id: str, at: datetime, body: bytes, secrets: Iterable[str]
) -> Mapping[str, str]:
    """Return the headers that show who posts a body, and when: a signature by each secret."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((event_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(one, signed)}" for one in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix("whsec_"))
    return b64encode(hmac.digest(key, signed, "sha256")).decode()
