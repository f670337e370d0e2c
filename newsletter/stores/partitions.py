"""The partitions of what is written for each delivery: so many issues each, and made ahead of time.

See docs/decisions/partitions-of-32-issues.md.
"""

import logging
from typing import NamedTuple

from sqlmodel import Session

from newsletter.errors import PartitionMissing
from subscribers.db.transaction import DatabaseStore, autocommit, execute, scalar, transaction

_log = logging.getLogger(__name__)

ISSUES = 32  #: ids in one partition; a statement that names no issue locks every partition
_AHEAD = 8  #: issues that may come before the clock looks again

#: Each with the room that its pages leave: a delivery is updated in place several times.
_PARTITIONED = {"delivery": 80, "delivery_event": 100, "story_click": 100}

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7341127002)"

_HIGHEST = "SELECT COALESCE(max(id), 1) FROM issue"

#: Not by `to_regclass`: it may not see yet what another process has just made.
_IS_ATTACHED = """
    SELECT EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
                    WHERE inhparent = CAST(%(table)s AS regclass)
                      AND relname = %(partition)s AND NOT inhdetachpending)
"""

#: In these steps it waits for nobody who reads or writes; `PARTITION OF` would.
_MAKE = """
    CREATE TABLE {partition} (LIKE {table} INCLUDING ALL) WITH (fillfactor = {fillfactor});
    ALTER TABLE {partition} ADD CONSTRAINT issues CHECK (issue_id >= {first} AND issue_id < {end});
    ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({first}) TO ({end});
    ALTER TABLE {partition} DROP CONSTRAINT issues
"""


class IssueRange(NamedTuple):
    """The issues whose deliveries are in one partition."""

    first: int
    end: int  #: the first that is not

    def partition(self, table: str) -> str:
        return f"{table}_{self.first}"


def range_of(issue_id: int) -> IssueRange:
    """Return the range that an issue is in; no issue has the number 0.

    >>> range_of(1), range_of(32)
    (IssueRange(first=1, end=32), IssueRange(first=32, end=64))
    """
    start = issue_id - issue_id % ISSUES
    return IssueRange(max(start, 1), start + ISSUES)


def require_partition(session: Session, issue_id: int) -> None:
    """Raise PartitionMissing if the deliveries of an issue could not be stored."""
    if not _has(session, range_of(issue_id)):
        raise PartitionMissing(issue_id)


class PartitionStore(DatabaseStore):
    """Makes partitions before they are needed."""

    def prepare(self) -> None:
        """Make what the latest issue and the next ones need; harmless to repeat."""
        with transaction(self._engine) as session:
            highest: int = scalar(session, _HIGHEST)
        self.prepare_for(highest)
        self.prepare_for(highest + _AHEAD)

    def prepare_for(self, issue_id: int) -> None:
        """Make what an issue needs, in a transaction of its own; of two at once, one does."""
        needed = range_of(issue_id)
        with transaction(self._engine) as session:
            if _has(session, needed):
                return
            execute(session, _ONE_AT_A_TIME)
            if not _has(session, needed):
                _make(session, needed)

    def analyze(self, issue_id: int) -> None:
        """Tell the planner what a plan has filled; without that it joins whole tables."""
        partition = range_of(issue_id).partition("delivery")
        with autocommit(self._engine) as connection:
            execute(connection, f"ANALYZE {partition}")
            execute(connection, "ANALYZE batch")


def _has(session: Session, needed: IssueRange) -> bool:
    return all(
        scalar(session, _IS_ATTACHED, {"table": table, "partition": needed.partition(table)})
        for table in _PARTITIONED
    )


def _make(session: Session, needed: IssueRange) -> None:
    for table, fillfactor in _PARTITIONED.items():
        names = {"table": table, "partition": needed.partition(table), "fillfactor": fillfactor}
        execute(session, _MAKE.format(**names, **needed._asdict()))
    extra = {"action": "partitions.made", "first": needed.first, "end": needed.end}
    _log.info("partitions for the issues to come", extra=extra)
