"""Staging: a whole list in a temporary table, sorted by address and cut into portions.

Nothing of it can be seen by others, but that the topic sets which it chooses are stored.
"""

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from psycopg import sql
from sqlmodel import Session

from subscribers.db.transaction import driver, execute, rows
from subscribers.lists.fields import TEXTS
from subscribers.model import EVERYTHING

#: What a staged row may say; `csv_reader` and `cell_parsers` yield the same fields.
_FIELDS = {
    "line": "integer",
    "email": "text",
    "problem": "text",
    "warning": "text",
    "leaves": "boolean",
    "suppress": "text",
    "gone_at": "timestamptz",
    "topics": "text",
    "tags": "text",
    "name": "text",
    "joined": "timestamptz",
    "paused": "boolean",
    "paused_until": "timestamptz",
} | dict.fromkeys(TEXTS, "text")

MEMORY = "SET LOCAL work_mem = '64MB'"

#: Rows; they are decided on and stored in a fraction of a second.
PORTION = 4_000

# Nothing is to be decided about a row that cannot be understood.
_ANSWERED = """
CREATE TEMP TABLE answered AS
SELECT line, 'refused' AS result, concat_ws('; ', problem, warning) AS reason
FROM staged WHERE problem IS NOT NULL
"""
# A list keeps its order, and is not put into a hash table itself, where it meets its few choices.
_ANALYZE = "ANALYZE staged (problem, topics)"
_CHOICES = f"""
CREATE TEMP TABLE choices AS
SELECT DISTINCT COALESCE(topics, '{EVERYTHING}') AS topics FROM staged WHERE problem IS NULL
"""
_TOPIC_SETS = """
INSERT INTO topic_set (slugs) SELECT string_to_array(topics, ';') FROM choices
WHERE NOT EXISTS (SELECT FROM topic_set WHERE slugs = string_to_array(topics, ';'))
ON CONFLICT DO NOTHING
"""
# Number 0 is that of a topic set which a dry run did not store.
_CHOSEN = """
CREATE TEMP TABLE chosen AS
SELECT topics, COALESCE(topic_set.id, 0) AS topic_set_id
FROM choices LEFT JOIN topic_set ON slugs = string_to_array(topics, ';');
ANALYZE chosen; SET LOCAL enable_mergejoin = off
"""

# Of rows of one address the gravest is taken, and an unsubscribe in any of them counts.
_FIRST_LINE = "min(line) OVER same"
_GRAVITY = "CASE WHEN suppress IS NOT NULL THEN 0 ELSE 3 END + CASE WHEN leaves THEN 0 ELSE 1 END"
_LINE_OF_THE_GRAVEST = f"((min(({_GRAVITY})::bigint << 32 | line) OVER same) & 4294967295)::integer"
_LEFT_IN_ANY_ROW = "COALESCE(bool_or(leaves) OVER same, false)"


def _portioned(*, gone: bool) -> str:
    """Return the statement that sorts a list, once, by address.

    Rows of one address then stand together, in one portion.
    """
    return f"""
CREATE TEMP TABLE portioned AS
SELECT keyed.*, {_LINE_OF_THE_GRAVEST if gone else _FIRST_LINE} AS first_line,
       {_LEFT_IN_ANY_ROW if gone else "false"} AS left_in_any_row,
       rank() OVER same - 1 AS place
FROM (
    SELECT staged.*, lower(email COLLATE "C") AS email_key, topic_set_id
    FROM staged JOIN chosen ON chosen.topics = COALESCE(staged.topics, %(everything)s)
    WHERE problem IS NULL
) AS keyed
WINDOW same AS (ORDER BY email_key GROUPS BETWEEN CURRENT ROW AND CURRENT ROW)
"""


# The rows stand in the order of their portions: each is a range of places in the table.
_PORTIONS = """
CREATE TEMP TABLE portions AS
SELECT place / %(size)s AS portion, min(ctid)::text AS first, max(ctid)::text AS last,
       min(email_key) AS lowest, max(email_key) AS highest,
       COALESCE(bool_or(leaves OR suppress IS NOT NULL), false) AS gone
FROM portioned GROUP BY 1
"""
_LISTED = "SELECT portion, first, last FROM portions ORDER BY portion"


@dataclass(frozen=True, kw_only=True)
class ListPortion:
    """Some rows of a list, and where they stand."""

    portion: int
    first: str
    last: str


@dataclass(frozen=True)
class Staged:
    """A list that was read: its portions, and how many rows were refused already."""

    portions: list[ListPortion]
    refused: int


def stage(
    begin: Callable[[], AbstractContextManager[Session]],
    blocks: Iterable[bytes],
    fields: Collection[str],
    *,
    dry_run: bool,
) -> Staged:
    """Read a whole list, and sort it; a topic set that is new is stored in between, at once."""
    with begin() as session:
        _copy(session, blocks, fields)
        refused = execute(session, _ANSWERED)
        execute(session, _ANALYZE)
        execute(session, _CHOICES)
    if not dry_run:
        with begin() as session:
            execute(session, _TOPIC_SETS)
    with begin() as session:
        return Staged(_portions(session, gone="leaves" in fields), refused)


def _copy(session: Session, blocks: Iterable[bytes], fields: Collection[str]) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in _FIELDS.items())
    execute(session, f"CREATE TEMP TABLE staged ({columns})")
    names = sql.SQL(", ").join(map(sql.Identifier, fields))
    copy_in = sql.SQL("COPY staged ({}) FROM STDIN").format(names)
    with driver(session).cursor() as cursor, cursor.copy(copy_in) as copy:
        for block in blocks:
            copy.write(block)


def _portions(session: Session, *, gone: bool) -> list[ListPortion]:
    execute(session, MEMORY)
    execute(session, _CHOSEN)
    execute(session, _portioned(gone=gone), {"everything": EVERYTHING})
    execute(session, "DROP TABLE staged, choices, chosen")
    execute(session, _PORTIONS, {"size": PORTION})
    return [ListPortion(**row) for row in rows(session, _LISTED)]
