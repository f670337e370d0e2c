"""Exporting a newsletter's subscriptions, streamed by COPY: as CSV, or as a JSON object a line.

A spreadsheet runs a cell that begins with one of `= + - @`, a tab or a carriage return as a
formula. Such a cell gets an apostrophe before it, and so does one that looks as if it had one
already: an import of our own export takes just one off again.

A subscriber who was merged into another one is left out: imported again, that row would end the
other's subscription.
"""

from collections.abc import Callable

from sqlmodel import Session

from subscribers.db.transaction import driver
from subscribers.lists.fields import TEXTS
from subscribers.segments.condition import Condition

_MOMENT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
_STATUS = """CASE WHEN status <> 'active' THEN 'ended'
    WHEN paused_at IS NOT NULL THEN 'paused' ELSE 'active' END"""

#: Columns of an export, in their order; the JSON objects have the same, with underscores.
COLUMNS = {
    "email": "email",
    "name": "name",
    "topics": "slugs",
    **{text.meaning.value: name for name, text in TEXTS.items()},
    "tags": "tags",
    "joined": _MOMENT.format("subscription.created_at"),
    "status": _STATUS,
    "left": _MOMENT.format("ended_at"),
    "suppressed": "suppression.reason",
    "paused until": _MOMENT.format("paused_until"),
    "source": "subscription.source",
}
_LISTS = frozenset({"topics", "tags"})
# The others cannot begin a formula.
_BY_HAND = frozenset(
    {"email", "name", "tags", "source"}
    | {text.meaning.value for text in TEXTS.values() if text.free}
)

_ESCAPED = r"CASE WHEN {0} ~ E'^\'*[=+@\\t\\r-]' THEN '''' || {0} ELSE {0} END"

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
    session: Session,
    chosen: Condition,
    take: Callable[[bytes], object],
    *,
    csv: bool,
) -> int:
    """Export the subscriptions that meet a condition, by address; return how many they are."""
    listed = _cells() if csv else _pairs()
    query = f"COPY (SELECT {listed} {_CHOSEN.format(chosen.sql)}) TO STDOUT "
    query += _AS_CSV if csv else _AS_LINES
    with driver(session).cursor() as cursor:
        with cursor.copy(query.encode(), chosen.values) as copy:
            for block in copy:
                take(bytes(block))
        return cursor.rowcount


def _cells() -> str:
    return ", ".join(f'{_cell(name, said)} AS "{name}"' for name, said in COLUMNS.items())


def _cell(name: str, said: str) -> str:
    text = f"array_to_string({said}, ';')" if name in _LISTS else said
    return _ESCAPED.format(text) if name in _BY_HAND else text


def _pairs() -> str:
    pairs = ", ".join(f"'{name.replace(' ', '_')}', {said}" for name, said in COLUMNS.items())
    return f"json_build_object({pairs})"
