"""Segments of a newsletter's list: save, count, and freeze whom an issue is for.

No index serves them. Reading the narrow table once, with parallel workers, takes a tenth of a
second for a million rows, whatever the filter; an index on each column would cost every import and
every event more than it saves here. Who is suppressed is looked up first, the list being short, and
passed as a parameter: a row is then tested against a table of numbers, and joined with nothing.
"""

import re
import zoneinfo
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Engine, delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from subscribers.db.record_tables import SegmentMemberRow, SegmentRow
from subscribers.db.transaction import execute, rows, scalar, transaction
from subscribers.errors import InvalidSegment, NoSuchSegment
from subscribers.segments.condition import STATES, condition
from subscribers.segments.filter_reader import filter_data, read_filter
from subscribers.segments.filters import Filter, SubscriberState
from subscribers.segments.known_issues import refuse_unknown

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")

_SUPPRESSED_IDS = """
SELECT coalesce(array_agg(subscriber.id)::text, '{}')
FROM suppression JOIN subscriber USING (email_key)
"""
_IS_SUPPRESSED = "(subscription.subscriber_id = ANY(%(suppressed_ids)s::bigint[]))"
_IS_MAILABLE = STATES[SubscriberState.MAILABLE].format(_IS_SUPPRESSED)

# What the planner should know: the rows are in memory, and compiling a statement that reads a table
# once takes longer than it saves. A plan that does not know the numbers looks through all of them
# for each row.
_QUICKLY = """
SET LOCAL random_page_cost = 1.1; SET LOCAL jit = off;
SET LOCAL plan_cache_mode = force_custom_plan
"""

