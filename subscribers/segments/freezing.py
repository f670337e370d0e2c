"""Freezing the members of a segment for a send: whoever changes afterwards is for the next one.

See docs/decisions/a-segment-is-frozen-for-its-send.md.
"""

from sqlmodel import Session

from subscribers.db.transaction import execute, scalar
from subscribers.segments.condition import Condition

# Who freezes second waits for the first and finds its members: a send has one list.
_ONE_BY_ONE = "SELECT pg_advisory_xact_lock(hashtextextended(%(send)s, 0))"
_COUNT = "SELECT count(*) FROM segment_member WHERE send = %(send)s"


def freeze(session: Session, where: Condition, send: str) -> int:
    """Store the subscriptions that meet a condition for a send, once; return how many."""
    statement = f"""
        INSERT INTO segment_member (send, subscription_id)
        SELECT %(send)s, subscription.id FROM subscription
        WHERE {where.sql} AND NOT EXISTS (SELECT FROM segment_member WHERE send = %(send)s)
        ORDER BY subscription.id
    """
    values = {**where.values, "send": send}
    execute(session, _ONE_BY_ONE, values)
    execute(session, statement, values)
    execute(session, "ANALYZE segment_member")  # a plan that reads it comes next
    return int(scalar(session, _COUNT, values))
