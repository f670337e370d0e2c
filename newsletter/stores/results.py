"""Results of issues, read from their counters: no page reads a million rows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlmodel import Session

from newsletter.core.events import EventKind
from newsletter.core.results import (
    REPORTED,
    IssueResults,
    ResultLine,
    ResultWord,
    StoryResult,
)
from newsletter.stores.issue_summaries import kept_results
from newsletter.stores.look_up import LOOK_UP_UNCOMPILED
from subscribers.db.transaction import DatabaseStore, execute, rows, transaction

#: With each issue the moment at which the next one of its newsletter left.
_ISSUE = """
    SELECT id, date, list, planned_at,
           (SELECT min(later.planned_at) FROM issue AS later
             WHERE later.newsletter = issue.newsletter AND later.planned_at > issue.planned_at)
           AS next_at
      FROM issue WHERE id = ANY(%(issues)s) ORDER BY id
"""

_WORDS = "SELECT issue_id, word, count, at FROM issue_result WHERE issue_id = ANY(%(issues)s)"

_ACCEPTED = """
    SELECT issue_id, sum(size - skipped_count - refused_count)::bigint AS accepted
      FROM batch WHERE issue_id = ANY(%(issues)s) AND state = 'accepted' GROUP BY 1
"""

_STORIES = """
    WITH sent AS MATERIALIZED (
        SELECT edition_id, sum(size - skipped_count - refused_count)::bigint AS letters
          FROM batch WHERE issue_id = ANY(%(issues)s) AND state = 'accepted' GROUP BY 1),
    printed AS MATERIALIZED (
        SELECT edition.issue_id, story.brief_id, sum(letters)::bigint AS letters
          FROM sent JOIN edition ON edition.id = edition_id
                                AND edition.issue_id = ANY(%(issues)s)
               CROSS JOIN unnest(edition.brief_ids) AS story (brief_id)
         GROUP BY 1, 2)
    SELECT place.issue_id, place.brief_id, place.content ->> 'title' AS title, place.topics,
           COALESCE(printed.letters, 0) AS sent, COALESCE(people, 0) AS people,
           COALESCE(machines, 0) AS machines
      FROM issue_brief AS place
           LEFT JOIN printed USING (issue_id, brief_id)
           LEFT JOIN story_result AS counted USING (issue_id, brief_id)
     WHERE place.issue_id = ANY(%(issues)s) ORDER BY place.issue_id, place.position
"""

#: Whoever leaves by a link of ours leaves no event. Acts of consent are found by their moment.
_LEFT = """
    SELECT count(DISTINCT delivery.place) AS left
      FROM consent JOIN delivery ON delivery.subscriber_id = consent.subscriber_id
                                AND delivery.issue_id = %(issue)s
     WHERE consent.at >= %(since)s AND consent.at < COALESCE(%(until)s::timestamptz, 'infinity')
       AND act = 'withdrawn' AND newsletter = %(list)s
       AND delivery.reported & %(complained)s = 0
       AND delivery.skipped IS NULL AND delivery.refused IS NULL
"""

_LATEST = """
    SELECT id, date FROM issue
     WHERE newsletter = %(newsletter)s AND planned_at IS NOT NULL
     ORDER BY date DESC LIMIT %(limit)s
"""


class ResultStore(DatabaseStore):
    """Reads the counters of results."""

    def of(self, issue_id: int) -> IssueResults:
        """Return what became of an issue's letters so far."""
        with transaction(self._engine, snapshot=True) as session:
            return issue_results(session, issue_id)

    def latest(self, newsletter: str, limit: int) -> tuple[ResultLine, ...]:
        """Return the figures of the issues that left last, the newest first."""
        with transaction(self._engine, snapshot=True) as session:
            issues = rows(session, _LATEST, {"newsletter": newsletter, "limit": limit})
            values = {"issues": [row["id"] for row in issues]}
            words = _by_issue(rows(session, _WORDS, values))
            accepted = _accepted(session, values)
        return tuple(
            ResultLine(
                date=one["date"], accepted=accepted.get(one["id"], 0), words=words[one["id"]]
            )
            for one in issues
        )


def issue_results(session: Session, issue_id: int) -> IssueResults:
    """Return what became of an issue's letters, or what was kept of that when they were let go."""
    return kept_results(session, issue_id) or results_of(session, [issue_id])[issue_id]


def results_of(session: Session, issue_ids: Collection[int]) -> dict[int, IssueResults]:
    """Return what became of the letters of issues whose letters are there."""
    values = {"issues": [*issue_ids]}
    issues, counted = rows(session, _ISSUE, values), rows(session, _WORDS, values)
    words, accepted = _by_issue(counted), _accepted(session, values)
    stories: defaultdict[int, list[StoryResult]] = defaultdict(list)
    for row in rows(session, _STORIES, values):
        stories[row.pop("issue_id")].append(_story(row))
    execute(session, LOOK_UP_UNCOMPILED)
    return {
        one["id"]: IssueResults(
            date=one["date"],
            accepted=accepted.get(one["id"], 0),
            words=words[one["id"]],
            stories=tuple(stories[one["id"]]),
            left=int(rows(session, _LEFT, _window(one))[0]["left"]),
            planned_at=one["planned_at"],
            last_event=max((r["at"] for r in counted if r["issue_id"] == one["id"]), default=None),
        )
        for one in issues
    }


def leaving_window(session: Session, issue_id: int) -> dict[str, Any]:
    """Return the time in which whoever leaves does so after this issue, as statements take it."""
    [issue] = rows(session, _ISSUE, {"issues": [issue_id]})
    return _window(issue)


def _window(issue: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "issue": issue["id"],
        "list": issue["list"],
        "since": issue["planned_at"],
        "until": issue["next_at"],
        "complained": REPORTED[EventKind.COMPLAINED],
    }


def _accepted(session: Session, values: Mapping[str, Any]) -> dict[int, int]:
    return {row["issue_id"]: row["accepted"] for row in rows(session, _ACCEPTED, values)}


def _by_issue(counted: Iterable[dict[str, Any]]) -> defaultdict[int, dict[ResultWord, int]]:
    found: defaultdict[int, dict[ResultWord, int]] = defaultdict(dict)
    for row in counted:
        found[row["issue_id"]][ResultWord(row["word"])] = row["count"]
    return found


def _story(row: dict[str, Any]) -> StoryResult:
    return StoryResult(topics=tuple(row.pop("topics")), **row)
