"""Posts the events of the outbox to the webhook endpoints that want them, several at once.

An event is claimed in a short transaction, posted with no transaction open, and the answer is
recorded. What dies in between is posted again once its lease is over: an event may come twice, and
always with the same id. See docs/decisions/webhooks-are-an-outbox.md.
"""

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from newsletter.core.operator_alert import ALL, OperatorAlert, OperatorAlertKind
from newsletter.core.publication import Newsletter
from newsletter.core.webhook import PayloadPlaces, payload
from newsletter.core.webhook_delivery import (
    WebhookAnswer,
    WebhookClaim,
    disposition_after,
    signed_headers,
)
from newsletter.ports import Clock, PostWebhook
from newsletter.stores.webhook_outbox import WebhookOutbox

_AT_ONCE = 16  #: posts under way
_OF_ONE = 2  #: of them, at most, to one endpoint: a slow one leaves the others room
_LONGEST_RUN = timedelta(seconds=10)  #: a process that is to end waits for no more
_LOOK_AGAIN = 0.5  #: seconds, while answers are awaited, before new events are looked for
_LEASE = timedelta(seconds=60)  #: longer than a post may take
_PAUSED_FOR = timedelta(days=3)  #: what waited so long for a paused endpoint is given up

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class WebhookSending:
    """Claims, posts and records events; a slow endpoint holds nobody else."""

    newsletters: Mapping[str, Newsletter]
    outbox: WebhookOutbox
    post: PostWebhook
    places: PayloadPlaces
    clock: Clock
    dice: Callable[[], float]
    _under_way: set[Future[None]] = field(init=False, default_factory=set[Future[None]])

    def send_due(self) -> int:
        """Post what is due, and what comes meanwhile; return how many posts were begun.

        A run does not wait for a slow answer beyond its end: the next one finds it under way.
        """
        began, claimed = self.clock.now(), 0
        self.outbox.expire_leases(began)
        while self.clock.now() - began < _LONGEST_RUN:
            self._collect(0)
            free = len(self._under_way) < _AT_ONCE
            claim = self.outbox.claim(self.clock.now(), _LEASE, most=_OF_ONE) if free else None
            if claim:
                claimed += 1
                self._under_way.add(self._pool.submit(self._send, claim))
            elif self._under_way:
                self._collect(_LOOK_AGAIN)
            else:
                break
        return claimed

    def try_endpoint(self, endpoint_id: int) -> int:
        """Post a ping at once; return the number of its delivery."""
        claim = self.outbox.claim_ping(endpoint_id, self.clock.now(), _LEASE)
        self._post(claim)
        return claim.delivery_id

    def delete_old(self) -> None:
        """Delete what is not shown any more."""
        self.outbox.delete_old(self.clock.now() - _PAUSED_FOR)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="webhooks")

    def _collect(self, seconds: float) -> None:
        """Take in the posts that are over; wait for the next one, so long at most."""
        ended, self._under_way = wait(self._under_way, seconds, FIRST_COMPLETED)
        for one in ended:
            one.result()

    def _send(self, claim: WebhookClaim) -> None:
        slug = self._newsletter_of(claim)
        if claim.newsletters and not claim.is_trial and slug not in claim.newsletters:
            return self.outbox.drop(claim)  # a brief of a newsletter that it did not ask about
        return self._post(claim)

    def _newsletter_of(self, claim: WebhookClaim) -> str | None:
        """Return the newsletter of an event; a brief's is the one that prints its pillar."""
        pillar = str(claim.event.facts.get("pillar", "")).casefold()
        mains = (one for one in self.newsletters.values() if one.week_of is None)
        prints = (one.slug for one in mains if one.pillar.casefold() == pillar)
        return claim.event.newsletter or next(prints, None)

    def _post(self, claim: WebhookClaim) -> None:
        said = payload(claim.event, self.places, self._newsletter_of(claim), claim.email)
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        headers = signed_headers(claim.event.id, self.clock.now(), body, claim.secrets)
        self._record(claim, self.post(claim.url, headers, body))

    def _record(self, claim: WebhookClaim, answer: WebhookAnswer) -> None:
        now = self.clock.now()
        disposition = disposition_after(answer, claim, self.dice())
        failed = not answer.is_success and not claim.is_trial
        alert = _failing_alert(claim, answer, now) if failed else None
        self.outbox.record(claim, answer, disposition, now, alert)
        extra = {"action": f"webhook.{disposition.state}", "endpoint": claim.endpoint_id}
        extra |= {"event_id": claim.event.id, "tries": claim.tries}
        level = logging.INFO if answer.is_success else logging.WARNING
        _log.log(level, "%s: %s", claim.event.kind, answer.reason or "delivered", extra=extra)


def _failing_alert(claim: WebhookClaim, answer: WebhookAnswer, now: datetime) -> OperatorAlert:
    """Return the alert about what an endpoint did not take; one for an endpoint and day."""
    did = "wants no more events, and is paused" if answer.is_gone else "does not take events"
    return OperatorAlert(
        kind=OperatorAlertKind.WEBHOOK_FAILED,
        newsletter=ALL,
        date=now.astimezone(UTC).date(),
        sentence=f"the webhook endpoint “{claim.endpoint}” {did}: {answer.reason}",
    )
