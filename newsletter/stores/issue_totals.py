"""The totals of issues, from counters: no delivery is read but those closed by name.

`issue_audit` counts delivery by delivery, and must agree.
See docs/decisions/figures-are-counters.md.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlmodel import Session

from newsletter.core.delivery import DeliveryState
from newsletter.core.issue_totals import IssueTotals, Sums
from newsletter.stores.issue_summaries import kept_totals
from subscribers.db.transaction import rows

#: What stands in batches, by their states. Every edition has a first batch, with the ordinal 0.
_BATCHES = """
    SELECT issue.id, issue.state AS issue_state, issue.audience, issue.excluded, part.*
      FROM issue LEFT JOIN LATERAL (
           SELECT state, count(*) AS batches, count(*) FILTER (WHERE ordinal = 0) AS editions,
                  sum(size) AS size, sum(skipped_count) AS skipped,
                  sum(refused_count) AS refused, sum(doubled) AS doubled
             FROM batch WHERE issue_id = issue.id GROUP BY state) AS part ON true
     WHERE issue.id = ANY(%(issues)s) ORDER BY issue.id, part.state
"""


def _closed(by: str) -> str:
    """Return the question how many deliveries were skipped, or refused, by name, and why."""
    return f"""
        SELECT asked.issue_id, word, count(*)
          FROM unnest(%(issues)s::integer[]) AS asked (issue_id) CROSS JOIN LATERAL (
               SELECT {by} AS word FROM delivery
                WHERE issue_id = asked.issue_id AND (skipped IS NOT NULL OR refused IS NOT NULL)
                  AND {by} IS NOT NULL OFFSET 0) AS closed
         GROUP BY 1, 2 ORDER BY 2"""  # noqa: S608  # our own words


#: Each a count by a word. Issues next to each other have batches whose numbers are near each other:
#: the requests of all others are not read. The few deliveries closed by name have an index, and are
#: looked for issue by issue: no other partition is read.
_COUNTS = {
    "requests": """
        WITH own AS MATERIALIZED (
            SELECT id, issue_id FROM batch WHERE issue_id = ANY(%(issues)s))
        SELECT issue_id, '' AS word, count(*) FROM attempt JOIN own ON own.id = batch_id
         WHERE batch_id BETWEEN (SELECT min(id) FROM own) AND (SELECT max(id) FROM own)
           AND outcome <> 'not_sent' GROUP BY 1""",
    "exclusions": """
        SELECT issue_id, reason AS word, sum(cardinality(offsets)) AS count FROM exclusion
         WHERE issue_id = ANY(%(issues)s) GROUP BY 1, 2 ORDER BY 2""",
    "skips": _closed("skipped"),
    "refusals": _closed("refused"),
    "doubled": """
        SELECT issue_id, id AS word, doubled AS count FROM batch
         WHERE issue_id = ANY(%(issues)s) AND doubled > 0 ORDER BY 2""",
    "events": """
        SELECT issue_id, state AS word, count FROM delivery_state_count
         WHERE issue_id = ANY(%(issues)s) AND count > 0 ORDER BY 2""",
}

_Counts = Mapping[str, Mapping[Any, int]]


@dataclass(frozen=True, kw_only=True)
class BatchSums:
    """What an issue's batches say of it."""

    issue_state: str
    sums: Sums
    editions: int
    batches: dict[str, int]  #: by state
    claimed: int  #: deliveries in batches that are being requested now


def issue_totals(session: Session, issue_id: int) -> IssueTotals:
    """Return what is known of an issue's sending, or what was kept of that."""
    return kept_totals(session, issue_id) or totals_of(session, [issue_id])[issue_id]


def totals_of(session: Session, issue_ids: Collection[int]) -> dict[int, IssueTotals]:
    """Return the totals of issues whose letters are there, best of one partition."""
    counted: defaultdict[int, dict[str, dict[Any, int]]] = defaultdict(
        lambda: {name: {} for name in _COUNTS}
    )
    for name, sql in _COUNTS.items():
        for row in rows(session, sql, {"issues": [*issue_ids]}):
            counted[row["issue_id"]][name][row["word"]] = int(row["count"])
    summed = sum_up(session, issue_ids)
    return {one: _totals(summed[one], counted[one]) for one in issue_ids}


def sum_up(session: Session, issue_ids: Collection[int]) -> dict[int, BatchSums]:
    """Return what the batches of these issues say of them."""
    found = rows(session, _BATCHES, {"issues": [*issue_ids]})
    return {one: _summed([*parts]) for one, parts in groupby(found, itemgetter("id"))}


def _totals(summed: BatchSums, counted: _Counts) -> IssueTotals:
    by_word = {name: dict(counts) for name, counts in counted.items()}
    requests, events = by_word.pop("requests"), by_word.pop("events")
    return IssueTotals(
        sums=summed.sums,
        editions=summed.editions,
        batches=summed.batches,
        requests=requests.get("", 0),
        events=_events(events, summed.sums.deliveries),
        **by_word,
    )


def _events(counts: Mapping[int, int], deliveries: int) -> dict[str, int]:
    """Return the deliveries by state; those without a counter have had no event."""
    none = deliveries - sum(counts.values())
    counted = ({DeliveryState.NO_EVENTS.value: none} if none else {}) | dict(counts)
    return {DeliveryState(state).name.lower(): count for state, count in counted.items()}


def _summed(parts: Collection[Mapping[str, Any]]) -> BatchSums:
    """Add up an issue's batches; where it has none, its one part has no state."""
    [issue, *_], parts = parts, [one for one in parts if one["state"]]
    whole = {one["state"]: int(one["size"] - one["skipped"] - one["refused"]) for one in parts}
    sums = Sums(
        audience=issue["audience"],
        excluded=issue["excluded"],
        deliveries=_sum(parts, "size"),
        accepted=whole.get("accepted", 0),
        refused=_sum(parts, "refused") + whole.get("refused", 0),
        unknown=whole.get("unknown", 0),
        skipped=_sum(parts, "skipped"),
        to_go=whole.get("planned", 0) + whole.get("claimed", 0),
        doubled=_sum(parts, "doubled"),
    )
    return BatchSums(
        issue_state=issue["issue_state"],
        sums=sums,
        editions=_sum(parts, "editions"),
        batches={one["state"]: one["batches"] for one in parts},
        claimed=whole.get("claimed", 0),
    )


def _sum(parts: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(int(one[name]) for one in parts)
