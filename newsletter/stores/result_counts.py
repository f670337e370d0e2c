"""The counters of results, which move as events come, in their transaction.

See docs/decisions/figures-are-counters.md.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlmodel import Session

from newsletter.core.events import DeliveryEvent, EventKind, consequence
from newsletter.core.results import BY_MACHINE, BY_PERSON, REPORTED, moved, stories_behind
from subscribers.db.transaction import execute, rows

#: `newsletter.core.delivery.advance`, for many at once: the higher state wins, whatever came first.
#: Rows are locked in one order: SendGrid posts from many servers at once, and two posts may concern
#: the same deliveries. Whoever followed a link is locked in any case, for the count of its story. A
#: delivery with an event was accepted, whatever a later request got.
_ADVANCE = """
    WITH seen AS (
        SELECT place, max(state) AS state, bit_or(kind) AS kinds, max(at) AS at
          FROM unnest(%(places)s::integer[], %(states)s::smallint[], %(kinds)s::smallint[],
                      %(moments)s::timestamptz[]) AS posted (place, state, kind, at)
         GROUP BY place),
    held AS (
        SELECT place, delivery.reported AS before, seen.at,
               delivery.state AS state_before, greatest(delivery.state, seen.state) AS state,
               delivery.reported | seen.kinds AS after
          FROM delivery JOIN seen USING (place)
         WHERE delivery.issue_id = %(issue)s
           AND (delivery.state < seen.state OR delivery.reported & seen.kinds <> seen.kinds
                OR place = ANY(%(clicked)s))
         ORDER BY place FOR NO KEY UPDATE OF delivery),
    advanced AS (
        UPDATE delivery SET state = held.state, reported = held.after, refused = NULL
          FROM held WHERE delivery.issue_id = %(issue)s AND delivery.place = held.place
        RETURNING held.before, held.after, held.state_before, held.state, held.at)
    SELECT before, after, state_before, state, count(*), max(at) AS at
      FROM advanced GROUP BY 1, 2, 3, 4
"""

_SOURCES = """
    SELECT brief_id, content -> 'source' ->> 'url' AS url
      FROM issue_brief WHERE issue_id = %(issue)s
"""

#: What was there before is read as it was when this statement began: the deliveries are locked.
_CLICK = """
    WITH asked AS (
        SELECT place, brief_id, bit_or(hand) AS hands
          FROM unnest(%(places)s::integer[], %(briefs)s::bigint[], %(hands)s::smallint[])
               AS posted (place, brief_id, hand)
         GROUP BY 1, 2),
    clicked AS (
        INSERT INTO story_click AS old (issue_id, place, brief_id, hands)
        SELECT %(issue)s, place, brief_id, hands FROM asked
        ON CONFLICT (issue_id, place, brief_id) DO UPDATE SET hands = old.hands | excluded.hands
         WHERE old.hands | excluded.hands <> old.hands
        RETURNING place, brief_id, hands)
    SELECT clicked.brief_id, COALESCE(before.hands, 0) AS before, clicked.hands AS after, count(*)
      FROM clicked LEFT JOIN story_click AS before
                          ON before.issue_id = %(issue)s AND before.place = clicked.place
                         AND before.brief_id = clicked.brief_id
     GROUP BY 1, 2, 3
"""

_COUNT = """
    INSERT INTO issue_result AS old (issue_id, word, count, at)
    SELECT * FROM unnest(%(issues)s::bigint[], %(words)s::text[], %(counts)s::integer[],
                         %(moments)s::timestamptz[])
    ON CONFLICT (issue_id, word) DO UPDATE
       SET count = old.count + excluded.count, at = greatest(old.at, excluded.at)
"""

#: What had no event before has no counter: it is the rest of the issue's deliveries.
_COUNT_STATES = """
    INSERT INTO delivery_state_count AS old (issue_id, state, count)
    SELECT * FROM unnest(%(issues)s::bigint[], %(states)s::smallint[], %(counts)s::integer[])
    ON CONFLICT (issue_id, state) DO UPDATE SET count = old.count + excluded.count
"""

_COUNT_STORIES = """
    INSERT INTO story_result AS old (issue_id, brief_id, people, machines)
    SELECT %(issue)s, posted.*
      FROM unnest(%(briefs)s::bigint[], %(people)s::integer[], %(machines)s::integer[]) AS posted
    ON CONFLICT (issue_id, brief_id) DO UPDATE
       SET people = old.people + excluded.people, machines = old.machines + excluded.machines
