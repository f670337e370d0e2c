"""Delivery events, each stored once, by the id that SendGrid gave it."""

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlmodel import Session

from newsletter.core.delivery import DeliveryKey, places_by_issue
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
from newsletter.stores.look_up import LOOK_UP
from newsletter.stores.partitions import with_partition
from newsletter.stores.result_counts import advance_deliveries
from subscribers.db.transaction import DatabaseStore, execute, rows, scalar, transaction

_log = logging.getLogger(__name__)

NO_DELIVERY = DeliveryKey(0, 0)  #: what is not about a delivery of ours is kept there

#: Of readers who were erased (their deliveries have lost their subscription) no content is stored.
_RECORD = """
    INSERT INTO delivery_event (
           issue_id, place, event_key, attempt_id, kind, at, received_at, raw, origin, url)
    SELECT DISTINCT ON (place, event_key) %(issue)s, place, event_key, posted ->> 2, posted ->> 3,
           to_timestamp(CAST(posted -> 4 AS float8)), %(now)s,
           CASE WHEN erased THEN '{}' ELSE posted -> 5 END, posted ->> 6,
           CASE WHEN NOT erased THEN posted ->> 7 END
      FROM jsonb_array_elements(%(posted)s::jsonb) AS posted,
           LATERAL (SELECT CAST(posted ->> 0 AS uuid), CAST(posted ->> 1 AS integer))
               AS key (event_key, place),
           LATERAL (SELECT EXISTS (SELECT FROM delivery
                                    WHERE delivery.issue_id = %(issue)s
                                      AND delivery.place = key.place AND subscription_id = 0))
               AS known (erased)
     ORDER BY place, event_key
    ON CONFLICT DO NOTHING
    RETURNING place, encode(uuid_send(event_key), 'hex') AS event_key
"""

#: An attempt was made for the places of its batch, and of those that were split off from it since.
#: A post's events are of few requests, each found by key: joining all batches that there ever were,
#: as the planner likes to, would take longer with every issue.
_REQUESTS = """
    SELECT attempt_id, issue_id, first_place, last_place
      FROM (SELECT batch_id, attempt_id FROM batch_attempt
             WHERE attempt_id = ANY(%(attempts)s) OFFSET 0) AS request
           CROSS JOIN LATERAL (
               SELECT issue_id, first_place, last_place FROM batch
                WHERE batch.id = request.batch_id OFFSET 0) AS batch
"""

_INSTALLATION = "SELECT id FROM installation"

#: By its index on received_at, so that only the latest events are read.
_BEARING = """
    SELECT CAST(event_key AS text) AS event_id, kind, at, raw FROM delivery_event
     WHERE issue_id = 0 AND received_at >= %(since)s
       AND CAST(raw AS jsonb) @> CAST(%(arguments)s AS jsonb)
     ORDER BY at, event_id
"""

_KNOWN_TRANSACTIONAL = "SELECT id FROM transactional_email WHERE id = ANY(%(ids)s)"

_OWNERS = """
    SELECT place, subscription_id, email FROM delivery JOIN addressee USING (subscription_id)
     WHERE issue_id = %(issue)s AND place = ANY(%(places)s)
"""

_SUBSCRIPTIONS = """
    SELECT subscription_id FROM delivery WHERE issue_id = %(issue)s AND place = ANY(%(places)s)
"""

_RECORD_SOFT = """
    INSERT INTO soft_bounce (issue_id, place, subscriber_id, at)
    SELECT issue_id, place, subscriber_id, at
      FROM unnest(%(places)s::integer[], %(moments)s::timestamptz[]) AS posted (place, at)
      JOIN delivery USING (place)
     WHERE delivery.issue_id = %(issue)s AND place = ANY(%(places)s)
     ORDER BY place
    ON CONFLICT DO NOTHING
"""

