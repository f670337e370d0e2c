"""Delivery events, each stored once, by the id that SendGrid gave it."""

import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from newsletter.core.events import (
    SOFT_LIMIT,
    SOFT_WINDOW,
    DeliveryEvent,
    EventKind,
    KnownIds,
    Origin,
    StoredEvents,
)
from newsletter.stores.acceptance import accept_attempts, finish
from newsletter.stores.batch_counts import lock_refused, recount
from newsletter.stores.result_counts import advance_deliveries
from subscribers.db.transaction import DatabaseStore, rows, scalar, transaction

_log = logging.getLogger(__name__)

#: Of readers who were erased (their deliveries have lost their subscription) no content is stored.
_RECORD = """
    INSERT INTO delivery_event (
           event_id, delivery_id, attempt_id, kind, at, received_at, raw, origin, url)
    SELECT DISTINCT ON (event_id) event_id, CAST(posted ->> 1 AS bigint), posted ->> 2,
           posted ->> 3, to_timestamp(CAST(posted -> 4 AS float8)), %(now)s,
           CASE WHEN erased THEN '{}' ELSE posted -> 5 END, posted ->> 6,
           CASE WHEN NOT erased THEN posted ->> 7 END
      FROM jsonb_array_elements(%(posted)s::jsonb) AS posted,
           LATERAL (SELECT posted ->> 0,
                           EXISTS (SELECT FROM delivery WHERE id = CAST(posted ->> 1 AS bigint)
                                                          AND subscription_id = 0))
               AS known (event_id, erased)
     ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
"""

#: A post's events are of few requests, so these are looked up first.
_KNOWN = """
    WITH request AS MATERIALIZED (
        SELECT batch_id, attempt_id FROM batch_attempt WHERE attempt_id = ANY(%(attempts)s)),
    posted AS (
        SELECT DISTINCT delivery_id, attempt_id
          FROM unnest(%(deliveries)s::bigint[], %(of)s::text[]) AS posted (delivery_id, attempt_id))
    SELECT posted.delivery_id, posted.attempt_id
      FROM posted
      JOIN request ON request.attempt_id = posted.attempt_id
      JOIN delivery ON delivery.id = posted.delivery_id AND delivery.batch_id = request.batch_id
"""

_INSTALLATION = "SELECT id FROM installation"

#: By its index on received_at, so that only the latest events are read.
_BEARING = """
    SELECT event_id, kind, at, raw FROM delivery_event
     WHERE received_at >= %(since)s AND CAST(raw AS jsonb) @> CAST(%(arguments)s AS jsonb)
     ORDER BY at, event_id
"""

_KNOWN_TRANSACTIONAL = "SELECT id FROM transactional_email WHERE id = ANY(%(ids)s)"

_OWNERS = """
    SELECT delivery.id, subscription_id, email FROM delivery JOIN addressee USING (subscription_id)
     WHERE delivery.id = ANY(%(deliveries)s)
"""

_SUBSCRIPTIONS = """
    SELECT subscription_id FROM delivery WHERE id = ANY(%(deliveries)s)
"""

_RECORD_SOFT = """
    INSERT INTO soft_bounce (delivery_id, subscriber_id, at)
    SELECT id, subscriber_id, at
      FROM unnest(%(deliveries)s::bigint[], %(moments)s::timestamptz[]) AS posted (id, at)
      JOIN delivery USING (id)
     ORDER BY id
    ON CONFLICT DO NOTHING
"""

#: `newsletter.core.events.is_worn_out`, for all these readers at once: the first and the last of as
#: many soft bounces as are too many stand within one window of the letters that were sent.
_WORN_OUT = """
    WITH letter AS (
        SELECT delivery.subscriber_id, delivery.id, soft_bounce.at,
               row_number() OVER (PARTITION BY delivery.subscriber_id ORDER BY delivery.id) AS place
          FROM delivery
               LEFT JOIN soft_bounce ON soft_bounce.delivery_id = delivery.id AND NOT forgiven
         WHERE delivery.subscriber_id IN (
                   SELECT subscriber_id FROM delivery WHERE id = ANY(%(deliveries)s))
           AND skipped IS NULL AND refused IS NULL),
    soft AS (
        SELECT *, place - lag(place, %(limit)s - 1) OVER reader AS spread,
               last_value(id) OVER (reader RANGE BETWEEN UNBOUNDED PRECEDING
                                                     AND UNBOUNDED FOLLOWING) AS latest
          FROM letter WHERE at IS NOT NULL
        WINDOW reader AS (PARTITION BY subscriber_id ORDER BY place))
    SELECT latest, max(at) AS at FROM soft
     GROUP BY latest HAVING bool_or(spread < %(window)s)
"""

# Not deleted: the same bounce, posted again, would count again.
_FORGIVE = "UPDATE soft_bounce SET forgiven = true WHERE subscriber_id = %(subscriber)s"