# Who freezes second waits for the first and finds its members: a send has one list.
_ONE_BY_ONE = "SELECT pg_advisory_xact_lock(hashtextextended(%(send)s, 0))"
_FROZEN = "SELECT count(*) FROM segment_member WHERE send = %(send)s"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A filter with a name."""

    newsletter: str
    name: str
    filter: Filter
    at: datetime  #: when it was saved
    by: str


@dataclass(frozen=True, kw_only=True)
class SegmentCount:
    """How many subscriptions a filter matches."""

    matching: int
    mailable: int  #: of these, how many may be written to


@dataclass(frozen=True, kw_only=True)
class Member:
    """A subscription that a filter matches."""

    subscription_id: int
    email: str
    name: str
    joined: datetime
    engaged_on: date | None


class Segments:
    """Saves filters over a newsletter's subscriptions, and applies them. Days are those of UTC."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(
        self, newsletter: str, given: Mapping[str, Any], known_topics: Collection[str]
    ) -> Filter:
        """Read a filter somebody typed; raise InvalidSegment, which names what is wrong."""
        known_zones = zoneinfo.available_timezones()
        found = read_filter(given, known_topics=known_topics, known_zones=known_zones)
        with transaction(self._engine) as session:
            refuse_unknown(session, newsletter, found)
        return found

    def save(
        self,
        newsletter: str,
        name: str,
        chosen: Filter,
        *,
        by: str,
        now: datetime,
        replace: bool = False,
    ) -> Segment:
        """Save a filter under a name; raise InvalidSegment where another has it already."""
        if not _NAME.fullmatch(name):
            raise InvalidSegment(
                f"{name!r} is no name for a segment: small letters, digits and hyphens, at most 50"
            )
        if chosen == Filter():
            raise InvalidSegment("the filter says nothing: everybody would be in the segment")
        given = {"filter": filter_data(chosen), "created_at": now, "created_by": by}
        saved = insert(SegmentRow).values(newsletter=newsletter, name=name, **given)
        if replace:
            saved = saved.on_conflict_do_update(index_elements=["newsletter", "name"], set_=given)
        else:
            saved = saved.on_conflict_do_nothing()
        with transaction(self._engine) as session:
            if session.scalars(saved.returning(col(SegmentRow.name))).first() is None:
                raise InvalidSegment(
                    f"there is a segment {name} already; --replace it, or name another"
                )
        return Segment(newsletter=newsletter, name=name, filter=chosen, at=now, by=by)

    def all(self, newsletter: str) -> tuple[Segment, ...]:
        row = SegmentRow
        found = select(row).where(row.newsletter == newsletter).order_by(row.name)
        with transaction(self._engine) as session:
            return tuple(
                Segment(
                    newsletter=newsletter,
                    name=row.name,
                    filter=read_filter(row.filter),
                    at=row.created_at,
                    by=row.created_by,
                )
                for row in session.exec(found)
            )

    def get(self, newsletter: str, name: str) -> Segment:
        """Return the segment of this name; NoSuchSegment names those there are."""
        there = {one.name: one for one in self.all(newsletter)}
        if name not in there:
            raise NoSuchSegment(
                f"{newsletter} has no segment {name!r}; there is: {', '.join(there) or 'none yet'}"
            )
        return there[name]

    def delete(self, newsletter: str, name: str) -> Segment:
        """Delete a segment, and return it; raise NoSuchSegment."""
        segment, row = self.get(newsletter, name), SegmentRow
        named = delete(row).where(col(row.newsletter) == newsletter, col(row.name) == name)
        with transaction(self._engine) as session:
            session.exec(named)
        return segment

    def count(self, newsletter: str, chosen: Filter, *, now: datetime) -> SegmentCount:
        """Count who is in it, and who of them may be written to, in one pass."""
        where = condition(newsletter, chosen, _today(now), suppressed=_IS_SUPPRESSED)
        statement = (
            f"SELECT count(*) AS matching, count(*) FILTER (WHERE {_IS_MAILABLE}) AS mailable"
            f" FROM subscription WHERE {where.sql}"
        )
        with transaction(self._engine) as session:
            execute(session, _QUICKLY)
            suppressed = scalar(session, _SUPPRESSED_IDS)
            [found] = rows(session, statement, {**where.values, "suppressed_ids": suppressed})
        return SegmentCount(**found)

    def sample(
        self, newsletter: str, chosen: Filter, *, now: datetime, limit: int = 10
    ) -> tuple[Member, ...]:
        """Return some who are in it, the latest subscriptions first."""
        where = condition(newsletter, chosen, _today(now))
        statement = f"""
            SELECT subscription.id AS subscription_id, email, name,
                   subscription.created_at AS joined, engaged_on
            FROM subscription JOIN subscriber ON subscriber.id = subscription.subscriber_id
            WHERE {where.sql} ORDER BY subscription.id DESC LIMIT %(limit)s
        """
        with transaction(self._engine) as session:
            found = rows(session, statement, {**where.values, "limit": limit})
        return tuple(Member(**row) for row in found)

    def freeze(self, newsletter: str, name: str, send: str, *, now: datetime) -> int:
        """Store who is in a segment for a send, once; return how many.

        Whoever comes or changes afterwards is for the next send. Raises NoSuchSegment.
        See docs/decisions/a-segment-is-frozen-for-its-send.md.
        """
        where = condition(newsletter, self.get(newsletter, name).filter, _today(now))
        values = {**where.values, "send": send}
        statement = f"""
            INSERT INTO segment_member (send, subscription_id)
            SELECT %(send)s, subscription.id FROM subscription
            WHERE {where.sql} AND NOT EXISTS (SELECT FROM segment_member WHERE send = %(send)s)
            ORDER BY subscription.id
        """
        with transaction(self._engine) as session:
            execute(session, _ONE_BY_ONE, values)
            execute(session, statement, values)
            execute(session, "ANALYZE segment_member")  # a plan that reads it comes next
            return int(scalar(session, _FROZEN, values))

    def release(self, send: str) -> None:
        """Delete the list of a send, once it is planned."""
        members = delete(SegmentMemberRow).where(col(SegmentMemberRow.send) == send)
        with transaction(self._engine) as session:
            session.exec(members)


def _today(now: datetime) -> date:
    return now.astimezone(UTC).date()
