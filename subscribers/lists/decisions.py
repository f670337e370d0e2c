"""Ruling on the rows of a list: COPY into a staging table, then one statement that judges them all.

The rules are those of `subscribers.rules.consent` and `subscribers.rules.audience`: an import never revives an
ended subscription, and adds or changes nothing that belongs to a suppressed address. What a list
says of leaving is heard, unless its subscriber took that very goodbye back here since.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from subscribers.db.connection import rows
from subscribers.model import ConsentAct, RowResult
from subscribers.ports import ListImport
from subscribers.rules.suppression import LADDER

#: What a staged row may say; `subscribers.lists.csv_reader` and `subscribers.lists.cell_parsers` name the same fields.
_FIELDS = {
    "line": "integer",
    "email": "text",
    "problem": "text",
    "leaves": "boolean",
    "suppress": "text",
    "gone_at": "timestamptz",
    "topics": "text",
    "tags": "text",
    "zone": "text",
    "frequency": "text",
    "name": "text",
    "joined": "timestamptz",
    "paused": "boolean",
    "paused_until": "timestamptz",
}

# While rows are ruled on nobody else subscribes (which begins with a row in this table), and a
# second import waits, as an undoing does. Goodbyes and choices change other tables: they are not
# kept waiting.
_LOCK = "LOCK TABLE subscriber IN SHARE ROW EXCLUSIVE MODE"

# Sorted by key once: rows of one address then stand together, and every index is written from left
# to right. Of rows of one address the gravest is taken, and a goodbye in any of them counts.
_KEYED = """
SELECT *, first_value(line) OVER same AS first_line, {leaves} AS said_goodbye
FROM (
    SELECT *, CASE WHEN problem IS NULL THEN lower(email COLLATE "C") END AS email_key
    FROM staged
) AS keyed
WINDOW same AS (PARTITION BY email_key ORDER BY {gravity} line)
"""

# What a list does not say (a null) leaves a known subscription as it is; tags are only ever added.
_MET = """
SELECT keyed.*,
       COALESCE(merged_into, subscriber.id) AS known_id,
       merged_into IS NOT NULL AS merged,
       subscription.id AS subscription_id,
       subscription.status,
       suppression.reason AS suppressed,
       {erased} AS erased,
       {lifted} AS lifted,
       {taken_back} AS taken_back,
       keyed.name <> subscriber.name AND merged_into IS NULL AS new_name,
       string_to_array(keyed.topics, ';') <> topic_set.slugs AS new_topics,
       keyed.zone <> subscription.zone AS new_zone,
       keyed.frequency <> subscription.frequency AS new_frequency,
       NOT string_to_array(keyed.tags, ';') <@ subscription.tags AS new_tags
FROM keyed
LEFT JOIN subscriber USING (email_key)
LEFT JOIN subscription ON subscription.subscriber_id = COALESCE(merged_into, subscriber.id)
                      AND subscription.newsletter = %(newsletter)s
                      AND subscription.undone_at IS NULL
LEFT JOIN topic_set ON topic_set.id = subscription.topic_set_id
LEFT JOIN suppression USING (email_key)
"""

_JUDGED = """
SELECT *,
   CASE WHEN problem IS NOT NULL OR line <> first_line THEN 'refused'
        WHEN erased THEN 'erased'
        WHEN suppressed IS NOT NULL OR suppress IS NOT NULL AND NOT lifted THEN 'suppressed'
        WHEN status = 'ended' OR said_goodbye AND NOT taken_back THEN 'ended'
        WHEN said_goodbye OR suppress IS NOT NULL THEN 'unchanged'
        WHEN subscription_id IS NULL AND merged THEN 'refused'
        WHEN subscription_id IS NULL THEN 'added'
        WHEN new_name OR new_topics OR new_zone OR new_frequency OR new_tags THEN 'updated'
        ELSE 'unchanged'
   END AS result,
   said_goodbye AND NOT taken_back AND NOT erased AND NOT (merged AND subscription_id IS NULL)
       AND problem IS NULL AND line = first_line AND status IS DISTINCT FROM 'ended' AS ends
FROM met
ORDER BY email_key
"""

# New subscribers get their numbers here, in the order of their keys.
_RULED = """
CREATE TEMP TABLE ruled ON COMMIT DROP AS
WITH keyed AS ({keyed}), met AS ({met}), judged AS ({judged})
SELECT *,
       CASE WHEN (result = 'added' OR ends) AND known_id IS NULL
            THEN nextval('subscriber_id_seq')
            ELSE known_id
       END AS subscriber_id
