"""Engagement: the last day on which somebody opened or clicked, and nothing else of it."""

from collections.abc import Collection
from datetime import date

from sqlmodel import Session

from subscribers.db.transaction import execute

# The day only moves on, so that events in any order come to the same.
_RECORD_ENGAGEMENT = """
UPDATE subscription SET engaged_on = %(day)s
WHERE id = ANY(%(ids)s::bigint[]) AND (engaged_on IS NULL OR engaged_on < %(day)s)
"""

# An index is walked in its order, which is that of all writers of this table, so two requests at
# once wait for each other. To lock the rows first, as the others do, would take twice as long.
# The commit does not wait for the disk: the next one, whoever makes it, waits for both, and all
# that a crash could lose is a day.
_CHEAPLY = """
SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
SET LOCAL synchronous_commit = off
"""


def record_engagement(session: Session, subscription_ids: Collection[int], day: date) -> int:
    """Store the day for those who had an earlier one; return how many."""
    execute(session, _CHEAPLY)
    return execute(session, _RECORD_ENGAGEMENT, {"day": day, "ids": list(subscription_ids)})
