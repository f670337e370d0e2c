"""What work costs a database besides time: bytes of WAL, and pages looked at."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.bench.installation import Installation
from tests.bench.measure import stopwatch

_PLACE = "SELECT pg_current_wal_insert_lsn()"
_WRITTEN = "SELECT (pg_current_wal_insert_lsn() - %s::pg_lsn)::float8"
_LOOKED_AT = "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = %s"
_CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
_SIZE = "SELECT sum(pg_total_relation_size(oid))::float8 FROM pg_class WHERE {}"


@dataclass
class Cost:
    """What a block cost."""

    seconds: float = 0.0
    wal: float = 0.0  #: bytes, the images of pages that were changed first after a checkpoint too
    pages: float = 0.0  #: of shared memory that were looked at
    disk: float = 0.0  #: bytes by which the tables that are asked about grew


@contextmanager
def cost_of(installation: Installation, database: str) -> Iterator[Cost]:
    """Measure a block that has ended its connections when it ends: then all pages are counted."""
    cost = Cost()
    with psycopg.connect(installation.server, autocommit=True) as asking:
        asking.execute("CHECKPOINT")
        place, before = _ask(asking, _PLACE), _ask(asking, _LOOKED_AT, database)
        with stopwatch() as working:
            yield cost
        cost.seconds = working.seconds
        cost.wal = _ask(asking, _WRITTEN, place)
        while _ask(asking, _CONNECTED, database):
            time.sleep(0.01)
        cost.pages = _ask(asking, _LOOKED_AT, database) - before


def disk_bytes(installation: Installation, database: str, *tables: str) -> float:
    """Return the bytes that tables, their partitions and their indexes take."""
    names = " OR ".join(f"relname = '{one}' OR relname ~ '^{one}_[0-9]'" for one in tables)
    with psycopg.connect(installation.url(database)) as asking:
        return _ask(asking, _SIZE.format(f"relkind = 'r' AND ({names})"))


def _ask(connection: psycopg.Connection[Any], question: str, *values: Any) -> Any:
    [answer] = connection.execute(question.encode(), values).fetchone() or (None,)
    return answer
