"""Proof that SendGrid took an attempt: whoever stood in it is accepted, whatever was known."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from newsletter.stores import delivery_sql

#: Attempts are held before batches, by whoever needs both, and each in one order.
_PROVE_ATTEMPTS = """
    UPDATE attempt SET outcome = 'accepted', finished_at = COALESCE(finished_at, :now),
           reason = concat_ws('; ', reason, :witness || ' that it was accepted')
     WHERE id IN (SELECT id FROM attempt WHERE id = ANY(:attempts)
                     AND outcome IS DISTINCT FROM 'accepted' ORDER BY id FOR NO KEY UPDATE)
    RETURNING id
"""

#: A request is accepted or refused whole: one letter of it proves it for every recipient. They may
#: be in several batches by now, if a later request was too large. A batch that was refused later,
#: or given up by a person, was accepted all the same.
_PROVE_BATCHES = """
    UPDATE batch SET state = 'accepted', reason = :witness || ' it', lease_until = NULL
     WHERE id IN (SELECT id FROM batch
                   WHERE state IN ('unknown', 'claimed', 'planned', 'refused')
                     AND id IN (SELECT batch_id FROM attempt WHERE id = ANY(:attempts)
                                 UNION ALL
                                SELECT batch_id FROM split_from WHERE attempt_id = ANY(:attempts))
                   ORDER BY id FOR NO KEY UPDATE)
    RETURNING id
"""


def prove(
    connection: Connection, attempts: Collection[str], now: datetime, *, witness: str
) -> tuple[int, ...]:
    """Accept the batches of these attempts; return those that were not accepted before.

    `witness` and its verb say who tells it: "an event proved". Once the transaction is over, an
    issue that waited for nothing else must be ended: `finish`.
    """
    values = {"attempts": sorted(attempts), "now": now, "witness": witness}
    proven = connection.execute(text(_PROVE_ATTEMPTS), values).scalars().all()
    return prove_batches(connection, proven, witness=witness) if proven else ()


def prove_batches(
    connection: Connection, attempts: Collection[str], *, witness: str
) -> tuple[int, ...]:
    """Accept the batches of attempts that are on file as accepted; return which that settles.

    It is a statement of its own: it sees what a split wrote while the attempts were waited for.
    """
    values = {"attempts": list(attempts), "witness": witness}
    return tuple(connection.execute(text(_PROVE_BATCHES), values).scalars())


def finish(engine: Engine) -> None:
    """End the issues that wait for nothing any more: proof may come before the answer's record."""
    with engine.begin() as connection:
        connection.execute(text(delivery_sql.FINISH))
