"""Delivery events on file: each once, by the id SendGrid gave it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, text

from newsletter.adapters.stores import statements
from newsletter.adapters.stores.sql import as_json
from newsletter.core.events import DeliveryEvent, consequence
from newsletter.ports import KeptEvents, Owner

_KEEP = """
    INSERT INTO delivery_event (event_id, delivery_id, attempt_id, kind, at, received_at, raw)
    SELECT DISTINCT ON (event_id) event_id, delivery_id, attempt_id, kind, at, :now,
           CAST(raw AS jsonb)
      FROM unnest(CAST(:ids AS text[]), CAST(:deliveries AS bigint[]), CAST(:attempts AS text[]),
                  CAST(:kinds AS text[]), CAST(:moments AS timestamptz[]), CAST(:raws AS text[]))
           AS posted (event_id, delivery_id, attempt_id, kind, at, raw)
     ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
"""

#: The ladder, for many at once: the higher state wins, whatever came first.
_ADVANCE = """
    UPDATE delivery SET state = seen.state
      FROM (SELECT id, max(state) AS state
              FROM unnest(CAST(:deliveries AS bigint[]), CAST(:states AS smallint[]))
                   AS posted (id, state)
             GROUP BY id ORDER BY id) AS seen
     WHERE delivery.id = seen.id AND delivery.state < seen.state
"""

#: A request is accepted or refused whole: one event proves it for every recipient.
_PROVE = """
    WITH proven AS (
        UPDATE attempt SET outcome = 'accepted', finished_at = COALESCE(finished_at, :now),
               reason = concat_ws('; ', reason, 'an event proved that it was accepted')
         WHERE id = ANY(:attempts) AND outcome IS DISTINCT FROM 'accepted'
        RETURNING batch_id)
    UPDATE batch SET state = 'accepted', reason = 'an event proved it', lease_until = NULL
      FROM proven
     WHERE batch.id = proven.batch_id AND batch.state IN ('unknown', 'claimed')
    RETURNING batch.id
"""

_OWNERS = """
    SELECT delivery.id, subscription_id, email FROM delivery JOIN audience USING (subscription_id)
     WHERE delivery.id = ANY(:deliveries)
"""


class Events:
    """EventStore on PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, events: Sequence[DeliveryEvent], now: datetime) -> KeptEvents:
        """Keep new events, move deliveries up their ladder, settle proven batches."""
        with self._engine.begin() as connection:
            kept = connection.execute(text(_KEEP), _columns(events, now)).scalars()
            fresh_ids = set(kept)
            fresh = tuple({e.event_id: e for e in events if e.event_id in fresh_ids}.values())
            known = [e for e in fresh if e.delivery_id is not None]
            connection.execute(
                text(_ADVANCE),
                {
                    "deliveries": [e.delivery_id for e in known],
                    "states": [int(consequence(e).state) for e in known],
                },
            )
            attempts = sorted({e.attempt_id for e in fresh if e.attempt_id})
            settled = connection.execute(text(_PROVE), {"attempts": attempts, "now": now}).all()
        if settled:  # an event may come before the answer is recorded
            with self._engine.begin() as connection:
                connection.execute(text(statements.FINISH))
        return KeptEvents(
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


def _columns(events: Sequence[DeliveryEvent], now: datetime) -> dict[str, object]:
    return {
        "ids": [e.event_id for e in events],
        "deliveries": [e.delivery_id for e in events],
        "attempts": [e.attempt_id for e in events],
        "kinds": [e.kind.value for e in events],
        "moments": [e.at for e in events],
        "raws": [as_json(e.raw) for e in events],
        "now": now,
    }
