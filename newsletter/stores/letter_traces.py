"""What became of one reader's letters: of one issue, or of every issue that knew of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
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


def _known_by(issue: str) -> str:
    """Return what joins an issue with what it knew of these people: their letters, or why none.

    Issue by issue: deliveries and exclusions are found by their keys, which begin with the issue.
    """
    return f"""
      FROM {issue} AS issue
           CROSS JOIN unnest(%(subscribers)s::bigint[]) AS person (id)
           LEFT JOIN LATERAL (
               SELECT place, skipped, refused, left_after, state FROM delivery
                WHERE delivery.issue_id = issue.id AND subscriber_id = person.id
               OFFSET 0) AS letter ON true
           LEFT JOIN LATERAL ({_EXCLUDED}) AS excluded ON true
    """  # noqa: S608  # our own pieces


_LETTER = f"""
    SELECT issue.id AS issue_id, issue.date, issue.number,
           letter.place, edition.key AS edition_key, edition.brief_ids, batch.id AS batch_id,
           batch.state AS batch_state, batch.reason AS batch_reason,
           letter.skipped, letter.refused, letter.left_after, COALESCE(letter.state, 0) AS state,
           excluded.reason AS exclusion
      {_known_by("issue")}
           LEFT JOIN LATERAL (SELECT * FROM batch
                               WHERE batch.issue_id = issue.id AND first_place <= letter.place
                               ORDER BY first_place DESC LIMIT 1) AS batch ON true
           LEFT JOIN edition ON edition.id = batch.edition_id
     WHERE issue.id = %(issue)s AND (letter.place IS NOT NULL OR excluded.reason IS NOT NULL)
"""  # noqa: S608  # our own pieces

_NEWEST = """
    (SELECT id, newsletter, planned_at, date FROM issue
      WHERE planned_at IS NOT NULL
        AND (%(newsletters)s::text[] IS NULL OR newsletter = ANY(%(newsletters)s::text[]))
      ORDER BY planned_at DESC, id DESC)
"""

#: A history says less of each: editions and batches are looked up for none. The newest come first,
#: and no issue is looked into once there are enough.
_LETTERS = f"""
    SELECT issue.newsletter, issue.planned_at, issue.id AS issue_id, issue.date,
           letter.place, letter.skipped, letter.refused, letter.left_after,
           excluded.reason AS exclusion
      {_known_by(_NEWEST)}
     WHERE letter.place IS NOT NULL OR excluded.reason IS NOT NULL
     ORDER BY issue.planned_at DESC, issue.id DESC, person.id DESC LIMIT %(most)s
"""  # our own pieces

_BATCHES = """
    SELECT asked.issue_id, asked.place, batch.id AS batch_id
      FROM unnest(%(issues)s::bigint[], %(places)s::integer[]) AS asked (issue_id, place)
           CROSS JOIN LATERAL (SELECT id FROM batch
                                WHERE batch.issue_id = asked.issue_id
                                  AND first_place <= asked.place
                                ORDER BY first_place DESC LIMIT 1) AS batch
"""

#: The requests of these batches. The view `batch_attempt` has no more than their numbers: each
#: would be looked up twice.
_ATTEMPTS = """
    SELECT batch_id, serial, number, started_at, finished_at, outcome, reason, message_id
      FROM attempt WHERE batch_id = ANY(%(batches)s::bigint[])
     UNION ALL
    SELECT split_from.batch_id, serial, number, started_at, finished_at, outcome, reason, message_id
      FROM split_from JOIN attempt ON attempt.id = attempt_id
     WHERE split_from.batch_id = ANY(%(batches)s::bigint[])
     ORDER BY serial
"""

_EVENTS = """
    SELECT asked.issue_id, asked.place, event.*
      FROM unnest(%(issues)s::integer[], %(places)s::integer[]) AS asked (issue_id, place)
           CROSS JOIN LATERAL (
               SELECT kind, at, raw ->> 'reason' AS reason, raw ->> 'response' AS response
                 FROM delivery_event
                WHERE delivery_event.issue_id = asked.issue_id
                  AND delivery_event.place = asked.place OFFSET 0) AS event
     ORDER BY at, kind <> 'processed', kind