#: `newsletter.core.events.is_worn_out`, for all these readers at once: of as many soft bounces as
#: are too many, the first and the last stand within one window of the letters that were sent. It
#: looks no further than for one letter more than a window holds.
_WORN_OUT = """
    WITH soft AS (
        SELECT subscriber_id, issue_id, place, at,
               lag(issue_id, %(limit)s - 1) OVER (PARTITION BY subscriber_id ORDER BY issue_id)
               AS first
          FROM soft_bounce
         WHERE NOT forgiven
           AND subscriber_id IN (
               SELECT subscriber_id
                 FROM soft_bounce JOIN unnest(%(issues)s::integer[], %(places)s::integer[])
                                       AS posted (issue_id, place) USING (issue_id, place))),
    worn_out AS (
        SELECT DISTINCT subscriber_id
          FROM soft CROSS JOIN LATERAL (
               SELECT count(*) AS letters
                 FROM (SELECT FROM issue CROSS JOIN LATERAL (
                              SELECT FROM delivery
                               WHERE delivery.issue_id = issue.id
                                 AND delivery.subscriber_id = soft.subscriber_id
                                 AND skipped IS NULL AND refused IS NULL
                              OFFSET 0) AS letter
                        WHERE issue.id BETWEEN soft.first AND soft.issue_id
                        LIMIT %(window)s + 1) AS sent) AS between_them
         WHERE soft.first IS NOT NULL AND letters <= %(window)s)
    SELECT DISTINCT ON (subscriber_id) issue_id, place,
           max(at) OVER (PARTITION BY subscriber_id) AS at
      FROM soft WHERE subscriber_id IN (SELECT subscriber_id FROM worn_out)
     ORDER BY subscriber_id, issue_id DESC
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
            requests = {(e.delivery, e.attempt_id) for e in ours if e.delivery and e.attempt_id}
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
            execute(session, LOOK_UP)
            new = _record_new(session, events, known, now)
            own = [e for e in new if known.origin(e) is Origin.OWN]
            attempts = {e.attempt_id for e in own if e.attempt_id}
            accepted = accept_attempts(session, attempts, now, evidence="an event proved")
            places = places_by_issue(e.delivery for e in own if e.delivery)
            refused = [one for issue in places.items() for one in lock_refused(session, *issue)]
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

    def owners(self, deliveries: Iterable[DeliveryKey]) -> dict[DeliveryKey, tuple[int, str]]:
        """Return the subscription and address of each delivery; unknown ones are left out."""
        return {
            DeliveryKey(issue_id, row["place"]): (row["subscription_id"], row["email"])
            for issue_id, places in places_by_issue(deliveries).items()
            for row in self._rows(_OWNERS, issue=issue_id, places=places)
        }

    def subscriptions_of(self, deliveries: Iterable[DeliveryKey]) -> tuple[int, ...]:
        """Return the subscriptions that these letters went to; unknown ones are left out."""
        return tuple(
            row["subscription_id"]
            for issue_id, places in places_by_issue(deliveries).items()
            for row in self._rows(_SUBSCRIPTIONS, issue=issue_id, places=places)
        )

    def count_soft_bounces(
        self, bounces: Mapping[DeliveryKey, datetime]
    ) -> dict[DeliveryKey, datetime]:
        """Store soft bounces by delivery; return the latest one of each reader now worn out."""
        for issue_id, places in places_by_issue(bounces).items():
            moments = [bounces[DeliveryKey(issue_id, place)] for place in places]
            self._execute(_RECORD_SOFT, issue=issue_id, places=places, moments=moments)
        # Another transaction: of two posts at once, the later one sees the bounces of both.
        issues, places = (list(part) for part in zip(*bounces, strict=True))
        limits = {"limit": SOFT_LIMIT, "window": SOFT_WINDOW}
        found = self._rows(_WORN_OUT, issues=issues, places=places, **limits)
        return {DeliveryKey(row["issue_id"], row["place"]): row["at"] for row in found}

    def forgive_soft_bounces(self, subscriber_id: int) -> None:
        """Begin counting anew for a reader whose suppression was lifted."""
        self._execute(_FORGIVE, subscriber=subscriber_id)


def _bearing(event_id: str, kind: str, at: datetime, raw: dict[str, Any]) -> DeliveryEvent:
    reason = str(raw.get("reason") or raw.get("response") or "")
    return DeliveryEvent(
        event_id=event_id,
        kind=EventKind(kind),
        delivery=None,
        attempt_id=None,
        installation_id=None,
        at=at,
        reason=reason,
        raw=raw,
    )


def _known_requests(
    session: Session, posted: Collection[tuple[DeliveryKey, str]]
) -> frozenset[tuple[DeliveryKey, str]]:
    """Return those of which the request held the delivery.

    Old letters were let go, and what comes about them is about no delivery of ours any more.
    """
    if not posted:
        return frozenset()
    held: defaultdict[tuple[str, int], list[range]] = defaultdict(list)
    for row in rows(session, _REQUESTS, {"attempts": sorted({one for _, one in posted})}):
        places = range(row["first_place"], row["last_place"] + 1)
        held[row["attempt_id"], row["issue_id"]].append(places)
    stored = with_partition(session, "delivery_event", {issue_id for _, issue_id in held})
    return frozenset(
        (delivery, attempt)
        for delivery, attempt in posted
        if delivery.issue_id in stored
        and any(delivery.place in places for places in held.get((attempt, delivery.issue_id), ()))
    )


def _known_emails(session: Session, posted: Collection[int]) -> frozenset[int]:
    if not posted:
        return frozenset()
    found = rows(session, _KNOWN_TRANSACTIONAL, {"ids": list(posted)})
    return frozenset(row["id"] for row in found)


def _record_new(
    session: Session, events: Sequence[DeliveryEvent], known: KnownIds, now: datetime
) -> tuple[DeliveryEvent, ...]:
    """Store events issue by issue, in one order; return those that were not there before.

    What is not ours bears none of our ids as columns, so that nothing can take it for ours.
    """
    by_key: dict[int, dict[tuple[int, str], DeliveryEvent]] = {}
    for event in events:
        own = event.delivery if known.origin(event) is Origin.OWN else None
        issue_id, place = own or NO_DELIVERY
        by_key.setdefault(issue_id, {})[place, _event_key(event)] = event
    new: list[DeliveryEvent] = []
    for issue_id, posted in sorted(by_key.items()):
        values = {"issue": issue_id, "posted": _posted(posted, known), "now": now}
        new += [posted[r["place"], r["event_key"]] for r in rows(session, _RECORD, values)]
    return tuple(new)


def _event_key(event: DeliveryEvent) -> str:
    """Return a key as long as a UUID, for ids of whatever length: it has to hide nothing."""
    return hashlib.md5(event.event_id.encode(), usedforsecurity=False).hexdigest()


def _posted(events: Mapping[tuple[int, str], DeliveryEvent], known: KnownIds) -> str:
    """Return the events as one JSON text: as arrays, each raw event would be escaped twice."""
    posted: list[tuple[Any, ...]] = []
    for (place, key), e in events.items():
        origin = known.origin(e)
        attempt_id = e.attempt_id if origin is Origin.OWN else None
        posted.append((key, place, attempt_id, e.kind, e.at.timestamp(), e.raw, origin, e.url))
    return _as_json(posted)


def _as_json(content: Any) -> str:
    """Return it as JSON, whatever was posted: some numbers and depths only Python's can hold."""
    try:
        return orjson.dumps(content).decode()
    except TypeError:
        return json.dumps(content, ensure_ascii=False)
