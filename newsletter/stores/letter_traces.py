"""What became of one reader's letters: of one issue, or of every issue that knew of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlmodel import Session

from newsletter.core.delivery import DeliveryState
from newsletter.core.history import IssueRecord
from newsletter.core.issue_totals import DeliveryRecord
from newsletter.stores.exclusions import REASONS, excluded_because
from newsletter.stores.look_up import LOOK_UP_UNCOMPILED
from subscribers.db.transaction import execute, rows

#: Whoever has a delivery is not looked for among the excluded.
_EXCLUDED = excluded_because(
    "issue.id",
    "person.id",
    reasons="CASE WHEN letter.place IS NULL THEN %(reasons)s::text[] END",
)

#: Issue by issue: deliveries and exclusions are found by their keys, which begin with the issue.
_LETTERS = f"""
    SELECT issue.newsletter, issue.planned_at, issue.id AS issue_id, issue.date, issue.number,
           letter.place, edition.key AS edition_key, edition.brief_ids, batch.id AS batch_id,
           batch.state AS batch_state, batch.reason AS batch_reason,
           letter.skipped, letter.refused, letter.left_after, COALESCE(letter.state, 0) AS state,
           excluded.reason AS exclusion
      FROM issue
           CROSS JOIN unnest(%(subscribers)s::bigint[]) AS person (id)
           LEFT JOIN LATERAL (
               SELECT place, skipped, refused, left_after, state FROM delivery
                WHERE delivery.issue_id = issue.id AND subscriber_id = person.id
               OFFSET 0) AS letter ON true
           LEFT JOIN LATERAL ({_EXCLUDED}) AS excluded ON true
           LEFT JOIN LATERAL (SELECT * FROM batch
                               WHERE batch.issue_id = issue.id AND first_place <= letter.place
                               ORDER BY first_place DESC LIMIT 1) AS batch ON true
           LEFT JOIN edition ON edition.id = batch.edition_id
     WHERE {{}} AND (letter.place IS NOT NULL OR excluded.reason IS NOT NULL)
     ORDER BY issue.planned_at, issue.id, person.id
"""  # noqa: S608  # our own pieces

#: The requests that held it: later ones were made without a delivery that was skipped or refused.
#: The view `batch_attempt` has no more than their numbers: each would be looked up twice.
_ATTEMPTS = """
    SELECT asked.issue_id, asked.place, number, started_at, finished_at, outcome, reason, message_id
      FROM unnest(%(issues)s::bigint[], %(places)s::integer[], %(batches)s::bigint[],
                  %(lefts)s::bigint[]) AS asked (issue_id, place, batch_id, left_after)
           CROSS JOIN LATERAL (
               SELECT * FROM attempt WHERE attempt.batch_id = asked.batch_id
               UNION ALL
               SELECT attempt.* FROM split_from JOIN attempt ON attempt.id = attempt_id
                WHERE split_from.batch_id = asked.batch_id OFFSET 0) AS attempt
     WHERE serial <= COALESCE(left_after, serial)
     ORDER BY serial
"""

_EVENTS = """
    SELECT asked.issue_id, asked.place, event.*
      FROM unnest(%(issues)s::bigint[], %(places)s::integer[]) AS asked (issue_id, place)
           CROSS JOIN LATERAL (
               SELECT kind, at, raw ->> 'reason' AS reason, raw ->> 'response' AS response
                 FROM delivery_event
                WHERE delivery_event.issue_id = asked.issue_id
                  AND delivery_event.place = asked.place OFFSET 0) AS event
     ORDER BY at, kind <> 'processed', kind
"""

_Letter = tuple[int, int]  #: an issue, and a place in it


def trace(session: Session, subscriber_id: int, issue_id: int) -> DeliveryRecord | None:
    """Return what happened to a subscriber's letter; None if the issue never knew of them."""
    values = {"subscribers": [subscriber_id], "issue": issue_id}
    found = _records(session, "issue.id = %(issue)s", values)
    return found[0].record if found else None


def traces(session: Session, subscriber_ids: Collection[int]) -> tuple[IssueRecord, ...]:
    """Return what became of every issue that knew of one of these, who are one person."""
    values = {"subscribers": list(subscriber_ids)}
    return _records(session, "issue.planned_at IS NOT NULL", values)


def _records(session: Session, which: str, values: Mapping[str, Any]) -> tuple[IssueRecord, ...]:
    execute(session, LOOK_UP_UNCOMPILED)
    letters = rows(session, _LETTERS.format(which), {**values, "reasons": REASONS})
    held = [one for one in letters if one["place"] is not None]
    of_letters = {
        "issues": [one["issue_id"] for one in held],
        "places": [one["place"] for one in held],
        "batches": [one["batch_id"] for one in held],
        "lefts": [one["left_after"] for one in held],
    }
    attempts = _by_letter(rows(session, _ATTEMPTS, of_letters) if held else ())
    events = _by_letter(rows(session, _EVENTS, of_letters) if held else ())
    return tuple(_record(one, attempts, events) for one in letters)


def _by_letter(found: Sequence[dict[str, Any]]) -> Mapping[_Letter, list[dict[str, Any]]]:
    grouped: defaultdict[_Letter, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        grouped[row.pop("issue_id"), row.pop("place")].append(row)
    return grouped


def _record(
    letter: dict[str, Any],
    attempts: Mapping[_Letter, list[dict[str, Any]]],
    events: Mapping[_Letter, list[dict[str, Any]]],
) -> IssueRecord:
    newsletter, planned_at = letter.pop("newsletter"), letter.pop("planned_at")
    del letter["left_after"]
    letter["state"] = DeliveryState(letter["state"])
    letter["brief_ids"] = tuple(letter["brief_ids"] or ())
    key = (letter["issue_id"], letter["place"])
    record = DeliveryRecord(
        **letter,
        attempts=tuple(attempts.get(key, ())),
        events=tuple(events.get(key, ())),
    )
    return IssueRecord(newsletter=newsletter, planned_at=planned_at, record=record)
