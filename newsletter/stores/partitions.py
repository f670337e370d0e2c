"""The partitions of what is written for each delivery: so many issues each, and made ahead of time.

See docs/decisions/partitions-of-32-issues.md.
"""

import logging
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection
from sqlmodel import Session

from newsletter.errors import PartitionMissing
from subscribers.db.transaction import DatabaseStore, autocommit, execute, rows, scalar, transaction
from subscribers.errors import DatabaseBusy

_log = logging.getLogger(__name__)

#: What the class of such a table's rows says.
BY_ISSUE = {"postgresql_partition_by": "RANGE (issue_id)"}

ISSUES = 32  #: ids in one partition; a statement that names no issue locks every partition
_AHEAD = 8  #: issues that may come before the clock looks again

#: Each with the room that its pages leave: a delivery is updated in place several times. The events
#: are the last to come and the first to go: while theirs is there, so are the others.
_PARTITIONED = {"delivery": 80, "story_click": 100, "delivery_event": 100}

#: Beside the locks of the migrations and of the leader, which is held as long as it leads.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7341127003)"

#: Nobody who reads or writes is waited for, but for those who began before.
_DETACH = "ALTER TABLE {table} DETACH PARTITION {partition} CONCURRENTLY"
_FINISH = "ALTER TABLE {table} DETACH PARTITION {partition} FINALIZE"

#: True of one whose detaching was broken off.
_ATTACHED = """
    SELECT relname AS partition, inhdetachpending AS pending
      FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = CAST(%(table)s AS regclass)
"""

_DETACHED = """
    SELECT relname AS partition FROM pg_class
     WHERE relkind = 'r' AND relname ~ ('^' || %(table)s || '_[0-9]+$')
       AND relnamespace = (SELECT relnamespace FROM pg_class
                            WHERE oid = CAST(%(table)s AS regclass))
       AND NOT EXISTS (SELECT FROM pg_inherits
                        WHERE inhrelid = pg_class.oid AND NOT inhdetachpending)
     ORDER BY 1
"""

#: Issues that were never planned have nothing in it, and one that is planned later gets it anew.
_CONTENTS = """
    SELECT array_agg(id) AS ids, min(id) FILTER (WHERE state IN ('sending', 'paused')) AS open,
           max(planned_at) AS latest
      FROM issue WHERE id >= %(first)s AND id < %(end)s AND planned_at IS NOT NULL
"""

_FORGET_SOFT_BOUNCES = "DELETE FROM soft_bounce WHERE issue_id >= %(first)s AND issue_id < %(end)s"

#: Of a tenth of the usual sample: each of its rows stands on another page of a partition of many
#: issues, and how many rows an issue has is all that has to be known. It is one transaction.
_ANALYZE = "SET LOCAL default_statistics_target = 10; ANALYZE {partition}; ANALYZE batch"

#: Whoever reads a row first marks it as committed, and the first mark on a page since a checkpoint
#: writes all of it to the log, 80 bytes a letter. Now their pages are in the log. Of a large
#: partition ANALYZE reads a few pages only.
_READ = """
    SELECT max(state) FROM {partition} WHERE issue_id = {issue};
    SELECT count(brief_ids) FROM edition WHERE issue_id = {issue}
"""

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


def detached(session: Session, table: str) -> list[str]:
    """Return partitions that are no longer read, and not dropped yet."""
    return [row["partition"] for row in rows(session, _DETACHED, {"table": table})]


def on_partition(statement: str, table: str, partition: str) -> str:
    """Return a statement about a partitioned table as one about a single partition.

    >>> on_partition("DELETE FROM delivery WHERE delivery.place = 1", "delivery", "delivery_32")
    'DELETE FROM delivery_32 WHERE delivery_32.place = 1'
    """
    return re.sub(rf"\b{table}\b", partition, statement)


def with_partition(session: Session, table: str, issue_ids: Collection[int]) -> frozenset[int]:
    """Return those of these issues of which rows can be stored in a table."""
    found = rows(session, _ATTACHED, {"table": table}) if issue_ids else ()
    attached = {row["partition"] for row in found if not row["pending"]}
    return frozenset(one for one in issue_ids if range_of(one).partition(table) in attached)


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

    def old(self, before: datetime) -> tuple[tuple[IssueRange, tuple[int, ...]], ...]:
        """Return ranges of which every issue was planned before a moment and is at its end.

        With each come its issues that were planned. The range of the latest issue is in use.
        """
        with transaction(self._engine) as session:
            highest: int = scalar(session, _HIGHEST)
            ranges = sorted(
                range_of(int(row["partition"].rpartition("_")[2]))
                for row in rows(session, _ATTACHED, {"table": "delivery"})
            )
            found = {
                one: rows(session, _CONTENTS, one._asdict())[0]
                for one in ranges
                if one.end <= highest
            }
        return tuple(
            (one, tuple(row["ids"] or ()))
            for one, row in found.items()
            if row["open"] is None and (row["latest"] is None or row["latest"] < before)
        )

    def drop(self, old: IssueRange) -> None:
        """Drop what is stored of these issues' deliveries; the deliveries themselves last."""
        with autocommit(self._engine) as connection:
            for table in reversed(_PARTITIONED):
                if table == "delivery":  # while it is there, whoever is broken off begins again
                    execute(connection, _FORGET_SOFT_BOUNCES, old._asdict())
                _drop(connection, table, old.partition(table))
        extra = {"action": "partitions.dropped", "first": old.first, "end": old.end}
        _log.info("the letters of old issues were let go", extra=extra)

    def finish_drops(self) -> None:
        """Drop what a run that was broken off has left; harmless to repeat."""
        with transaction(self._engine) as session:
            left = [(table, name) for table in _PARTITIONED for name in detached(session, table)]
        with autocommit(self._engine) as connection:
            for table, name in reversed(left):
                _drop(connection, table, name)

    def analyze(self, issue_id: int) -> None:
        """Tell the planner what a plan has filled; without that it joins whole tables.

        Its pages are read, too, which is cheapest now. Where something is in its way for too long,
        sending goes on all the same.
        """
        partition = range_of(issue_id).partition("delivery")
        try:
            with autocommit(self._engine) as connection:
                execute(connection, _ANALYZE.format(partition=partition))
                execute(connection, _READ.format(partition=partition, issue=issue_id))
        except DatabaseBusy:
            _log.warning("the planner knows nothing yet of %s", partition)


def _drop(connection: Connection[Any], table: str, partition: str) -> None:
    attached = {
        row["partition"]: row["pending"] for row in rows(connection, _ATTACHED, {"table": table})
    }
    if partition in attached:
        detach = _FINISH if attached[partition] else _DETACH
        execute(connection, detach.format(table=table, partition=partition))
    _drop_table(connection, partition)


def _drop_table(connection: Connection[Any], partition: str) -> None:
    execute(connection, f"DROP TABLE IF EXISTS {partition}")


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