class EventStore(DatabaseStore):
    """Stores events, moves deliveries up their ladder, and counts soft bounces."""

    def known_ids(self, events: Iterable[DeliveryEvent]) -> KnownIds:
        """Return which of the ids that these events bear are ours."""
        with transaction(self._engine) as session:
            installation_id: str = scalar(session, _INSTALLATION)
            ours = [e for e in events if e.installation_id == installation_id]
            requests = {(e.delivery_id, e.attempt_id) for e in ours if e.attempt_id}
            emails = {e.transactional_id for e in ours if e.transactional_id is not None}
            return KnownIds(
                installation_id=installation_id,
                requests=_known_requests(session, requests),
                transactional=_known_emails(session, emails),
            )

    def record(
        self, events: Sequence[DeliveryEvent], known: KnownIds, now: datetime
    ) -> StoredEvents:
        """Store new events, move our deliveries up their ladder, accept proven batches."""
        with transaction(self._engine) as session:
            stored = rows(session, _RECORD, {"posted": _posted(events, known), "now": now})
            new_ids = {row["event_id"] for row in stored}
            new = tuple({e.event_id: e for e in events if e.event_id in new_ids}.values())
            own = [e for e in new if known.origin(e) is Origin.OWN]
            attempts = {e.attempt_id for e in own if e.attempt_id}
            accepted = accept_attempts(session, attempts, now, evidence="an event proved")
            refused = lock_refused(session, [e.delivery_id for e in own if e.delivery_id])
            advance_deliveries(session, own)
            recount(session, refused)
        if accepted:  # an event may come before the answer is recorded
            finish(self._engine)
        counts = {"repeated": len(events) - len(new), "reconciled": len(accepted)}
        _log.info("recorded", extra={"action": "events.recorded", "new": len(new), **counts})
        return StoredEvents(new=new, **counts)

    def bearing(self, arguments: Mapping[str, str], since: datetime) -> tuple[DeliveryEvent, ...]:
        """Return the events received since then that bear these custom arguments, by time."""
        found = self._rows(_BEARING, since=since, arguments=json.dumps(dict(arguments)))
        return tuple(_bearing(row["event_id"], row["kind"], row["at"], row["raw"]) for row in found)

    def owners(self, delivery_ids: Sequence[int]) -> dict[int, tuple[int, str]]:
        """Return the subscription and address of each delivery; unknown ids are left out."""
        found = self._rows(_OWNERS, deliveries=list(delivery_ids))
        return {row["id"]: (row["subscription_id"], row["email"]) for row in found}

    def subscriptions_of(self, delivery_ids: Sequence[int]) -> tuple[int, ...]:
        """Return the subscriptions that these letters went to; unknown ids are left out."""
        found = self._rows(_SUBSCRIPTIONS, deliveries=list(delivery_ids))
        return tuple(row["subscription_id"] for row in found)

    def count_soft_bounces(self, bounces: Mapping[int, datetime]) -> dict[int, datetime]:
        """Store soft bounces by delivery; return the latest one of each reader now worn out."""
        deliveries = list(bounces)
        self._execute(_RECORD_SOFT, deliveries=deliveries, moments=list(bounces.values()))
        # Another transaction: of two posts at once, the later one sees the bounces of both.
        limits = {"limit": SOFT_LIMIT, "window": SOFT_WINDOW}
        found = self._rows(_WORN_OUT, deliveries=deliveries, **limits)
        return {row["latest"]: row["at"] for row in found}

    def forgive_soft_bounces(self, subscriber_id: int) -> None:
        """Begin counting anew for a reader whose suppression was lifted."""
        self._execute(_FORGIVE, subscriber=subscriber_id)


def _bearing(event_id: str, kind: str, at: datetime, raw: dict[str, Any]) -> DeliveryEvent:
    reason = str(raw.get("reason") or raw.get("response") or "")
    return DeliveryEvent(
        event_id=event_id,
        kind=EventKind(kind),
        delivery_id=None,
        attempt_id=None,
        installation_id=None,
        at=at,
        reason=reason,
        raw=raw,
    )


def _known_requests(
    session: Session, posted: Collection[tuple[int | None, str | None]]
) -> frozenset[tuple[int, str]]:
    if not posted:
        return frozenset()
    deliveries, attempts = zip(*posted, strict=True)
    values = {
        "attempts": list(set(attempts)),
        "deliveries": list(deliveries),
        "of": list(attempts),
    }
    found = rows(session, _KNOWN, values)
    return frozenset((row["delivery_id"], row["attempt_id"]) for row in found)


def _known_emails(session: Session, posted: Collection[int]) -> frozenset[int]:
    if not posted:
        return frozenset()
    found = rows(session, _KNOWN_TRANSACTIONAL, {"ids": list(posted)})
    return frozenset(row["id"] for row in found)


def _posted(events: Sequence[DeliveryEvent], known: KnownIds) -> str:
    """Return the events as one JSON text: as arrays, each raw event would be escaped twice.

    What is not ours bears none of our ids as columns, so that nothing can take it for ours.
    """
    posted: list[tuple[Any, ...]] = []
    for e in events:
        origin = known.origin(e)
        ids = (e.delivery_id, e.attempt_id) if origin is Origin.OWN else (None, None)
        posted.append((e.event_id, *ids, e.kind, e.at.timestamp(), e.raw, origin, e.url))
    return json.dumps(posted, ensure_ascii=False)
