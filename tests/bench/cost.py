"""What work costs a database besides time: its processors, bytes of WAL, and pages looked at."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any

import psutil
import psycopg

from tests.bench.installation import Installation
from tests.bench.measure import stopwatch

_PLACE = "SELECT pg_current_wal_insert_lsn()"
_WRITTEN = "SELECT (pg_current_wal_insert_lsn() - %s::pg_lsn)::float8"
_LOOKED_AT = "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = %s"
_CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
_VACUUMING = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'"
_SIZE = "SELECT sum(pg_total_relation_size(oid))::float8 FROM pg_class WHERE {}"


@dataclass
class Cost:
    """What a block cost."""

    seconds: float = 0.0
    cpu: float = 0.0  #: seconds of all processes of the server
    wal: float = 0.0  #: bytes, the images of pages that were changed first after a checkpoint too
    pages: float = 0.0  #: of shared memory that were looked at
    disk: float = 0.0  #: bytes by which the tables that are asked about grew

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*map(sum, zip(astuple(self), astuple(other), strict=True)))


@contextmanager
def cost_of(installation: Installation, database: str) -> Iterator[Cost]:
    """Measure a block that has ended its connections when it ends: then all pages are counted."""
    cost = Cost()
    with psycopg.connect(installation.server, autocommit=True) as asking:
        asking.execute("CHECKPOINT")
        place, before = _ask(asking, _PLACE), _ask(asking, _LOOKED_AT, database)
        worked = _server_cpu(installation)
        with stopwatch() as working:
            yield cost
        cost.seconds = working.seconds
        cost.wal = _ask(asking, _WRITTEN, place)
        while _ask(asking, _CONNECTED, database):
            time.sleep(0.01)
        cost.cpu = _server_cpu(installation) - worked
        cost.pages = _ask(asking, _LOOKED_AT, database) - before


@contextmanager
def without_autovacuum(installation: Installation) -> Iterator[None]:
    """Measure nothing that the server does by itself: WAL is of all its databases together."""
    with psycopg.connect(installation.server, autocommit=True) as asking:
        _tell(asking, "ALTER SYSTEM SET autovacuum = off")
        while _ask(asking, _VACUUMING):
            time.sleep(0.1)
        yield
        _tell(asking, "ALTER SYSTEM RESET autovacuum")


def vacuum(installation: Installation, database: str, *, tables: str = "") -> None:
    """Do what the server else does by itself, for these tables or for all."""
    with psycopg.connect(installation.url(database), autocommit=True) as asking:
        asking.execute(f"VACUUM {tables or '(ANALYZE)'}".encode())


def disk_bytes(installation: Installation, database: str, *tables: str) -> float:
    """Return the bytes that tables, their partitions and their indexes take."""
    names = " OR ".join(f"relname = '{one}' OR relname ~ '^{one}_[0-9]'" for one in tables)
    with psycopg.connect(installation.url(database)) as asking:
        return _ask(asking, _SIZE.format(f"relkind = 'r' AND ({names})"))


def _server_cpu(installation: Installation) -> float:
    """Return the seconds that the server's processes have worked, those that ended too."""
    file = installation.folder / "postgres" / "postmaster.pid"
    server = psutil.Process(int(file.read_text().split()[0]))
    while True:
        try:
            return sum(sum(one.cpu_times()[:4]) for one in (server, *server.children()))
        except psutil.NoSuchProcess:  # it ended meanwhile: then the server has its time
            continue


def _tell(connection: psycopg.Connection[Any], order: str) -> None:
    connection.execute(order.encode())
    connection.execute("SELECT pg_reload_conf()")


def _ask(connection: psycopg.Connection[Any], question: str, *values: Any) -> Any:
    [answer] = connection.execute(question.encode(), values).fetchone() or (None,)
    return answer
