"""Giving a newsletter's subscriptions, streamed by COPY: as CSV, or as a JSON object a line.

A spreadsheet runs a cell that begins with one of `= + - @`, a tab or a carriage return as a
formula. Such a cell is armed with an apostrophe before it, and so is one that looks armed already:
an import of our own export takes just one off again.

A person who turned out to be somebody else is not given: taken back, that trace would end the
other's subscription.
"""

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from subscribers.segments.store import Condition

_MOMENT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
_STANDS = """CASE WHEN status <> 'active' THEN 'ended'
    WHEN paused_at IS NOT NULL THEN 'paused' ELSE 'active' END"""

#: Columns of an export, in their order; the JSON objects have the same, with underscores.
COLUMNS = {
    "email": "email",
    "name": "name",
    "topics": "slugs",
    "timezone": "zone",
    "frequency": "frequency",
    "tags": "tags",
    "joined": _MOMENT.format("subscription.created_at"),
    "status": _STANDS,
    "left": _MOMENT.format("ended_at"),
    "suppressed": "suppression.reason",
    "paused until": _MOMENT.format("paused_until"),
    "source": "subscription.source",
}
_LISTS = frozenset({"topics", "tags"})
_BY_HAND = frozenset({"email", "name", "tags", "source"})  # the others cannot begin a formula

_ARMED = r"CASE WHEN {0} ~ E'^\'*[=+@\\t\\r-]' THEN '''' || {0} ELSE {0} END"

_CHOSEN = """
FROM (SELECT * FROM subscription WHERE {}) AS subscription
JOIN subscriber ON subscriber.id = subscription.subscriber_id
JOIN topic_set ON topic_set.id = subscription.topic_set_id
LEFT JOIN suppression USING (email_key)
WHERE merged_into IS NULL
ORDER BY email_key
"""

_AS_CSV = "(FORMAT csv, HEADER)"
# JSON escapes control characters: these two never stand in it, and nothing is ever quoted.
_AS_LINES = r"(FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')"


def export(
    connection: Connection[Any],
    chosen: Condition,
    take: Callable[[bytes], object],
    *,
    csv: bool,
) -> int:
    """Give the subscriptions that meet a condition, by address; return how many they are."""
    listed = _cells() if csv else _pairs()
    query = f"COPY (SELECT {listed} {_CHOSEN.format(chosen.sql)}) TO STDOUT "
    query += _AS_CSV if csv else _AS_LINES
    with connection.cursor() as cursor:
        with cursor.copy(query.encode(), chosen.values) as copy:
            for block in copy:
                take(bytes(block))
        return cursor.rowcount


def _cells() -> str:
    return ", ".join(f'{_cell(name, said)} AS "{name}"' for name, said in COLUMNS.items())


def _cell(name: str, said: str) -> str:
    text = f"array_to_string({said}, ';')" if name in _LISTS else said
    return _ARMED.format(text) if name in _BY_HAND else text


def _pairs() -> str:
    pairs = ", ".join(f"'{name.replace(' ', '_')}', {said}" for name, said in COLUMNS.items())
    return f"json_build_object({pairs})"
