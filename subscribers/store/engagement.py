"""The last day on which a subscriber opened or clicked, by hand and not by a machine."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from psycopg import Connection

# The day only moves on, so news in any order comes to the same. Rows are locked in the one order of
# all writers of this table. No index holds the day: a reader's row is written where it stands.
_ENGAGE = """
UPDATE subscription SET engaged_on = greatest(subscription.engaged_on, seen.day)
FROM (
    SELECT subscription.id, seen.day
    FROM unnest(%(ids)s::bigint[], %(days)s::date[]) AS seen (id, day)
    JOIN subscription USING (id)
    WHERE subscription.engaged_on IS NULL OR subscription.engaged_on < seen.day
    ORDER BY subscription.id FOR NO KEY UPDATE OF subscription
) AS seen
WHERE subscription.id = seen.id
"""


def engage(connection: Connection[Any], days: Mapping[int, date]) -> int:
    """Move subscriptions on to these days; return how many moved."""
    # The disk is not waited for: the next commit, whoever makes it, waits for this one as well, and
    # all that a crash could take is a day.
    connection.execute("SET LOCAL synchronous_commit = off")
    values = {"days": list(days.values()), "ids": list(days)}
    return connection.execute(_ENGAGE, values).rowcount