"""

_HANDS = {EventKind.CLICKED: BY_PERSON, EventKind.CLICKED_BY_MACHINE: BY_MACHINE}


def advance_deliveries(session: Session, events: Sequence[DeliveryEvent]) -> None:
    """Move these events' deliveries up their ladder, and the counters of their issues with them.

    The counters come last: others wait for them, and for as short a time as can be. Call it where
    statements look up by key.
    """
    by_issue: defaultdict[int, list[tuple[int, DeliveryEvent]]] = defaultdict(list)
    for event in events:
        if event.delivery:
            by_issue[event.delivery.issue_id].append((event.delivery.place, event))
    ordered = sorted(by_issue.items(), key=itemgetter(0))
    advanced = {issue_id: _advance(session, issue_id, posted) for issue_id, posted in ordered}
    for issue_id, posted in ordered:
        _count_clicks(session, issue_id, _clicks(posted))
    _count(session, advanced)
    _count_states(session, advanced)


def _advance(
    session: Session, issue_id: int, posted: Sequence[tuple[int, DeliveryEvent]]
) -> list[dict[str, Any]]:
    values = {
        "issue": issue_id,
        "places": [place for place, _ in posted],
        "states": [int(consequence(one).state) for _, one in posted],
        "kinds": [REPORTED.get(one.kind, 0) for _, one in posted],
        "moments": [one.at for _, one in posted],
        "clicked": sorted({place for place, _, _ in _clicks(posted)}),
    }
    return rows(session, _ADVANCE, values)


def _clicks(posted: Iterable[tuple[int, DeliveryEvent]]) -> list[tuple[int, str, int]]:
    """Return the places, links and hands of those who followed a link."""
    return [
        (place, one.url, _HANDS[one.kind])
        for place, one in posted
        if one.kind in _HANDS and one.url
    ]


def _count(session: Session, advanced: Mapping[int, Sequence[Mapping[str, Any]]]) -> None:
    counts: Counter[tuple[int, str]] = Counter()
    latest: dict[int, datetime] = {}
    for issue_id, row in ((issue_id, row) for issue_id, found in advanced.items() for row in found):
        latest[issue_id] = max(row["at"], latest.get(issue_id, row["at"]))
        for word, change in moved(row["before"], row["after"]).items():
            counts[issue_id, word.value] += change * row["count"]
    if not counts:
        return
    ordered = sorted(counts)  # two posts at once lock the counters in one order
    values = {
        "issues": [issue_id for issue_id, _ in ordered],
        "words": [word for _, word in ordered],
        "counts": [counts[one] for one in ordered],
        "moments": [latest[issue_id] for issue_id, _ in ordered],
    }
    execute(session, _COUNT, values)


def _count_states(session: Session, advanced: Mapping[int, Sequence[Mapping[str, Any]]]) -> None:
    counts: Counter[tuple[int, int]] = Counter()
    for issue_id, row in ((issue_id, row) for issue_id, found in advanced.items() for row in found):
        counts[issue_id, row["state"]] += row["count"]
        counts[issue_id, row["state_before"]] -= row["count"]
    ordered = sorted(one for one, count in counts.items() if count and one[1])
    if ordered:
        values = {
            "issues": [issue_id for issue_id, _ in ordered],
            "states": [state for _, state in ordered],
            "counts": [counts[one] for one in ordered],
        }
        execute(session, _COUNT_STATES, values)


def _count_clicks(session: Session, issue_id: int, clicks: Sequence[tuple[int, str, int]]) -> None:
    if not clicks:
        return
    found = rows(session, _SOURCES, {"issue": issue_id})
    sources = {row["brief_id"]: row["url"] or "" for row in found}
    stories = {url: stories_behind(url, sources) for url in {url for _, url, _ in clicks}}
    asked = [(place, brief_id, hand) for place, url, hand in clicks for brief_id in stories[url]]
    if asked:
        places, briefs, hands = (list(part) for part in zip(*asked, strict=True))
        values = {"issue": issue_id, "places": places, "briefs": briefs, "hands": hands}
        _count_stories(session, issue_id, rows(session, _CLICK, values))


def _count_stories(session: Session, issue_id: int, moves: Sequence[Mapping[str, Any]]) -> None:
    people: Counter[int] = Counter()
    machines: Counter[int] = Counter()
    for row in moves:
        story, before, after = row["brief_id"], row["before"], row["after"]
        people[story] += ((after & BY_PERSON) - (before & BY_PERSON)) * row["count"]
        machines[story] += ((after == BY_MACHINE) - (before == BY_MACHINE)) * row["count"]
    if ordered := sorted(people):
        values = {
            "issue": issue_id,
            "briefs": ordered,
            "people": [people[one] for one in ordered],
            "machines": [machines[one] for one in ordered],
        }
        execute(session, _COUNT_STORIES, values)
