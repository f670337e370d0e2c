"""Delivery events on file: each once, by the id SendGrid gave it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine, text

from newsletter.core.events import SOFT_LIMIT, SOFT_WINDOW, DeliveryEvent, consequence
from newsletter.ports import Owner, StoredEvents
from newsletter.stores.acceptance import finish, prove
from newsletter.stores.sql import as_json

#: Of readers who were erased (their deliveries have lost their subscription) no word is kept.
_KEEP = """
    INSERT INTO delivery_event (event_id, delivery_id, attempt_id, kind, at, received_at, raw)
    SELECT DISTINCT ON (event_id) event_id, CAST(posted ->> 1 AS bigint), posted ->> 2,
           posted ->> 3, to_timestamp(CAST(posted -> 4 AS float8)), :now,
           CASE WHEN EXISTS (SELECT FROM delivery WHERE id = CAST(posted ->> 1 AS bigint)
                                                    AND subscription_id = 0)
                THEN '{}' ELSE posted -> 5 END
      FROM jsonb_array_elements(CAST(:posted AS jsonb)) AS posted,
           LATERAL (SELECT posted ->> 0) AS known (event_id)
     ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
"""

#: The ladder, for many at once: the higher state wins, whatever came first. Rows are locked in one
#: order: SendGrid posts from many servers at once, and two posts may tell of the same letters. A
#: letter that is heard of was taken, whatever a later request for it was told.
_ADVANCE = """
    WITH seen AS (
        SELECT id, max(state) AS state
          FROM unnest(CAST(:deliveries AS bigint[]), CAST(:states AS smallint[]))
               AS posted (id, state)
         GROUP BY id),
    held AS (
        SELECT delivery.id, seen.state FROM delivery JOIN seen USING (id)
         WHERE delivery.state < seen.state ORDER BY id FOR NO KEY UPDATE OF delivery)
    UPDATE delivery SET state = held.state, refused = NULL FROM held WHERE delivery.id = held.id
"""

_OWNERS = """
    SELECT delivery.id, subscription_id, email FROM delivery JOIN addressee USING (subscription_id)
     WHERE delivery.id = ANY(:deliveries)
"""

_SUBSCRIPTIONS = """
    SELECT COALESCE(array_agg(subscription_id), '{}') FROM delivery WHERE id = ANY(:deliveries)
"""

_KEEP_SOFT = """
    INSERT INTO soft_bounce (delivery_id, subscriber_id, at)
    SELECT id, subscriber_id, at
      FROM unnest(CAST(:deliveries AS bigint[]), CAST(:moments AS timestamptz[])) AS posted (id, at)
      JOIN delivery USING (id)
     ORDER BY id
    ON CONFLICT DO NOTHING
"""

#: `is_worn_out`, for all these readers at once: the first and the last of as many soft bounces as
#: are too many stand within one window of the letters that left the house.
_WORN_OUT = """
    WITH letter AS (
        SELECT delivery.subscriber_id, delivery.id, soft_bounce.at,
               row_number() OVER (PARTITION BY delivery.subscriber_id ORDER BY delivery.id) AS place
          FROM delivery
               LEFT JOIN soft_bounce ON soft_bounce.delivery_id = delivery.id AND NOT forgiven
         WHERE delivery.subscriber_id IN (
                   SELECT subscriber_id FROM delivery WHERE id = ANY(:deliveries))
           AND skipped IS NULL AND refused IS NULL),
    soft AS (
        SELECT *, place - lag(place, :limit - 1) OVER reader AS spread,
               last_value(id) OVER (reader RANGE BETWEEN UNBOUNDED PRECEDING
                                                     AND UNBOUNDED FOLLOWING) AS latest
          FROM letter WHERE at IS NOT NULL
        WINDOW reader AS (PARTITION BY subscriber_id ORDER BY place))
    SELECT latest, max(at) AS at FROM soft
     GROUP BY latest HAVING bool_or(spread < :window)
"""

# Not deleted: the same bounce told again would count again.
_FORGIVE = "UPDATE soft_bounce SET forgiven = true WHERE subscriber_id = :subscriber"


class EventStore:
    """EventStore on PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, events: Sequence[DeliveryEvent], now: datetime) -> StoredEvents:
        """Keep new events, move deliveries up their ladder, settle proven batches."""
        with self._engine.begin() as connection:
            values = {"posted": _posted(events), "now": now}
            kept = connection.execute(text(_KEEP), values).scalars()
            fresh_ids = set(kept)
            fresh = tuple({e.event_id: e for e in events if e.event_id in fresh_ids}.values())
            attempts = {e.attempt_id for e in fresh if e.attempt_id}
            settled = prove(connection, attempts, now, witness="an event proved")
            known = [e for e in fresh if e.delivery_id is not None]
            connection.execute(
                text(_ADVANCE),
                {
                    "deliveries": [e.delivery_id for e in known],
                    "states": [int(consequence(e).state) for e in known],
                },
            )
        if settled:  # an event may come before the answer is recorded
            finish(self._engine)
        return StoredEvents(
            new=fresh,
            repeated=len(events) - len(fresh),
            settled=len(settled),
        )

    def owners(self, delivery_ids: Sequence[int]) -> dict[int, Owner]:
        """Return whose deliveries these are; unknown ids are left out."""
        with self._engine.begin() as connection:
            rows = connection.execute(text(_OWNERS), {"deliveries": list(delivery_ids)})
            return {
                row.id: Owner(subscription_id=row.subscription_id, email=row.email) for row in rows
            }

    def subscriptions_of(self, delivery_ids: Sequence[int]) -> tuple[int, ...]:
        """Return the subscriptions that these letters went to; unknown ids are left out."""
        with self._engine.begin() as connection:
            found = connection.execute(text(_SUBSCRIPTIONS), {"deliveries": list(delivery_ids)})
            return tuple(found.scalar_one())

    def count_soft_bounces(self, bounces: Mapping[int, datetime]) -> dict[int, datetime]:
        """Keep soft bounces by delivery; return the latest one of each reader now worn out."""
        values = {"deliveries": list(bounces), "moments": list(bounces.values())}
        with self._engine.begin() as connection:
            connection.execute(text(_KEEP_SOFT), values)
        # Another transaction: of two posts at once, the later one sees the bounces of both.
        values = {"deliveries": list(bounces), "limit": SOFT_LIMIT, "window": SOFT_WINDOW}
        with self._engine.begin() as connection:
            rows = connection.execute(text(_WORN_OUT), values)
            return {row.latest: row.at for row in rows}

    def forgive_soft_bounces(self, subscriber_id: int) -> None:
        """Begin counting anew for a reader whose suppression was lifted."""
        with self._engine.begin() as connection:
            connection.execute(text(_FORGIVE), {"subscriber": subscriber_id})


def _posted(events: Sequence[DeliveryEvent]) -> str:
    """Return the events as one JSON text: as arrays, each raw event would be escaped twice."""
    return as_json(
        [(e.event_id, e.delivery_id, e.attempt_id, e.kind, e.at.timestamp(), e.raw) for e in events]
    )
