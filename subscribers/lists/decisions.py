"""Deciding on the rows of a list: COPY into a staging table, then one statement for each portion.

The rules are those of `subscribers.rules.consent` and `subscribers.rules.audience`: an import never
revives an ended subscription, and adds or changes nothing that belongs to a suppressed address. An
unsubscribe in a list counts, unless its subscriber has resubscribed here since.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from sqlmodel import Session

from subscribers.db.statements import erasure_hash
from subscribers.db.suppressions import LADDER_VALUES, answered_by_lift
from subscribers.db.transaction import driver, execute, rows, scalar
from subscribers.lists.fields import TEXTS, for_each_text
from subscribers.model import ConsentAct, RowResult

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

# While a portion is decided on and stored, nobody else subscribes or changes a name, and a second
# import or an undo waits. All of them wait, because a portion is small, for a moment only; and a
# portion that cannot have this lock at once lets those pass who would wait behind it.
_LOCK = "SET LOCAL lock_timeout = '200ms'; LOCK TABLE subscriber IN SHARE ROW EXCLUSIVE MODE"

#: Rows; they are decided on and stored in a fraction of a second.
PORTION = 4_000

# Rows of one address stand in one portion; those without one stand at the end.
_PORTIONS = """
CREATE TEMP TABLE portioned AS
SELECT keyed.*, (rank() OVER (
    ORDER BY email_key, CASE WHEN email_key IS NULL THEN line END) - 1) / %(size)s AS portion
FROM (
    SELECT *, CASE WHEN problem IS NULL THEN lower(email COLLATE "C") END AS email_key FROM staged
) AS keyed
"""
# The rows stand in the order of their portions, so the smallest of indexes finds them.
_INDEX = """
CREATE INDEX ON portioned USING brin (portion) WITH (pages_per_range = 16);
ANALYZE portioned (portion)
"""

# The conditions below are left out where a list or the database can never meet them.
_LEFT_IN_ANY_ROW = """COALESCE(bool_or(leaves) OVER (
    same ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), false)"""
_GRAVEST_FIRST = "(suppress IS NOT NULL) DESC, leaves DESC NULLS LAST,"
_ERASED = f"COALESCE({erasure_hash('keyed.email_key')} IN (SELECT hash FROM erasure), false)"
_LIFTED = f"suppress IS NOT NULL AND {answered_by_lift('keyed.email_key', 'suppress', 'gone_at')}"

# An unsubscribe without a date happened, at the latest, when a list first said so.
_RESUBSCRIBED = """CASE WHEN unsubscribed AND subscription.status = 'active' THEN EXISTS (
    SELECT FROM consent
    WHERE consent.subscriber_id = subscription.subscriber_id
      AND consent.newsletter = subscription.newsletter AND act = ANY(%(own_acts)s)
      AND consent.at >= COALESCE(gone_at, (
          SELECT max(listed.at) FROM consent AS listed
          WHERE listed.subscriber_id = subscription.subscriber_id
            AND listed.newsletter = subscription.newsletter
            AND listed.act = 'withdrawn' AND listed.source LIKE 'import %%'
      ))
) ELSE false END"""

MEMORY = "SET LOCAL work_mem = '64MB'"

# A portion is small, the tables are not: each row is looked for by its key. The planner, which
# knows nothing yet of tables that this import fills, would read all of them for each portion.
# Only the import's end waits for the disk: a crash may undo the latest portions, whole as ever.
LOOK_UP = f"""
{MEMORY}; SET LOCAL synchronous_commit = off;
SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
SET LOCAL jit = off
"""
_ANY_NEW_TEXT = for_each_text("new_{name}", " OR ")


_KNOWN = """
    LEFT JOIN subscriber ON subscriber.email_key = keyed.email_key
    LEFT JOIN subscription ON subscription.subscriber_id = COALESCE(merged_into, subscriber.id)
                          AND subscription.newsletter = %(newsletter)s
                          AND subscription.undone_at IS NULL
    LEFT JOIN topic_set ON topic_set.id = subscription.topic_set_id
"""
_SUPPRESSED = "LEFT JOIN suppression ON suppression.email_key = keyed.email_key"

# One row of nulls, which the planner takes for the constants that they are.
_NOBODY = "CROSS JOIN (SELECT (NULL::{0}).*) AS {0}"
_UNKNOWN = " ".join(map(_NOBODY.format, ("subscriber", "subscription", "topic_set")))
_UNSUPPRESSED = _NOBODY.format("suppression")


def _decide(*, gone: bool, known: bool, suppressed: bool, erasures: bool) -> str:
    """Return the statement for a portion of a list that says who is `gone` or not.

    Where none of its addresses is `known` or `suppressed`, they are not looked for.

    Sorted by key once: rows of one address then stand together, and every index is written from
    left to right. Of rows of one address the gravest is taken, and an unsubscribe in any of them
    counts. What a list does not say (a null) leaves a known subscription as it is; tags are only
    ever added. New subscribers get their numbers here, in the order of their keys.
    """
    return f"""
