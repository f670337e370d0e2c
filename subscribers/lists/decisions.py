"""Deciding on the rows of a list: one statement for each portion.

The rules are those of `subscribers.rules.consent` and `subscribers.rules.audience`: an import never
revives an ended subscription, and adds or changes nothing that belongs to a suppressed address. An
unsubscribe in a list counts, unless its subscriber has resubscribed here since.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from subscribers.db.statements import erasure_hash
from subscribers.db.suppressions import answered_by_lift
from subscribers.db.transaction import execute, rows, scalar
from subscribers.lists.fields import TEXTS, for_each_text
from subscribers.lists.staging import BY_KEY, MEMORY
from subscribers.model import RowResult

# While a portion is decided on and stored, nobody else subscribes or changes a name, and a second
# import or an undo waits. All of them wait, because a portion is small, for a moment only; and a
# portion that cannot have this lock at once lets those pass who would wait behind it.
_LOCK = "SET LOCAL lock_timeout = '200ms'; LOCK TABLE subscriber IN SHARE ROW EXCLUSIVE MODE"

# The conditions below are left out where a portion can never meet them.
_ERASED = f"COALESCE({erasure_hash('keyed.email_key')} IN (SELECT hash FROM erasure), false)"
_LIFTED = f"suppress IS NOT NULL AND {answered_by_lift('keyed.email_key', 'suppress', 'gone_at')}"

# An unsubscribe without a date happened, at the latest, when a list first said so.
_RESUBSCRIBED = """CASE WHEN left_in_any_row AND subscription.status = 'active' THEN EXISTS (
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

# A portion is small, the tables are not: each row is looked for by its key. The planner, which
# knows nothing yet of tables that this import fills, would read all of them for each portion.
# Only the import's end waits for the disk: a crash may undo the latest portions, whole as ever.
LOOK_UP = f"""
{MEMORY}; SET LOCAL synchronous_commit = off;
{BY_KEY}; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
SET LOCAL jit = off
"""
_ANY_NEW_TEXT = for_each_text("new_{name}", " OR ")


_KNOWN = """
    LEFT JOIN subscriber ON subscriber.email_key = keyed.email_key
    LEFT JOIN subscription ON subscription.subscriber_id = COALESCE(merged_into, subscriber.id)
                          AND subscription.newsletter = %(newsletter)s
                          AND subscription.undone_at IS NULL
"""
_SUPPRESSED = "LEFT JOIN suppression ON suppression.email_key = keyed.email_key"

# One row of nulls, which the planner takes for the constants that they are.
_NOBODY = "CROSS JOIN (SELECT (NULL::{0}).*) AS {0}"
_UNKNOWN = " ".join(map(_NOBODY.format, ("subscriber", "subscription")))
_UNSUPPRESSED = _NOBODY.format("suppression")


_RESULT = f"""CASE
            WHEN line <> first_line THEN 'refused'
            WHEN erased THEN 'erased'
            WHEN suppressed IS NOT NULL OR suppress IS NOT NULL AND NOT lifted THEN 'suppressed'
            WHEN status = 'ended' OR unsubscribed AND NOT resubscribed THEN 'ended'
            WHEN unsubscribed OR suppress IS NOT NULL THEN 'unchanged'
            WHEN subscription_id IS NULL AND merged THEN 'refused'
            WHEN subscription_id IS NULL THEN 'added'
            WHEN new_name OR new_topics OR new_tags OR {_ANY_NEW_TEXT} THEN 'updated'
            ELSE 'unchanged'
       END"""
_ENDS = """unsubscribed AND NOT resubscribed AND NOT erased
           AND NOT (merged AND subscription_id IS NULL)
           AND line = first_line AND status IS DISTINCT FROM 'ended'"""


_IN_PORTION = """
email_key BETWEEN (SELECT lowest FROM portions WHERE portion = %(portion)s)
              AND (SELECT highest FROM portions WHERE portion = %(portion)s)
"""

# The array is taken out of its stored form once, and not for each row.
_TOPIC_SET = "(SELECT topic_set_ids || ARRAY[]::integer[] FROM chosen)[choice]"

# Of rows of one address the gravest is taken, and an unsubscribe in any of them counts.
_FIRST_LINE = "min(line) OVER same"
_GRAVITY = "CASE WHEN suppress IS NOT NULL THEN 0 ELSE 3 END + CASE WHEN leaves THEN 0 ELSE 1 END"
_LINE_OF_THE_GRAVEST = f"((min(({_GRAVITY})::bigint << 32 | line) OVER same) & 4294967295)::integer"
_LEFT_IN_ANY_ROW = "COALESCE(bool_or(leaves) OVER same, false)"


@dataclass(frozen=True, kw_only=True)
class Met:
    """What is to be asked about a portion: the statement leaves out what nobody in it can meet."""

    size: int  #: rows
    repeats: bool = True  #: an address stands in several of them
    gone: bool = True  #: somebody in it left, or must not be written to
    known: bool = True
    suppressed: bool = True
    erasures: bool = True

    @property
    def new(self) -> bool:
        """Return whether it only adds: nobody is known, and nobody goes."""
        return not self.known and not self.gone

    @property
    def all_added(self) -> bool:
        """Return whether each of its rows is added, whatever it says."""
        return self.new and not (self.repeats or self.suppressed or self.erasures)


def _keyed(met: Met) -> str:
    """Return the rows of a portion in the order of their keys, each with what others say of it."""
    first = (_LINE_OF_THE_GRAVEST if met.gone else _FIRST_LINE) if met.repeats else "line"
    return f"""keyed AS (
    SELECT listed.*, {_TOPIC_SET} AS topic_set_id,
           row_number() OVER (ORDER BY email_key) - 1 AS place, {first} AS first_line,
           {_LEFT_IN_ANY_ROW if met.gone else "false"} AS left_in_any_row
    FROM listed WHERE {_IN_PORTION}
    WINDOW same AS (ORDER BY email_key GROUPS BETWEEN CURRENT ROW AND CURRENT ROW)
)"""


# What the whole decision comes to where nobody is known, gone, repeated, suppressed or erased: most
# of a first import, and a tenth less of its portions' work.
_ALL_ADDED = f"""
WITH {_keyed(Met(size=0, repeats=False, gone=False))}
SELECT line, email, email_key, warning, topic_set_id, tags, name, joined, paused, paused_until,
       gone_at, suppress, {", ".join(TEXTS)}, place, first_line,
       NULL::bigint AS known_id, NULL::bigint AS subscription_id, NULL AS suppressed,
       false AS unsubscribed, NULL::boolean AS new_name, NULL::boolean AS new_topics,
       {for_each_text("NULL::boolean AS new_{name}")}, NULL::boolean AS new_tags,
       'added' AS result, false AS ends, nextval('subscriber_id_seq') AS subscriber_id
FROM keyed
"""


def ruling(met: Met) -> str:
    """Return the SELECT that decides on a portion, in the order in which it stands.

    That is the order of its keys, and new subscribers get their numbers here: so every index is
    written from left to right. What a list does not say (a null) leaves a known subscription as it
    is; tags are only ever added.
    """
    return _ALL_ADDED if met.all_added else _in_full(met)


def _in_full(met: Met) -> str:
    return f"""
WITH {_keyed(met)}, met AS (
    SELECT keyed.*,
           COALESCE(merged_into, subscriber.id) AS known_id,
           merged_into IS NOT NULL AS merged,
           subscription.id AS subscription_id,
           subscription.status,
           suppression.reason AS suppressed,
           {_ERASED if met.erasures else "false"} AS erased,
           {"left_in_any_row" if met.gone else "false"} AS unsubscribed,
           {_LIFTED if met.gone else "true"} AS lifted,
           {_RESUBSCRIBED if met.gone else "false"} AS resubscribed,
           keyed.name <> subscriber.name AND merged_into IS NULL AS new_name,
           topics IS NOT NULL AND keyed.topic_set_id <> subscription.topic_set_id AS new_topics,
           {for_each_text("keyed.{name} <> subscription.{name} AS new_{name}")},
           NOT string_to_array(keyed.tags, ';') <@ subscription.tags AS new_tags
    FROM keyed
    {_KNOWN if met.known else _UNKNOWN}
    {_SUPPRESSED if met.suppressed else _UNSUPPRESSED}
), judged AS (
    SELECT *, {_RESULT} AS result, {_ENDS} AS ends FROM met
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
_MET = f"""
SELECT size, repeats, gone,
       EXISTS (SELECT FROM subscriber WHERE email_key BETWEEN lowest AND highest) AS known,
       EXISTS (SELECT FROM suppression WHERE email_key BETWEEN lowest AND highest) AS suppressed,
       EXISTS (SELECT FROM erasure) AS erasures
FROM portions, (
    SELECT count(*) AS size, count(DISTINCT email_key) < count(*) AS repeats,
           COALESCE(bool_or(leaves OR suppress IS NOT NULL), false) AS gone
    FROM listed WHERE {_IN_PORTION}
) AS rows
WHERE portion = %(portion)s
"""

_ANY_UNDONE = """
SELECT EXISTS (
    SELECT FROM decided JOIN subscription ON subscription.subscriber_id = known_id
    WHERE undone_at IS NOT NULL AND subscription.newsletter = %(newsletter)s
)
"""

COUNTS = """
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
    actor: str
    default_zone: str
    at: datetime
    format: str = ""  #: whose export it is, once its header was read
    service: str = ""  #: the service it comes from, in a sentence


@dataclass(frozen=True)
class ImportDecision:
    """What is to be done about a list."""

    counts: Mapping[RowResult, int]
    adds: bool
    changes: bool
    removes: bool  #: people who left, or must not be written to
    refills: bool  #: perhaps, rows that an undone import left


def ask(session: Session, portion: Mapping[str, Any], *, lock: bool) -> Met:
    """Ask what is to be asked about a portion, once nobody can be added in between."""
    execute(session, f"{LOOK_UP}; {_LOCK}" if lock else LOOK_UP)
    [met] = rows(session, _MET, portion)
    return Met(**met)


def decide(session: Session, met: Met, values: Mapping[str, Any]) -> ImportDecision:
    """Make the table `decided`, one row for each row of a portion of the list."""
    execute(session, f"CREATE TEMP TABLE decided ON COMMIT DROP AS {ruling(met)}", values)
    found = rows(session, COUNTS)
    counts = counted(found)
    return ImportDecision(
        counts,
        adds=bool(counts[RowResult.ADDED]) or any(row["ends"] for row in found),
        changes=bool(counts[RowResult.UPDATED]) or any(row["renames"] for row in found),
        removes=any(row["ends"] or row["suppresses"] for row in found),
        refills=met.known and scalar(session, _ANY_UNDONE, values),
    )


def counted(found: Iterable[Mapping[str, Any]]) -> Mapping[RowResult, int]:
    """Return how many rows had each result."""
    return Counter({RowResult(row["result"]): row["count"] for row in found})
