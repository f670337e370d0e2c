"""Staging: a whole list in a temporary table, by address, and cut into portions.

The list is sorted while it is read, a run of rows at a time; an index puts the runs together.
Nothing of it can be seen by others, but that the topic sets which it chooses are stored.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from itertools import chain, islice

from psycopg import sql
from sqlmodel import Session

from subscribers.db.transaction import driver, execute, rows
from subscribers.lists.fields import TEXTS
from subscribers.lists.read_ahead import read_ahead
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

#: Rows, more or less; they are decided on and stored in a fraction of a second.
PORTION = 4_000

#: The planner knows nothing of temporary tables: each row is looked for by its key.
BY_KEY = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"

#: Blocks of a list that are sorted at a time, in memory, and those that are read meanwhile.
RUN, _AHEAD = 50, 25

_SAMPLES = 100  #: of the addresses of a portion, by which the next one begins

_TABLES = f"""
CREATE TEMP TABLE staged ({", ".join(f"{name} {kind}" for name, kind in _FIELDS.items())});
CREATE TEMP TABLE answered (line integer, result text, reason text);
CREATE TEMP TABLE choices (choice integer, topics text);
CREATE TEMP TABLE sampled (email_key text COLLATE "C");
CREATE TEMP TABLE listed (LIKE staged, email_key text COLLATE "C", choice integer);
CREATE INDEX ON listed (email_key);
SET LOCAL enable_mergejoin = off; SET LOCAL enable_nestloop = off
"""

_KEY = 'lower(email COLLATE "C")'
_CHOICE = f"COALESCE(staged.topics, '{EVERYTHING}')"

# Nothing is to be decided about a row that cannot be understood.
_ANSWERED = """
INSERT INTO answered
SELECT line, 'refused', concat_ws('; ', problem, warning) FROM staged WHERE problem IS NOT NULL
"""
_CHOICES = f"""
INSERT INTO choices
SELECT (SELECT count(*) FROM choices) + row_number() OVER (), topics
FROM (SELECT {_CHOICE} AS topics FROM staged WHERE problem IS NULL
      EXCEPT SELECT topics FROM choices) AS new
"""
_SAMPLED = f"""
INSERT INTO sampled SELECT {_KEY} FROM staged
WHERE problem IS NULL AND hashint4(line) %% %(every)s = 0
"""
# A list keeps its order where it meets its few choices, once the planner knows that they are few;
# and the index is written from left to right, once for each run, and not at random.
_SORTED = f"""
INSERT INTO listed SELECT staged.*, {_KEY} AS email_key, choice
FROM staged JOIN choices ON choices.topics = {_CHOICE}
WHERE problem IS NULL ORDER BY email_key
"""
_RUN = (_ANSWERED, _CHOICES, "ANALYZE choices", _SAMPLED, _SORTED, "TRUNCATE staged")

_TOPIC_SETS = """
INSERT INTO topic_set (slugs) SELECT string_to_array(topics, ';') FROM choices
WHERE NOT EXISTS (SELECT FROM topic_set WHERE slugs = string_to_array(topics, ';'))
ON CONFLICT DO NOTHING
"""
# Number 0 is that of a topic set which a dry run did not store.
_CHOSEN = """
CREATE TEMP TABLE chosen AS
SELECT array_agg(COALESCE(topic_set.id, 0) ORDER BY choice) AS topic_set_ids
FROM choices LEFT JOIN topic_set ON slugs = string_to_array(topics, ';')
"""

# Rows of one address stand together, in one portion.
_PORTIONS = """
CREATE TEMP TABLE portions AS
SELECT row_number() OVER (ORDER BY lowest) - 1 AS portion, lowest,
       COALESCE((SELECT max(email_key) FROM listed WHERE email_key < next),
                (SELECT max(email_key) FROM listed)) AS highest
FROM (
    SELECT lowest, lead(lowest) OVER (ORDER BY lowest) AS next
    FROM (
        SELECT min(email_key) AS lowest FROM listed
        UNION SELECT email_key FROM (
            SELECT email_key, row_number() OVER (ORDER BY email_key) - 1 AS place FROM sampled
        ) AS ordered WHERE place > 0 AND place %% %(apart)s = 0
    ) AS bounds
    WHERE lowest IS NOT NULL
) AS portioned
"""
_LISTED = "SELECT portion FROM portions ORDER BY portion"


@dataclass(frozen=True)
class Staged:
    """A list that was read: its portions, and how many rows were refused already."""

    portions: list[int]
    refused: int


def stage(
    begin: Callable[[], AbstractContextManager[Session]],
    blocks: Iterable[bytes],
    fields: Collection[str],
    *,
    dry_run: bool,
) -> Staged:
    """Read a whole list, and sort it; a topic set that is new is stored in between, at once."""
    with begin() as session, closing(read_ahead(blocks, _AHEAD)) as coming:
        execute(session, f"{MEMORY}; {_TABLES}")
        refused = sum(_sort(session, run, fields) for run in _runs(coming))
    if not dry_run:
        with begin() as session:
            execute(session, _TOPIC_SETS)
    with begin() as session:
        execute(session, f"{MEMORY}; {BY_KEY}; {_CHOSEN}")
        execute(session, "DROP TABLE staged, choices")
        execute(session, _PORTIONS, {"apart": min(PORTION, _SAMPLES)})
        return Staged([row["portion"] for row in rows(session, _LISTED)], refused)


def _runs(blocks: Iterator[bytes]) -> Iterator[Iterator[bytes]]:
    for first in blocks:
        yield chain([first], islice(blocks, RUN - 1))


def _sort(session: Session, run: Iterable[bytes], fields: Collection[str]) -> int:
    """Sort some of a list; return how many of its rows were refused."""
    names = sql.SQL(", ").join(map(sql.Identifier, fields))
    copy_in = sql.SQL("COPY staged ({}) FROM STDIN").format(names)
    with driver(session).cursor() as cursor, cursor.copy(copy_in) as copy:
        for block in run:
            copy.write(block)
    every = {"every": max(1, PORTION // _SAMPLES)}
    refused, *_ = [execute(session, statement, every) for statement in _RUN]
    return refused