CREATE TEMP TABLE decided ON COMMIT DROP AS
WITH keyed AS (
    SELECT *, first_value(line) OVER same AS first_line,
           {_LEFT_IN_ANY_ROW if gone else "false"} AS unsubscribed
    FROM portioned AS keyed WHERE portion = %(portion)s
    WINDOW same AS (PARTITION BY email_key ORDER BY {_GRAVEST_FIRST if gone else ""} line)
), met AS (
    SELECT keyed.*,
           COALESCE(merged_into, subscriber.id) AS known_id,
           merged_into IS NOT NULL AS merged,
           subscription.id AS subscription_id,
           subscription.status,
           suppression.reason AS suppressed,
           {_ERASED if erasures else "false"} AS erased,
           {_LIFTED if gone else "false"} AS lifted,
           {_RESUBSCRIBED if gone else "false"} AS resubscribed,
           keyed.name <> subscriber.name AND merged_into IS NULL AS new_name,
           string_to_array(keyed.topics, ';') <> topic_set.slugs AS new_topics,
           {for_each_text("keyed.{name} <> subscription.{name} AS new_{name}")},
           NOT string_to_array(keyed.tags, ';') <@ subscription.tags AS new_tags
    FROM keyed
    {_KNOWN if known else _UNKNOWN}
    {_SUPPRESSED if suppressed else _UNSUPPRESSED}
), judged AS (
    SELECT *,
       CASE WHEN problem IS NOT NULL OR line <> first_line THEN 'refused'
            WHEN erased THEN 'erased'
            WHEN suppressed IS NOT NULL OR suppress IS NOT NULL AND NOT lifted THEN 'suppressed'
            WHEN status = 'ended' OR unsubscribed AND NOT resubscribed THEN 'ended'
            WHEN unsubscribed OR suppress IS NOT NULL THEN 'unchanged'
            WHEN subscription_id IS NULL AND merged THEN 'refused'
            WHEN subscription_id IS NULL THEN 'added'
            WHEN new_name OR new_topics OR new_tags OR {_ANY_NEW_TEXT} THEN 'updated'
            ELSE 'unchanged'
       END AS result,
       unsubscribed AND NOT resubscribed AND NOT erased
           AND NOT (merged AND subscription_id IS NULL)
           AND problem IS NULL AND line = first_line AND status IS DISTINCT FROM 'ended' AS ends
    FROM met
    ORDER BY email_key
)
SELECT *,
       CASE WHEN (result = 'added' OR ends) AND known_id IS NULL
            THEN nextval('subscriber_id_seq')
            ELSE known_id
       END AS subscriber_id
FROM judged
"""


# Asked under the lock: nobody is added before the portion is decided on. A portion's keys stand
# between two of its own, and where nobody else's does, none of them is anybody's.
_MET = """
SELECT EXISTS (SELECT FROM subscriber WHERE email_key BETWEEN lowest AND highest) AS known,
       EXISTS (SELECT FROM suppression WHERE email_key BETWEEN lowest AND highest) AS suppressed,
       EXISTS (SELECT FROM erasure) AS erasures
FROM (SELECT min(email_key) AS lowest, max(email_key) AS highest
      FROM portioned WHERE portion = %(portion)s) AS keys
"""

_ANY_UNDONE = """
SELECT EXISTS (
    SELECT FROM decided JOIN subscription ON subscription.subscriber_id = known_id
    WHERE undone_at IS NOT NULL AND subscription.newsletter = %(newsletter)s
)
"""

_COUNTS = """
SELECT result, count(*), bool_or(ends) AS ends, bool_or(suppress IS NOT NULL) AS suppresses,
       bool_or(new_name) AS renames
FROM decided GROUP BY result
"""


@dataclass(frozen=True, kw_only=True)
class ListImport:
    """One import: what is said of every row of its list."""

    file: str
    newsletter: str
    consent_source: str  #: the operator's statement of where the consent came from
    format: str  #: whose export it is
    service: str  #: the service it comes from, in a sentence
    actor: str
    default_zone: str
    at: datetime


@dataclass(frozen=True)
class ImportDecision:
    """What is to be done about a list."""

    counts: Mapping[RowResult, int]
    adds: bool
    changes: bool
    removes: bool  #: people who left, or must not be written to
    refills: bool  #: perhaps, rows that an undone import left


def decide(
    session: Session, fields: Collection[str], about: ListImport, portion: int, *, lock: bool
) -> ImportDecision:
    """Make the table `decided`, one row for each row of a portion of the list."""
    execute(session, f"{LOOK_UP}; {_LOCK}" if lock else LOOK_UP)
    values = {
        "portion": portion,
        "ladder": LADDER_VALUES,
        "newsletter": about.newsletter,
        "own_acts": [ConsentAct.CONFIRMED.value, ConsentAct.RESUMED.value],
    }
    [met] = rows(session, _MET, values)
    execute(session, _decide(gone="leaves" in fields, **met), values)
    results = {row["result"]: row for row in rows(session, _COUNTS)}
    counts = {one: results[one]["count"] if one in results else 0 for one in RowResult}
    return ImportDecision(
        counts,
        adds=bool(counts[RowResult.ADDED]) or any(row["ends"] for row in results.values()),
        changes=bool(counts[RowResult.UPDATED]) or any(row["renames"] for row in results.values()),
        removes=any(row["ends"] or row["suppresses"] for row in results.values()),
        refills=met["known"] and scalar(session, _ANY_UNDONE, values),
    )


def stage(session: Session, blocks: Iterable[bytes], fields: Collection[str]) -> int:
    """Read a whole list into the table `portioned`; return how many portions it has."""
    execute(session, MEMORY)
    columns = ", ".join(f"{name} {kind}" for name, kind in _FIELDS.items())
    execute(session, f"CREATE TEMP TABLE staged ({columns}) ON COMMIT DROP")
    names = sql.SQL(", ").join(map(sql.Identifier, fields))
    copy_in = sql.SQL("COPY staged ({}) FROM STDIN").format(names)
    with driver(session).cursor() as cursor, cursor.copy(copy_in) as copy:
        for block in blocks:
            copy.write(block)
    execute(session, _PORTIONS, {"size": PORTION})
    execute(session, _INDEX)
    return scalar(session, "SELECT COALESCE(max(portion) + 1, 0) FROM portioned")