FROM judged
"""

_GRAVITY = "(suppress IS NOT NULL) DESC, leaves DESC NULLS LAST,"
_ANY_GOODBYE = """COALESCE(bool_or(leaves) OVER (
    same ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), false)"""

# The condition of `subscribers.rules.suppression.is_answered`; news without a date is old news.
_LIFTED = """suppress IS NOT NULL AND EXISTS (
    SELECT FROM suppression_lift AS lift
    WHERE lift.email_key = keyed.email_key AND COALESCE(gone_at, lift.at) <= lift.at
      AND array_position(%(ladder)s::text[], suppress)
       <= array_position(%(ladder)s::text[], lift.reason)
)"""

# A goodbye without a date was said, at the latest, when a list first told us of it.
_TAKEN_BACK = """CASE WHEN said_goodbye AND subscription.status = 'active' THEN EXISTS (
    SELECT FROM consent
    WHERE consent.subscriber_id = subscription.subscriber_id
      AND consent.newsletter = subscription.newsletter AND act = ANY(%(own_acts)s)
      AND consent.at >= COALESCE(gone_at, (
          SELECT max(told.at) FROM consent AS told
          WHERE told.subscriber_id = subscription.subscriber_id
            AND told.newsletter = subscription.newsletter
            AND told.act = 'withdrawn' AND told.source LIKE 'import %%'
      ))
) ELSE false END"""

_ERASED = """COALESCE(sha256(
    (SELECT key FROM house_key WHERE name = 'erasure') || convert_to(email_key, 'UTF8')
) IN (SELECT hash FROM erasure), false)"""


# Known before the rows are ruled on: as long as the lock is held there will be no more of these.
_UNDONE = """
SELECT EXISTS (
    SELECT FROM subscription WHERE undone_at IS NOT NULL AND newsletter = %(newsletter)s
) AS some
"""

_COUNTS = """
SELECT result, count(*), bool_or(ends) AS ends, bool_or(suppress IS NOT NULL) AS silences,
       bool_or(new_name) AS names
FROM ruled GROUP BY result
"""


@dataclass(frozen=True)
class ImportDecision:
    """What is to be done about a list."""

    counts: Mapping[RowResult, int]
    adds: bool
    changes: bool
    hears: bool  #: of people who left, or must not be written to
    refills: bool  #: perhaps, rows that an undone import left


def rule(
    connection: Connection[Any], blocks: Iterable[bytes], fields: Collection[str], about: ListImport
) -> ImportDecision:
    """Make the table `ruled`, one row a row of the list."""
    _stage(connection, blocks, fields)
    connection.execute(_LOCK)
    values = {
        "ladder": [reason.value for reason in LADDER],
        "newsletter": about.newsletter,
        "own_acts": [ConsentAct.CONFIRMED.value, ConsentAct.RESUMED.value],
    }
    [undone] = rows(connection, _UNDONE, values)
    connection.execute(_ruled(connection, fields).encode(), values)
    connection.execute("ANALYZE ruled (result, subscriber_id)")  # nobody else does
    return _ruling(connection, refills=undone["some"])


def _ruling(connection: Connection[Any], *, refills: bool) -> ImportDecision:
    found = {row["result"]: row for row in rows(connection, _COUNTS, {})}
    counts = {result: found[result]["count"] if result in found else 0 for result in RowResult}
    return ImportDecision(
        counts,
        adds=bool(counts[RowResult.ADDED]) or any(row["ends"] for row in found.values()),
        changes=bool(counts[RowResult.UPDATED]) or any(row["names"] for row in found.values()),
        hears=any(row["ends"] or row["silences"] for row in found.values()),
        refills=refills,
    )


def _stage(connection: Connection[Any], blocks: Iterable[bytes], fields: Collection[str]) -> None:
    connection.execute("SET LOCAL work_mem = '64MB'")
    columns = ", ".join(f"{name} {kind}" for name, kind in _FIELDS.items())
    connection.execute(f"CREATE TEMP TABLE staged ({columns}) ON COMMIT DROP".encode())
    names = sql.SQL(", ").join(map(sql.Identifier, fields))
    copy_in = sql.SQL("COPY staged ({}) FROM STDIN").format(names)
    with connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        for block in blocks:
            copy.write(block)


def _ruled(connection: Connection[Any], fields: Collection[str]) -> str:
    """Return the statement, without the questions that this list and this house never answer."""
    told = "leaves" in fields
    (erasures,) = connection.execute("SELECT EXISTS (SELECT FROM erasure)").fetchone() or (True,)
    keyed = _KEYED.format(
        leaves=_ANY_GOODBYE if told else "false", gravity=_GRAVITY if told else ""
    )
    met = _MET.format(
        erased=_ERASED if erasures else "false",
        lifted=_LIFTED if told else "false",
        taken_back=_TAKEN_BACK if told else "false",
    )
    return _RULED.format(keyed=keyed, met=met, judged=_JUDGED)
