"""Webhook endpoints as people keep them, and what was posted to each of them lately."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, select, update

from newsletter.core.webhook import (
    EndpointState,
    NewEndpoint,
    WebhookEndpoint,
    WebhookEvent,
    WebhookEventKind,
)
from newsletter.core.webhook_delivery import (
    SHOWN,
    WebhookAnswer,
    WebhookDelivery,
    WebhookDeliveryState,
)
from newsletter.stores.tables.webhooks import WebhookEndpointRow
from subscribers.db.transaction import DatabaseStore, execute, rows, transaction
from subscribers.errors import ConcurrentChange

_LATEST = """
    SELECT delivery.id, delivery.state, delivery.tries, delivery.tried_at, delivery.status,
           delivery.reason, delivery.answer, NULLIF(delivery.due_at, 'epoch') AS due_at,
           event.key, event.kind, event.newsletter, event.at, event.facts
      FROM webhook_delivery AS delivery JOIN webhook_event AS event ON event.id = event_id
     WHERE endpoint_id = %(endpoint)s AND (%(id)s::bigint IS NULL OR delivery.id = %(id)s)
     ORDER BY delivery.id DESC LIMIT %(most)s
"""

#: What is being posted just now is not posted again meanwhile.
_SEND_AGAIN = """
    UPDATE webhook_delivery SET state = 'waiting', tries = 0, due_at = 'epoch'
     WHERE id = %(id)s AND endpoint_id = %(endpoint)s AND state <> 'claimed'
"""

#: Whoever sends again by hand does not wait until the endpoint is asked of itself.
_ASK_NOW = "UPDATE webhook_endpoint SET resting_until = NULL WHERE id = %(endpoint)s"

#: Of an endpoint that somebody has just changed, or lets go on.
_RESTED: dict[str, Any] = {"failures": 0, "failing_since": None, "resting_until": None}

_ROTATE = """
    UPDATE webhook_endpoint
       SET former_secret = secret, former_until = %(until)s, secret = %(secret)s
     WHERE id = %(id)s
"""


class WebhookStore(DatabaseStore):
    """Stores endpoints with their secrets, and shows what became of events."""

    def add(self, new: NewEndpoint, secret: str, *, by: str, now: datetime) -> int | None:
        """Store an endpoint and return its number; None if another one has its name."""
        values = {
            "name": new.name,
            "url": new.url,
            "events": sorted(new.events),
            "newsletters": sorted(new.newsletters),
            "addresses": new.addresses,
            "secret": secret,
            "created_at": now,
            "created_by": str(by),
        }
        added = insert(WebhookEndpointRow).values(**values).on_conflict_do_nothing()
        with transaction(self._engine) as session:
            return session.exec(added.returning(col(WebhookEndpointRow.id))).scalar()

    def endpoints(self) -> tuple[WebhookEndpoint, ...]:
        """Return all of them, in the order of their names."""
        found = select(WebhookEndpointRow).order_by(WebhookEndpointRow.name)
        with transaction(self._engine) as session:
            return tuple(map(_endpoint, session.exec(found)))

    def find(self, endpoint_id: int) -> WebhookEndpoint | None:
        with transaction(self._engine) as session:
            row = session.get(WebhookEndpointRow, endpoint_id)
            return row and _endpoint(row)

    def set_state(self, endpoint_id: int, state: EndpointState, reason: str) -> bool:
        """Pause an endpoint or let it go on; False if that is its state already."""
        row = WebhookEndpointRow
        this = update(row).where(col(row.id) == endpoint_id, col(row.state) != state.value)
        with transaction(self._engine) as session:
            changed = session.exec(this.values(state=state.value, reason=reason, **_RESTED))
            return bool(changed.rowcount)

    def change(
        self,
        endpoint_id: int,
        new: NewEndpoint,
        *,
        read: WebhookEndpoint | None = None,
        state: tuple[EndpointState, str] | None = None,
    ) -> bool:
        """Store what an endpoint is to be, with its state and why, where these are given.

        False if another one has its name; ConcurrentChange where it is not as it was read.
        """
        row = WebhookEndpointRow
        taken = select(row.id).where(row.name == new.name, col(row.id) != endpoint_id).exists()
        this = update(row).where(col(row.id) == endpoint_id, ~taken)
        values: dict[str, Any] = {
            "name": new.name,
            "url": new.url,
            "events": sorted(new.events),
            "newsletters": sorted(new.newsletters),
            "addresses": new.addresses,
            **_RESTED,
        }
        if state:
            values |= {"state": state[0].value, "reason": state[1]}
        with transaction(self._engine) as session:
            found = session.get(row, endpoint_id, with_for_update=True)
            if read and (found is None or _endpoint(found) != read):
                raise ConcurrentChange
            return bool(session.exec(this.values(**values)).rowcount)

    def rotate(self, endpoint_id: int, secret: str, until: datetime) -> None:
        """Sign by another secret from now on; until a moment also by the one before."""
        self._execute(_ROTATE, id=endpoint_id, secret=secret, until=until)

    def remove(self, endpoint_id: int) -> bool:
        """Remove an endpoint with all that was to be posted to it."""
        this = delete(WebhookEndpointRow).where(col(WebhookEndpointRow.id) == endpoint_id)
        with transaction(self._engine) as session:
            return bool(session.exec(this).rowcount)

    def deliveries(self, endpoint_id: int) -> tuple[WebhookDelivery, ...]:
        """Return the latest events of an endpoint, the newest first."""
        return self._deliveries(endpoint_id, None)

    def delivery(self, endpoint_id: int, delivery_id: int) -> WebhookDelivery | None:
        return next(iter(self._deliveries(endpoint_id, delivery_id)), None)

    def send_again(self, endpoint_id: int, delivery_id: int) -> bool:
        """Let an event be posted once more, by as many tries; False while it is being posted."""
        values = {"endpoint": endpoint_id, "id": delivery_id}
        with transaction(self._engine) as session:
            found = execute(session, _SEND_AGAIN, values) > 0
            execute(session, _ASK_NOW, values)
            return found

    def _deliveries(self, endpoint_id: int, one: int | None) -> tuple[WebhookDelivery, ...]:
        values = {"endpoint": endpoint_id, "id": one, "most": SHOWN}
        with transaction(self._engine) as session:
            return tuple(map(_delivery, rows(session, _LATEST, values)))


def event_of(row: Mapping[str, Any]) -> WebhookEvent:
    """Return the event whose columns are in a row."""
    return WebhookEvent(
        key=row["key"].hex,
        kind=WebhookEventKind(row["kind"]),
        newsletter=row["newsletter"],
        at=row["at"],
        facts=row["facts"],
    )


def _delivery(row: Mapping[str, Any]) -> WebhookDelivery:
    return WebhookDelivery(
        id=row["id"],
        event=event_of(row),
        state=WebhookDeliveryState(row["state"]),
        tries=row["tries"],
        due_at=row["due_at"],
        tried_at=row["tried_at"],
        answer=WebhookAnswer(status=row["status"], reason=row["reason"], body=row["answer"]),
    )


def _endpoint(row: WebhookEndpointRow) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=row.id,
        name=row.name,
        url=row.url,
        events=frozenset(map(WebhookEventKind, row.events)),
        newsletters=frozenset(row.newsletters),
        addresses=row.addresses,
        state=EndpointState(row.state),
        reason=row.reason,
        created_at=row.created_at,
        created_by=row.created_by,
        former_until=row.former_until,
        failing_since=row.failing_since,
        resting_until=row.resting_until,
    )