"""

_Letter = tuple[int, int]  #: an issue, and a place in it
_Rows = list[dict[str, Any]]


def trace(session: Session, subscriber_id: int, issue_id: int) -> DeliveryRecord | None:
    """Return what happened to a subscriber's letter; None if the issue never knew of them."""
    execute(session, LOOK_UP_UNCOMPILED)
    values = {"subscribers": [subscriber_id], "issue": issue_id, "reasons": REASONS}
    if not (found := rows(session, _LETTER, values)):
        return None
    [letter], attempts, events = found, _attempts(session, found), _events(session, found)
    del letter["left_after"]
    letter["state"] = DeliveryState(letter["state"])
    letter["brief_ids"] = tuple(letter["brief_ids"] or ())
    key = (letter["issue_id"], letter["place"])
    return DeliveryRecord(**letter, attempts=tuple(attempts[key]), events=tuple(events[key]))


def traces(
    session: Session,
    subscriber_ids: Collection[int],
    *,
    most: int | None = None,
    newsletters: Collection[str] | None = None,
) -> tuple[IssueRecord, ...]:
    """Return what became of every issue that knew of one of these, who are one person.

    With `most` of so many only: of those that were planned last. None of `newsletters`: of all.
    """
    execute(session, LOOK_UP_UNCOMPILED)
    values: dict[str, Any] = {"subscribers": list(subscriber_ids), "reasons": REASONS, "most": most}
    values["newsletters"] = None if newsletters is None else list(newsletters)
    letters = rows(session, _LETTERS, values)[::-1]
    held = [one for one in letters if one["place"] is not None]
    in_batches = {_key(row): row["batch_id"] for row in rows(session, _BATCHES, _places(held))}
    for one in held:
        one["batch_id"] = in_batches.get(_key(one))
    attempts, events = _attempts(session, held), _events(session, held)
    return tuple(_record(one, attempts, events) for one in letters)


def _attempts(session: Session, letters: _Rows) -> Mapping[_Letter, _Rows]:
    """Return the requests that held each: later ones were made without who was left out."""
    held = [one for one in letters if one["place"] is not None]
    batches = list({one["batch_id"] for one in held})
    of_batches: defaultdict[int, _Rows] = defaultdict(list)
    for row in rows(session, _ATTEMPTS, {"batches": batches}) if batches else ():
        of_batches[row.pop("batch_id")].append(row)
    found: defaultdict[_Letter, _Rows] = defaultdict(list)
    for one in held:
        found[_key(one)] = [*_with(of_batches[one["batch_id"]], one["left_after"])]
    return found


def _with(attempts: Iterable[dict[str, Any]], left_after: int | None) -> Iterable[dict[str, Any]]:
    for one in attempts:
        if left_after is None or one["serial"] <= left_after:
            yield {name: value for name, value in one.items() if name != "serial"}


def _events(session: Session, letters: _Rows) -> Mapping[_Letter, _Rows]:
    held = [one for one in letters if one["place"] is not None]
    found: defaultdict[_Letter, _Rows] = defaultdict(list)
    for row in rows(session, _EVENTS, _places(held)) if held else ():
        found[row.pop("issue_id"), row.pop("place")].append(row)
    return found


def _places(letters: _Rows) -> dict[str, list[int]]:
    return {
        "issues": [one["issue_id"] for one in letters],
        "places": [one["place"] for one in letters],
    }


def _key(letter: Mapping[str, Any]) -> _Letter:
    return letter["issue_id"], letter["place"]


def _record(
    letter: dict[str, Any],
    attempts: Mapping[_Letter, _Rows],
    events: Mapping[_Letter, _Rows],
) -> IssueRecord:
    key = _key(letter)
    return IssueRecord(
        newsletter=letter["newsletter"],
        planned_at=letter["planned_at"],
        date=letter["date"],
        exclusion=letter["exclusion"],
        skipped=letter["skipped"],
        refused=letter["refused"],
        attempts=tuple(attempts[key]),
        events=tuple(events[key]),
    )
