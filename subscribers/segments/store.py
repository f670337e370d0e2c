"""Segments in PostgreSQL: a filter as a condition, counts in one pass, members frozen for a send.

No index serves them. Reading the narrow table once, with parallel workers, takes a tenth of a
second for a million rows, whatever is asked; an index on each column would cost every import and
every event more than a question saves. Who is suppressed is looked up first, the list being short,
and put into the question: a row is then tested against a table of numbers, and joined with nothing.
"""
# The pieces put together here are this module's own.
# The pieces put together here are this module's own.
# ruff: noqa: S608

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from subscribers.db.connection import rows, transaction
from subscribers.model import EVERYTHING
from subscribers.segments.filters import (
    Filter,
    SubscriberState,
    filter_data,
    joined_within,
    read_filter,
)
from subscribers.segments.service import Member, Segment, SegmentCount


class Condition(NamedTuple):
    """A condition on `subscription`, and the values it names; each name begins with `segment_`."""

    sql: str
    values: Mapping[str, object]


_SILENT = """EXISTS (
    SELECT FROM subscriber AS silent JOIN suppression USING (email_key)
    WHERE silent.id = subscription.subscriber_id)"""

#: The same, of those looked up before.
_LISTED = "(subscription.subscriber_id = ANY(%(listed)s::bigint[]))"
_LIST = """
SELECT coalesce(array_agg(subscriber.id)::text, '{}') AS listed
FROM suppression JOIN subscriber USING (email_key)
"""

#: As `subscribers.rules.audience.exclusion` has it, and the view `audience`; {} is who is suppressed.
_STANDINGS = {
    SubscriberState.MAILABLE: "status = 'active' AND paused_at IS NULL AND NOT {}",
    SubscriberState.ACTIVE: "status = 'active'",
    SubscriberState.PAUSED: "status = 'active' AND paused_at IS NOT NULL AND NOT {}",
    SubscriberState.ENDED: "status <> 'active' AND NOT {}",
    SubscriberState.SUPPRESSED: "{}",
}

_TOPICS = """topic_set_id IN (
    SELECT topic_set.id FROM topic_set WHERE slugs && %(segment_topics)s::text[])"""
_ZONES = "(zone = ANY(%(segment_zones)s::text[]) OR zone ^@ ANY(%(segment_areas)s::text[]))"
_SOURCE = "(source = %(segment_source)s OR source ^@ %(segment_source_begins)s)"


_Part = tuple[str, Mapping[str, object]]


def condition(
    newsletter: str, chosen: Filter, today: date, *, suppressed: str = _SILENT
) -> Condition:
    """Return the condition that a subscription of this newsletter is in the segment."""
    parts: list[_Part] = [
        ("subscription.newsletter = %(segment_newsletter)s", {"segment_newsletter": newsletter}),
        ("subscription.undone_at IS NULL", {}),
        *_choices(chosen, suppressed),
        *_tags(chosen),
        *_origin(chosen, today),
        *_engagement(chosen, today),
    ]
    values = {name: value for _, said in parts for name, value in said.items()}
    return Condition(" AND ".join(f"({sql})" for sql, _ in parts), values)


def _choices(chosen: Filter, suppressed: str) -> Iterator[_Part]:
    if chosen.topics:
        yield _TOPICS, {"segment_topics": sorted({*chosen.topics, EVERYTHING})}
    if chosen.status:
        yield _STANDINGS[chosen.status].format(suppressed), {}
    if chosen.frequency:
        yield "frequency = %(segment_frequency)s", {"segment_frequency": chosen.frequency.value}
    if chosen.zones:
        zones = sorted(chosen.zones)
        yield _ZONES, {"segment_zones": zones, "segment_areas": [f"{zone}/" for zone in zones]}


def _tags(chosen: Filter) -> Iterator[_Part]:
    if chosen.tags:
        yield "tags && %(segment_tags)s::text[]", {"segment_tags": sorted(chosen.tags)}
    if chosen.tags_all:
        yield "tags @> %(segment_tags_all)s::text[]", {"segment_tags_all": sorted(chosen.tags_all)}
    if chosen.tags_none:
        none = {"segment_tags_none": sorted(chosen.tags_none)}
        yield "NOT tags && %(segment_tags_none)s::text[]", none


def _origin(chosen: Filter, today: date) -> Iterator[_Part]:
    if chosen.source:
        said = {"segment_source": chosen.source, "segment_source_begins": f"{chosen.source} "}
        yield _SOURCE, said
    since, before = joined_within(chosen, today)
    if since:
        yield "subscription.created_at >= %(segment_since)s", {"segment_since": since}
    if before:
        yield "subscription.created_at < %(segment_before)s", {"segment_before": before}


def _engagement(chosen: Filter, today: date) -> Iterator[_Part]:
    if chosen.engaged_within is not None:
        day = today - timedelta(days=chosen.engaged_within)
        yield "engaged_on >= %(segment_engaged)s", {"segment_engaged": day}
    if chosen.not_engaged_within is not None:
        day = today - timedelta(days=chosen.not_engaged_within)
        yield "coalesce(engaged_on < %(segment_silent)s, true)", {"segment_silent": day}


