"""Webhook endpoints as owners keep them: add, try, pause, rotate, remove, send again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from newsletter.core.publication import Newsletter
from newsletter.core.reason import given
from newsletter.core.webhook import (
    CHOICES,
    NAME_LENGTH,
    ROTATION,
    EndpointState,
    NewEndpoint,
    WebhookEndpoint,
    host_of,
    webhook_secret,
    why_unfit_endpoint,
)
from newsletter.core.webhook_delivery import WebhookDelivery
from newsletter.errors import ChangedMeanwhile, InvalidEndpoint, NotAllowed, NotFound
from newsletter.ports import Clock
from newsletter.services.webhook_sending import WebhookSending
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.webhooks import WebhookStore
from subscribers.errors import ConcurrentChange


@dataclass(eq=False)
class Webhooks:
    """Keeps the endpoints; every act is recorded, and a secret is shown once."""

    newsletters: Mapping[str, Newsletter]
    store: WebhookStore
    sending: WebhookSending
    decisions: DecisionLog
    clock: Clock
    new_key: Callable[[], bytes]
    practice: bool  #: endpoints may be on this machine, without TLS

    def add(self, new: NewEndpoint, *, actor: str) -> tuple[WebhookEndpoint, str]:
        """Add an endpoint; return it with its secret, which nobody is shown again."""
        self._refuse(new)
        secret = webhook_secret(self.new_key())
        number = self.store.add(new, secret, by=actor, now=self.clock.now())
        if number is None:
            raise NotAllowed(f"there is an endpoint {new.name!r} already")
        self._record(actor, number, "add webhook", _shown(new))
        return self.endpoint(number), secret

    def endpoints(self) -> tuple[WebhookEndpoint, ...]:
        return self.store.endpoints()

    def endpoint(self, endpoint_id: int) -> WebhookEndpoint:
        """Return the endpoint of this number; NotFound if there is none."""
        if found := self.store.find(endpoint_id):
            return found
        raise NotFound(f"there is no webhook endpoint {endpoint_id}")

    def named(self, name: str) -> WebhookEndpoint:
        """Return the endpoint of this name; NotFound if there is none."""
        for one in self.endpoints():
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.endpoints()) or "none yet"
        raise NotFound(f"there is no webhook endpoint {name!r}; there are: {known}")

    def deliveries(self, endpoint_id: int) -> tuple[WebhookDelivery, ...]:
        """Return what was posted to an endpoint lately, or waits to be, the newest first."""
        return self.store.deliveries(endpoint_id)

    def delivery(self, endpoint_id: int, delivery_id: int) -> WebhookDelivery:
        """Return one delivery of an endpoint; NotFound if there is none, or none any more."""
        if found := self.store.delivery(endpoint_id, delivery_id):
            return found
        raise NotFound(f"there is no delivery {delivery_id} of this endpoint")

    def test(self, endpoint_id: int, *, actor: str) -> WebhookDelivery:
        """Post a ping to an endpoint now, even to a paused one; return what came of it."""
        self.endpoint(endpoint_id)
        self._record(actor, endpoint_id, "test webhook", {})
        return self.delivery(endpoint_id, self.sending.try_endpoint(endpoint_id))

    def change(
        self,
        endpoint_id: int,
        new: NewEndpoint,
        *,
        actor: str,
        read: WebhookEndpoint | None = None,
        state: EndpointState | None = None,
        because: str = "",
    ) -> WebhookEndpoint:
        """Store what an endpoint is to be from now on, with its state where one is given.

        Its secret stays. ChangedMeanwhile where it is not as it was `read`.
        """
        before = read or self.endpoint(endpoint_id)
        self._refuse(new)
        said = None if state in (None, before.state) else self._state(state, actor, because)
        try:
            stored = self.store.change(endpoint_id, new, read=read, state=said)
        except ConcurrentChange:
            raise ChangedMeanwhile from None
        if not stored:
            raise NotAllowed(f"there is an endpoint {new.name!r} already")
        after = self.endpoint(endpoint_id)
        if _shown(new) != _shown(before) or new.url != before.url:
            self._record(actor, endpoint_id, "change webhook", {}, (_shown(before), _shown(new)))
        if said:
            self._record_state(actor, endpoint_id, said[0], because)
        return after

    @staticmethod
    def _state(state: EndpointState, actor: str, because: str) -> tuple[EndpointState, str]:
        paused = state is EndpointState.PAUSED
        return state, f"{given(because)} ({actor})" if paused else ""

    def _record_state(
        self, actor: str, endpoint_id: int, state: EndpointState, because: str
    ) -> None:
        if state is EndpointState.PAUSED:
            self._record(actor, endpoint_id, "pause", {"because": given(because)})
        else:
            self._record(actor, endpoint_id, "resume", {})

    def pause(self, endpoint_id: int, *, actor: str, because: str) -> WebhookEndpoint:
        """Post nothing to an endpoint until somebody resumes it: its events wait, three days."""
        return self._set(endpoint_id, EndpointState.PAUSED, actor, because)

    def resume(self, endpoint_id: int, *, actor: str) -> WebhookEndpoint:
        """Let a paused endpoint have its events, those that waited first."""
        return self._set(endpoint_id, EndpointState.ACTIVE, actor, "")

    def rotate(self, endpoint_id: int, *, actor: str) -> str:
        """Give an endpoint another secret and return it; for a day both sign."""
        self.endpoint(endpoint_id)
        secret = webhook_secret(self.new_key())
        self.store.rotate(endpoint_id, secret, self.clock.now() + ROTATION)
        self._record(actor, endpoint_id, "rotate secret", {})
        return secret

    def remove(self, endpoint_id: int, *, actor: str) -> None:
        """Remove an endpoint, with what was still to be posted to it."""
        endpoint = self.endpoint(endpoint_id)
        if self.store.remove(endpoint_id):
            removed = {"name": endpoint.name, "host": host_of(endpoint.url)}
            self._record(actor, endpoint_id, "remove webhook", removed)

    def send_again(self, endpoint_id: int, delivery_id: int, *, actor: str) -> WebhookDelivery:
        """Let an event be posted once more, under its old id; NotAllowed while it is posted."""
        found = self.delivery(endpoint_id, delivery_id)
        if not self.store.send_again(endpoint_id, delivery_id):
            raise NotAllowed("it is being posted just now")
        self._record(actor, endpoint_id, "send again", {"event": found.event.id})
        return self.delivery(endpoint_id, delivery_id)

    def _refuse(self, new: NewEndpoint) -> None:
        """Raise InvalidEndpoint for what cannot be one."""
        if not new.name.strip() or len(new.name) > NAME_LENGTH or not new.name.isprintable():
            said = f"name: it has 1 to {NAME_LENGTH} characters, all printable"
            raise InvalidEndpoint("name", said)
        if fault := why_unfit_endpoint(new.url, practice=self.practice):
            raise InvalidEndpoint("url", f"address: {fault}")
        if not new.events or not new.events <= frozenset(CHOICES):
            raise InvalidEndpoint("events", f"events: choose from {', '.join(CHOICES)}")
        if strange := new.newsletters - self.newsletters.keys():
            known = ", ".join(self.newsletters)
            said = f"newsletters: no {', '.join(sorted(strange))}; choose from {known}"
            raise InvalidEndpoint("newsletters", said)

    def _set(
        self, endpoint_id: int, state: EndpointState, actor: str, because: str
    ) -> WebhookEndpoint:
        said = self._state(state, actor, because)
        self.endpoint(endpoint_id)
        if not self.store.set_state(endpoint_id, *said):
            raise NotAllowed(f"it is {state.value} already")
        self._record_state(actor, endpoint_id, state, because)
        return self.endpoint(endpoint_id)

    def _record(
        self,
        actor: str,
        endpoint_id: int,
        verb: str,
        detail: Mapping[str, object],
        values: tuple[Mapping[str, object] | None, Mapping[str, object] | None] = (None, None),
    ) -> None:
        """Record an act, with the values before and after it where it changed some."""
        before, after = values
        subject, said = f"webhook {endpoint_id}", dict(detail)
        self.decisions.record(actor, subject, verb, said, before=before, after=after)


def _shown(endpoint: NewEndpoint) -> dict[str, object]:
    """Return what the log says of an endpoint: of its address the host only."""
    return {
        "name": endpoint.name,
        "host": host_of(endpoint.url),
        "events": sorted(endpoint.events),
        "newsletters": sorted(endpoint.newsletters),
        "addresses": endpoint.addresses,
    }
