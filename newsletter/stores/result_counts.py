"""The counters of results, which move as events come, in their transaction.

See docs/decisions/figures-are-counters.md.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from newsletter.core.delivery import DeliveryState
from newsletter.core.events import DeliveryEvent, EventKind, consequence
from newsletter.core.results import BY_MACHINE, BY_PERSON, REPORTED, moved, stories_behind
from subscribers.db.transaction import execute, rows

#: `newsletter.core.delivery.advance`, for many at once: the higher state wins, whatever came first.
#: Rows are locked in one order: SendGrid posts from many servers at once, and two posts may concern
#: the same deliveries. Whoever followed a link is locked in any case, for the count of its story. A
#: delivery with an event was accepted, whatever a later request got.
_ADVANCE = """
    WITH seen AS (
        SELECT id, max(state) AS state, bit_or(kind) AS kinds, max(at) AS at
          FROM unnest(%(deliveries)s::bigint[], %(states)s::smallint[], %(kinds)s::smallint[],
                      %(moments)s::timestamptz[]) AS posted (id, state, kind, at)
         GROUP BY id),
    held AS (
        SELECT delivery.id, delivery.issue_id, delivery.reported AS before, seen.at,
               delivery.state AS state_before, greatest(delivery.state, seen.state) AS state,
               delivery.reported | seen.kinds AS after
          FROM delivery JOIN seen USING (id)
         WHERE delivery.state < seen.state OR delivery.reported & seen.kinds <> seen.kinds
            OR delivery.id = ANY(%(clicked)s)
         ORDER BY id FOR NO KEY UPDATE OF delivery),
    advanced AS (
        UPDATE delivery SET state = held.state, reported = held.after, refused = NULL
          FROM held WHERE delivery.id = held.id
        RETURNING held.issue_id, held.before, held.after, held.state_before, held.state, held.at)
    SELECT issue_id, before, after, state_before, state, count(*), max(at) AS at
      FROM advanced GROUP BY 1, 2, 3, 4, 5
"""

_SOURCES = """
    SELECT delivery.id, delivery.issue_id, place.brief_id,
           place.content -> 'source' ->> 'url' AS url
      FROM delivery JOIN issue_brief AS place USING (issue_id)
     WHERE delivery.id = ANY(%(clicked)s)
"""

#: What was there before is read as it was when this statement began: the deliveries are locked.
_CLICK = """
    WITH asked AS (
        SELECT issue_id, delivery_id, brief_id, bit_or(hand) AS hands
          FROM unnest(%(issues)s::bigint[], %(deliveries)s::bigint[], %(briefs)s::bigint[],
                      %(hands)s::smallint[]) AS posted (issue_id, delivery_id, brief_id, hand)
         GROUP BY 1, 2, 3),
    clicked AS (
        INSERT INTO story_click AS old (delivery_id, brief_id, hands)
        SELECT delivery_id, brief_id, hands FROM asked
        ON CONFLICT (delivery_id, brief_id) DO UPDATE SET hands = old.hands | excluded.hands
         WHERE old.hands | excluded.hands <> old.hands
        RETURNING delivery_id, brief_id, hands)
    SELECT asked.issue_id, brief_id, COALESCE(story_click.hands, 0) AS before,
           clicked.hands AS after, count(*)
      FROM clicked JOIN asked USING (delivery_id, brief_id)
           LEFT JOIN story_click USING (delivery_id, brief_id)
     GROUP BY 1, 2, 3, 4
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
    SELECT * FROM unnest(%(issues)s::bigint[], %(briefs)s::bigint[], %(people)s::integer[],
                         %(machines)s::integer[])
    ON CONFLICT (issue_id, brief_id) DO UPDATE
       SET people = old.people + excluded.people, machines = old.machines + excluded.machines
"""

_HANDS = {EventKind.CLICKED: BY_PERSON, EventKind.CLICKED_BY_MACHINE: BY_MACHINE}


def advance_deliveries(session: Session, events: Sequence[DeliveryEvent]) -> None:
    """Move these events' deliveries up their ladder, and the counters of their issues with them.

    The counters come last: others wait for them, and for as short a time as can be.
    """
    clicks = [one for one in events if one.kind in _HANDS and one.url]
    clicked = sorted({one.delivery_id for one in clicks if one.delivery_id is not None})
    values = {
        "deliveries": [one.delivery_id for one in events],
        "states": [int(_state(one)) for one in events],
        "kinds": [REPORTED.get(one.kind, 0) for one in events],
        "moments": [one.at for one in events],
        "clicked": clicked,
    }
    advanced = rows(session, _ADVANCE, values)
    if clicked:
        _count_clicks(session, clicks, clicked)
    _count(session, advanced)
    _count_states(session, advanced)


def _state(event: DeliveryEvent) -> DeliveryState:
    return consequence(event).state


def _count(session: Session, advanced: Sequence[Mapping[str, Any]]) -> None:
    counts: Counter[tuple[int, str]] = Counter()
    latest: dict[int, datetime] = {}
    for row in advanced:
        issue_id = row["issue_id"]
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


def _count_states(session: Session, advanced: Sequence[Mapping[str, Any]]) -> None:
    counts: Counter[tuple[int, int]] = Counter()
    for row in advanced:
        counts[row["issue_id"], row["state"]] += row["count"]
        counts[row["issue_id"], row["state_before"]] -= row["count"]
    ordered = sorted(one for one, count in counts.items() if count and one[1])
    if ordered:
        values = {
            "issues": [issue_id for issue_id, _ in ordered],
            "states": [state for _, state in ordered],
            "counts": [counts[one] for one in ordered],
        }
        execute(session, _COUNT_STATES, values)


def _count_clicks(
    session: Session, clicks: Sequence[DeliveryEvent], clicked: Collection[int]
) -> None:
    found = rows(session, _SOURCES, {"clicked": list(clicked)})
    issues = {row["id"]: row["issue_id"] for row in found}
    sources: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for row in found:
        sources[row["issue_id"]][row["brief_id"]] = row["url"] or ""
    links = {(issues[e.delivery_id], e.url) for e in clicks if e.delivery_id in issues and e.url}
    stories = {(of, url): stories_behind(url, sources[of]) for of, url in links}
    asked = [
        (issue_id, one.delivery_id, brief_id, _HANDS[one.kind])
        for one in clicks
        if one.delivery_id in issues and one.url
        for issue_id in [issues[one.delivery_id]]
        for brief_id in stories[issue_id, one.url]
    ]
    if asked:
        names = ("issues", "deliveries", "briefs", "hands")
        _count_stories(session, dict(zip(names, map(list, zip(*asked, strict=True)), strict=True)))


def _count_stories(session: Session, asked: Mapping[str, list[int]]) -> None:
    people: Counter[tuple[int, int]] = Counter()
    machines: Counter[tuple[int, int]] = Counter()
    for row in rows(session, _CLICK, asked):
        story, before, after = (row["issue_id"], row["brief_id"]), row["before"], row["after"]
        people[story] += ((after & BY_PERSON) - (before & BY_PERSON)) * row["count"]
        machines[story] += ((after == BY_MACHINE) - (before == BY_MACHINE)) * row["count"]
    if ordered := sorted(people):
        values = {
            "issues": [issue_id for issue_id, _ in ordered],
            "briefs": [brief_id for _, brief_id in ordered],
            "people": [people[one] for one in ordered],
            "machines": [machines[one] for one in ordered],
        }
        execute(session, _COUNT_STORIES, values)
