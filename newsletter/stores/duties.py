"""What connections are for: how many there are, and how long each may wait.

Each duty has connections of its own, so that none takes another's. A reader waits for an answer, so
what serves them waits briefly; what sends, imports and migrates has nobody waiting, and an answer
of SendGrid's must be recorded however long that takes. See docs/decisions/one-lock-stops-nobody.md.
"""

from dataclasses import dataclass
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")

_ACTIVE = psycopg.pq.TransactionStatus.ACTIVE

#: Ends a connection whose other end vanished without a word, within about ten seconds.
LOSS_IS_NOTICED: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  #: milliseconds
}


#: The same at the server's end: it lets go of what a vanished machine holds locked. Without the
#: last, an answer that was under way would be sent again for a quarter of an hour.
_LOSS_IS_NOTICED_THERE = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
}

_SET = "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) _ (name, value)"


@dataclass(frozen=True, kw_only=True)
class Duty:
    """What connections are for."""

    name: str
    connections: int
    wait: float  #: seconds for one of these connections
    locks: float = 0  #: seconds for a lock; 0: as long as it takes
    statement: float = 0  #: seconds for a statement; 0: as long as it takes
    idle: float  #: seconds that a transaction may do nothing
    answer: float  #: seconds until a server that says nothing at all is given up

    @property
    def settings(self) -> dict[str, str]:
        """Return what is set on the server when a connection begins."""
        limits = {
            "lock_timeout": self.locks,
            "statement_timeout": self.statement,
            "idle_in_transaction_session_timeout": self.idle,
        }
        return {name: str(int(value * 1000)) for name, value in limits.items()}


#: A mail program posts many at once: whoever is held by somebody goes to the table of the pending.
UNSUBSCRIBING = Duty(
    name="unsubscribe", connections=6, wait=5, locks=0.1, statement=2, idle=5, answer=4
)
#: SendGrid waits some seconds, and posts again what was not taken.
EVENTS = Duty(name="webhook", connections=4, wait=5, locks=3, statement=20, idle=10, answer=25)
#: A person looks at a page that does not come.
PAGES = Duty(name="pages", connections=8, wait=3, locks=1, statement=10, idle=10, answer=12)
#: So does a member of staff; a count over a large list takes its time.
CONSOLE = Duty(name="console", connections=6, wait=3, locks=1, statement=10, idle=10, answer=12)
#: A program of somebody's waits, and may hand over hundreds of briefs in one request.
API = Duty(name="api", connections=4, wait=3, locks=1, statement=10, idle=10, answer=12)
#: A load balancer gives up after some seconds.
CHECKING = Duty(name="checks", connections=2, wait=1, locks=0.5, statement=1, idle=5, answer=1.5)
#: The clock, workers, commands, imports and migrations: nobody waits, and some of it takes minutes.
WORK = Duty(name="work", connections=10, wait=60, idle=15 * 60, answer=30 * 60)

#: Who runs the clock is asked every two seconds.
LEADING = Duty(name="clock", connections=1, wait=5, statement=5, idle=60, answer=6)

#: What only a process with the web server has, besides the work.
OF_THE_WEB = (UNSUBSCRIBING, EVENTS, PAGES, CONSOLE, API, CHECKING)


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is given up when the server says nothing for too long.

    The server's own limits do not help when it, or what stands before it, hangs.
    """

    answer: float | None = None  #: seconds

    @classmethod
    def open(cls, duty: Duty, parts: dict[str, Any]) -> Self:
        """Connect with the limits of a duty.

        They are set by a statement: PgBouncer refuses them as options of the connection, or, if it
        is configured to ignore those, drops them without a word.
        """
        given: dict[str, Any] = {"application_name": f"newsletter {duty.name}"} | parts
        connection = cls.connect(**given)
        connection.answer = duty.answer
        try:
            connection.set_for_session(duty.settings | _LOSS_IS_NOTICED_THERE)
        except BaseException:
            connection.close()
            raise
        return connection

    def set_for_session(self, values: dict[str, str]) -> None:
        """Set this for the whole session: what a transaction sets may be rolled back."""
        before, self.autocommit = self.autocommit, True
        self.execute(_SET, (list(values), list(values.values())))
        self.autocommit = before

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the server; raise OperationalError, with the connection closed, if in vain."""
        limit = self.answer if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError as error:
            if error.sqlstate is None and self.pgconn.transaction_status == _ACTIVE:
                self.pgconn.finish()  # whatever it says later is no answer to what is asked next
            raise