_COUNT = "SELECT count(*) AS matching FROM subscription WHERE {}"

#: In one pass: how many there are, and how many of them may be written to.
_COUNT_BOTH = f"""
SELECT count(*) AS matching,
       count(*) FILTER (WHERE {_STANDINGS[SubscriberState.MAILABLE].format(_LISTED)}) AS mailable
FROM subscription WHERE {{}}
"""

#: What the planner should know: the rows are in memory, and compiling a question that reads a table
#: once takes longer than it saves. A plan that does not know the numbers looks through all of them
#: for each row.
_QUICKLY = """
SET LOCAL random_page_cost = 1.1; SET LOCAL jit = off;
SET LOCAL plan_cache_mode = force_custom_plan
"""

_SAMPLE = """
SELECT subscription.id AS subscription_id, email, name, subscription.created_at AS joined,
       engaged_on
FROM subscription JOIN subscriber ON subscriber.id = subscription.subscriber_id
WHERE {} ORDER BY subscription.id DESC LIMIT %(limit)s
"""

# Who freezes second finds the first's members, and waits for them: a send has one list.
_ONE_BY_ONE = "SELECT pg_advisory_xact_lock(hashtextextended(%(send)s, 0))"
_FREEZE = """
INSERT INTO segment_member (send, subscription_id)
SELECT %(send)s, subscription.id FROM subscription
WHERE {} AND NOT EXISTS (SELECT FROM segment_member WHERE send = %(send)s)
ORDER BY subscription.id
"""
_MEMBERS = "SELECT count(*) AS members FROM segment_member WHERE send = %(send)s"

_SAVE = """
INSERT INTO segment (newsletter, name, filter, created_at, created_by)
VALUES (%(newsletter)s, %(name)s, %(filter)s, %(at)s, %(by)s)
ON CONFLICT (newsletter, name) DO UPDATE
SET filter = excluded.filter, created_at = excluded.created_at, created_by = excluded.created_by
WHERE %(replace)s
RETURNING name
"""


class PostgresSegments:
    """A `subscribers.segments.service.SegmentStore` in PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _read(self, query: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        with transaction(self._engine) as connection:
            return rows(connection, query, values)

    def save(self, segment: Segment, *, replace: bool) -> bool:
        """Keep a segment; False if there is one of this name and it is not to be replaced."""
        values = {
            "at": segment.at,
            "by": segment.by,
            "filter": Jsonb(filter_data(segment.filter)),
            "name": segment.name,
            "newsletter": segment.newsletter,
            "replace": replace,
        }
        return bool(self._read(_SAVE, values))

    def segments(self, newsletter: str) -> tuple[Segment, ...]:
        """Return the newsletter's segments by name."""
        query = "SELECT * FROM segment WHERE newsletter = %(newsletter)s ORDER BY name"
        return tuple(_segment(row) for row in self._read(query, {"newsletter": newsletter}))

    def delete(self, newsletter: str, name: str) -> None:
        """Forget a segment; who was in it at a send stays on record."""
        query = (
            "DELETE FROM segment WHERE newsletter = %(newsletter)s AND name = %(name)s "
            "RETURNING name"
        )
        self._read(query, {"newsletter": newsletter, "name": name})

    def count(self, newsletter: str, chosen: Filter, today: date) -> SegmentCount:
        """Count who is in it, and who of them may be written to."""
        sql, values = condition(newsletter, chosen, today, suppressed=_LISTED)
        query = _COUNT_BOTH if chosen.status in (None, SubscriberState.ACTIVE) else _COUNT
        with transaction(self._engine) as connection:
            connection.execute(_QUICKLY)
            [listed] = rows(connection, _LIST, {})
            [found] = rows(connection, query.format(sql), {**values, **listed})
        mailable = found["matching"] if chosen.status is SubscriberState.MAILABLE else 0
        return SegmentCount(**{"mailable": mailable, **found})

    def sample(
        self, newsletter: str, chosen: Filter, today: date, limit: int
    ) -> tuple[Member, ...]:
        """Return some who are in it, the latest subscriptions first."""
        sql, values = condition(newsletter, chosen, today)
        found = self._read(_SAMPLE.format(sql), {**values, "limit": limit})
        return tuple(Member(**row) for row in found)

    def freeze(self, newsletter: str, chosen: Filter, today: date, send: str) -> int:
        """Write down who is in it for a send, once; return how many."""
        sql, values = condition(newsletter, chosen, today)
        asked = {**values, "send": send}
        with transaction(self._engine) as connection:
            connection.execute(_ONE_BY_ONE, asked)
            connection.execute(_FREEZE.format(sql).encode(), asked)
            connection.execute("ANALYZE segment_member")  # a plan that reads it comes next
            return int(rows(connection, _MEMBERS, asked)[0]["members"])

    def release(self, send: str) -> None:
        """Forget who was written down for a send."""
        with transaction(self._engine) as connection:
            connection.execute("DELETE FROM segment_member WHERE send = %(send)s", {"send": send})


def _segment(row: Mapping[str, Any]) -> Segment:
    return Segment(
        newsletter=row["newsletter"],
        name=row["name"],
        filter=read_filter(row["filter"]),
        at=row["created_at"],
        by=row["created_by"],
    )
