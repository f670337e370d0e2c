"""The last day on which a subscriber opened or clicked, by hand and not by a machine."""

from collections.abc import Collection
from datetime import date
from typing import Any

from psycopg import Connection

# The day only moves on, so news in any order comes to the same.
_ENGAGE = """
UPDATE subscription SET engaged_on = %(day)s
WHERE id = ANY(%(ids)s::bigint[]) AND (engaged_on IS NULL OR engaged_on < %(day)s)
"""

# An index is walked in its order, which is that of all writers of this table: two posts at once
# wait for each other. To lock the rows first, as the others do, would take twice as long.
# The disk is not waited for: the next commit, whoever makes it, waits for this one as well, and all
# that a crash could take is a day.
_LIGHTLY = """
SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
SET LOCAL synchronous_commit = off
"""


def engage(connection: Connection[Any], subscription_ids: Collection[int], day: date) -> int:
    """Move subscriptions on to this day; return how many moved."""
    connection.execute(_LIGHTLY)
    return connection.execute(_ENGAGE, {"day": day, "ids": list(subscription_ids)}).rowcount
