"""Which process runs the schedule: whoever holds an advisory lock, on a connection of its own.

PostgreSQL gives the lock back by itself when the holder's connection ends, however it ends. The
connection must lead to PostgreSQL itself, not to a pooler that lends it out by transaction.
See docs/decisions/leadership-is-an-advisory-lock.md.
"""

import contextlib
import logging
import os
import threading
from typing import Any

import psycopg
from sqlalchemy import Engine

from newsletter.stores.database import connection_parts
from newsletter.stores.duties import LEADING, BoundedConnection

_LEADER = 7_341_127_002  #: the advisory lock, beside that of the migrations

#: A machine that vanishes without a word is noticed within seconds, from both ends.
_DETECT_LOSS: dict[str, Any] = {
    "keepalives_idle": 2,
    "tcp_user_timeout": 6_000,  #: milliseconds
    "options": "-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 "
    "-c tcp_user_timeout=6000",  #: also where an answer was under way when the machine vanished
}

_log = logging.getLogger(__name__)


class AdvisoryLeadership:
    """Makes one of several processes the leader, by an advisory lock."""

    def __init__(self, engine: Engine) -> None:
        name = f"newsletter clock {os.getpid()}"  #: as pg_stat_activity shows it
        self._parts = connection_parts(engine.url) | {"application_name": name} | _DETECT_LOSS
        self._connection: psycopg.Connection[Any] | None = None
        self._leads = False
        self._lock = threading.Lock()

    def held(self) -> bool:
        """Return whether this process leads now; it does from the moment no other one does."""
        with self._lock:
            try:
                self._leads = self._take()
            except psycopg.Error as error:  # the session is gone, and the lock with it
                if self._leads:
                    lost = type(error).__name__
                    _log.warning("this process no longer runs the schedule: %s", lost)
                self._disconnect()
            return self._leads

    def release(self) -> None:
        """Let another process lead, at once."""
        with self._lock:
            if self._connection and self._leads:
                with contextlib.suppress(psycopg.Error):  # whatever is wrong, the session ends now
                    self._connection.execute("SELECT pg_advisory_unlock(%s)", [_LEADER])
            self._disconnect()

    def _take(self) -> bool:
        if self._connection is None:
            self._connection = BoundedConnection.open(LEADING, self._parts)
            self._connection.autocommit = True
        if self._leads:  # a session that still answers still holds what it took
            self._connection.execute("SELECT 1")
            return True
        taken = self._connection.execute("SELECT pg_try_advisory_lock(%s)", [_LEADER]).fetchone()
        if leads := bool(taken and taken[0]):
            _log.info("this process runs the schedule now", extra={"action": "schedule.taken_over"})
        return leads

    def _disconnect(self) -> None:
        self._leads = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
