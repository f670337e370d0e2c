"""One send, on machines that lose each other in every way."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.cluster.cluster import LEASE, Cluster
from tests.cluster.network import Machine
from tests.cluster.processes import Processes
from tests.torture.counting import count
from tests.torture.observer import Observer
from tests.torture.plans import Result
from tests.torture.rounds import await_end

_SERVE, _WORKER, _CLOCK = ("serve",), ("worker",), ("scheduler",)
_HANG = {"kind": "hang", "share": 1, "seconds": 30, "accept": False}
#: Who holds the scheduler's lock, by its session's address.
_LEADER = """
    SELECT host(client_addr) FROM pg_stat_activity JOIN pg_locks USING (pid)
     WHERE application_name LIKE 'newsletter clock%' AND locktype = 'advisory' AND granted
"""
_STOPPED = "no longer runs the schedule"
_ACCEPTED = "SELECT count(*) FROM batch WHERE state = 'accepted'"
_CLAIMED = "SELECT count(*) FROM batch WHERE state = 'claimed'"
_PLANNED = "SELECT count(*) FROM batch WHERE state = 'planned'"
#: As waves of reader time: something is left to send at every cut.
_SPREAD = """
    UPDATE batch SET not_before = now() + wave.seconds * interval '1 s'
      FROM (SELECT id, 120 * row_number() OVER (ORDER BY id) / count(*) OVER () AS seconds
              FROM batch WHERE state = 'planned') AS wave
     WHERE batch.id = wave.id AND state = 'planned'
"""
#: Some that wait go now: the workers have their hands full, or it is the end.
_GATHER = """
    WITH gone AS (
        UPDATE batch SET not_before = NULL
         WHERE id IN (SELECT id FROM batch WHERE state = 'planned' AND not_before > now()
                       ORDER BY id LIMIT {})
        RETURNING id)
    UPDATE procrastinate_jobs SET scheduled_at = NULL
     WHERE status = 'todo' AND CAST(args -> 'batch_ids' -> 0 AS bigint) IN (SELECT id FROM gone)
"""


@dataclass
class Journey:
    """A send in a cluster; `done` says what happened to it, and how long that took."""

    cluster: Cluster
    url: str
    away: float  #: seconds for which a cable is cut
    done: dict[str, str] = field(default_factory=dict)
    result: Result = field(default_factory=lambda: Result(name="cluster"))

    def __post_init__(self) -> None:
        c = self.cluster
        lines = [(c.first, _SERVE), (c.second, _WORKER), (c.third, _WORKER), (c.third, _CLOCK)]
        self.processes = Processes(lines, c.environ(self.url), c.folder)

    def run(self) -> Result:
        """Send one issue through all of it; count."""
        started = time.monotonic()
        try:
            with closing(Observer(self.url)) as observer:
                self._observer = observer
                self._start()
                self._cut_worker()
                self._kill_worker()
                self._cut_clock()
                self._cut_database()
                self._await_end()
            if any(codes := self.processes.end()):
                self.result.wrong.append(f"asked to end, the processes ended with {codes}")
            self.result.deaths = self.processes.deaths
            count(self.cluster, self.url, (), self.result)
        finally:
            self.processes.kill_all()
        self.result.seconds = time.monotonic() - started
        return self.result

    def _start(self) -> None:
        c = self.cluster
        c.third.narrow(1280)  # what IPv6 and many tunnels carry
        self.done["a narrow cable"] = "1,280 bytes to the third machine"
        slow = "40 ms" if c.second.delay(40) else "NOT TRIED: this kernel has no sch_netem"
        self.done["a slow cable"] = slow
        self.processes.ensure(c.first, _SERVE)
        self._await("the first leads", lambda: c.is_served() and self._leads(c.first))
        self.processes.ensure_running()
        sender = self.processes.start(("issue", "send", "--date", str(c.on)))
        self._await("batches are accepted", lambda: self._ask(_ACCEPTED) > 0)
        self._execute(_SPREAD)
        sender.terminate()  # it would stay, as a worker more
        sender.join()

    def _cut_worker(self) -> None:
        """Cut a worker off while every request hangs; the others go on with its batches."""
        with self._in_mid_request(), self._cut(self.cluster.second, "a worker in mid-request"):
            time.sleep(LEASE)  # its own limit of a request passes, too
        self._await_progress("batches after a worker was cut off")

    def _kill_worker(self) -> None:
        with self._in_mid_request():
            self.processes.kill(self.cluster.third, _WORKER)
        self.result.kills += 1
        self.processes.ensure_running()
        self._await_progress("batches after a worker was killed")

    def _cut_clock(self) -> None:
        """Cut the leader off: the standby takes over, and the former one stops by itself."""
        c, log = self.cluster, self.processes.log(self.cluster.first)
        with self._cut(c.first, "the machine of pages and clock"):
            self._await("the standby leads", lambda: self._leads(c.third))
            self._await("the first stops leading", lambda: _STOPPED in log.read_text())
            assert self.processes.is_alive(c.first, _SERVE)
        self._await("the first machine serves again", c.is_served)
        assert self.processes.is_alive(c.first, _SERVE)
        self._await_progress("batches after the clock was cut off")

    def _cut_database(self) -> None:
        with self._cut(self.cluster.database, "PostgreSQL"):
            pass
        self._await_progress("batches after PostgreSQL was cut off")
        self._await("pages are served again", self.cluster.is_served)

    def _await_end(self) -> None:
        self._execute(_GATHER.format("ALL"))
        began = time.monotonic()
        await_end(self.cluster, self.url, self._observer, self.processes, self.result)
        self.done["the end"] = f"{time.monotonic() - began:.1f} s after the last cut"

    @contextmanager
    def _in_mid_request(self) -> Iterator[None]:
        self.cluster.sandbox.fail(_HANG)
        self._execute(_GATHER.format(15))
        self._await("every worker waits for an answer", lambda: self._ask(_CLAIMED) > 4)
        yield
        self.cluster.sandbox.fail()

    @contextmanager
    def _cut(self, machine: Machine, name: str) -> Iterator[None]:
        assert self._ask(_PLANNED), f"the send was over before {name} was cut off"
        machine.cut()
        began = time.monotonic()
        yield
        time.sleep(max(0.0, self.away - (time.monotonic() - began)))
        machine.mend()
        self.done[f"cut off: {name}"] = f"{time.monotonic() - began:.1f} s"

    def _await_progress(self, what: str) -> None:
        before = self._ask(_ACCEPTED)
        self._await(what, lambda: self._ask(_ACCEPTED) > before)

    def _await(self, what: str, true: Callable[[], bool]) -> None:
        """Wait until something is true; keep how long that took."""
        began = time.monotonic()
        while not true():
            assert time.monotonic() < began + 60, f"in vain: {what}"
            time.sleep(0.1)
        self.done[what] = f"{time.monotonic() - began:.1f} s"

    def _leads(self, machine: Machine) -> bool:
        return self._ask(_LEADER) == machine.address

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement)

    def _ask(self, question: str) -> Any:
        return self._observer.ask(question)
