"""Who gets no delivery of an issue, and why: sorted arrays of readers, a few hundred in each.

Of one issue and reason each array begins after the last of the one before, so a reader is looked
for in one of them. It holds how far each is from its first, which is half as long as their numbers.
See docs/decisions/exclusions-are-arrays.md.
"""

from typing import Any

from sqlmodel import Session

from subscribers.db.transaction import execute, rows, scalar
from subscribers.model import Exclusion

SIZE = 500  #: readers in one array

#: All reasons there are; `newsletter.stores.planning` writes no other.
REASONS = [one.value for one in Exclusion]

#: Of the plan's `reader` and `choice`.
_STORE = """
    INSERT INTO exclusion (issue_id, reason, first, offsets)
    SELECT %(issue)s, reason, ids[n],
           ARRAY(SELECT CAST(id - ids[n] AS integer)
                   FROM unnest(ids[n:n + %(size)s - 1]) AS id ORDER BY id)
      FROM (SELECT COALESCE(exclusion, 'no_story') AS reason,
                   array_agg(subscriber_id ORDER BY subscriber_id) AS ids
              FROM reader LEFT JOIN choice USING (topic_set_id)
             WHERE exclusion IS NOT NULL OR edition_id IS NULL
             GROUP BY 1) AS excluded,
           generate_series(1, cardinality(ids), %(size)s) AS n
     ORDER BY reason, n
"""

_COUNT = """
    SELECT COALESCE(sum(cardinality(offsets)), 0) FROM exclusion WHERE issue_id = %(issue)s
"""

_DROP = "DELETE FROM exclusion WHERE issue_id = ANY(%(issues)s)"


def excluded_because(issue: str, subscriber: str, *, reasons: str = "%(reasons)s::text[]") -> str:
    """Return a query for why a reader is excluded from an issue: one array for each reason.

    All are expressions in SQL.
    """
    return f"""
        SELECT known.reason
          FROM unnest({reasons}) AS known (reason)
               CROSS JOIN LATERAL (
                   SELECT first, offsets FROM exclusion AS part
                    WHERE part.issue_id = {issue} AND part.reason = known.reason
                      AND part.first <= {subscriber}
                    ORDER BY part.first DESC LIMIT 1) AS nearest
         WHERE {subscriber} - nearest.first = ANY(nearest.offsets) LIMIT 1
    """  # noqa: S608  # expressions of our own stores


#: From the array that holds the cursor on, as many of each as an answer may need.
_NEXT = """
    SELECT one.subscriber_id, known.reason
      FROM unnest(%(reasons)s::text[]) AS known (reason)
           CROSS JOIN LATERAL (
               SELECT first + step AS subscriber_id
                 FROM (SELECT first, offsets FROM exclusion
                        WHERE issue_id = %(issue)s AND reason = known.reason
                          AND first >= COALESCE((
                              SELECT max(first) FROM exclusion AS earlier
                               WHERE issue_id = %(issue)s AND earlier.reason = known.reason
                                 AND first <= %(after)s), 0)
                        ORDER BY first LIMIT %(parts)s) AS part,
                      unnest(offsets) AS step
                WHERE first + step > %(after)s
                ORDER BY first + step LIMIT %(limit)s) AS one
     ORDER BY subscriber_id LIMIT %(limit)s
"""

_WITH_EMAIL = f"""
    SELECT found.*, COALESCE(reader.email, '') AS email
      FROM ({_NEXT}) AS found
           LEFT JOIN LATERAL (SELECT email FROM audience
                               WHERE audience.subscriber_id = found.subscriber_id
                                 AND newsletter = (SELECT list FROM issue WHERE id = %(issue)s)
                              OFFSET 0) AS reader ON true
     ORDER BY subscriber_id
"""  # noqa: S608  # this module's own piece


def store_exclusions(session: Session, issue_id: int) -> None:
    """Store who of the plan's readers gets nothing."""
    execute(session, _STORE, {"issue": issue_id, "size": SIZE})


def count_exclusions(session: Session, issue_id: int) -> int:
    """Return how many readers of an issue get nothing."""
    return int(scalar(session, _COUNT, {"issue": issue_id}))


def next_excluded(
    session: Session, issue_id: int, reasons: list[str], after: int, limit: int
) -> list[dict[str, Any]]:
    """Return the first readers after this one that are excluded for one of these reasons."""
    values = {"issue": issue_id, "reasons": reasons, "after": after, "limit": limit}
    return rows(session, _WITH_EMAIL, values | {"parts": limit // SIZE + 2})


def drop_exclusions(session: Session, issue_ids: list[int]) -> None:
    """Drop who got nothing of these issues; what was counted of them stays with their sums."""
    execute(session, _DROP, {"issues": issue_ids})
