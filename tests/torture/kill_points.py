"""The points to kill at: each step of a send, seen from outside, and any time at all."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from newsletter.sandbox.server import Sandbox
from tests.torture.observer import Observer

_TIMEOUT = 4  #: seconds; a step that is not taken by then has been taken already
_START = 60  #: seconds; a busy machine takes some to start a process

#: A process of the service has begun.
_BEGUN = """
    SELECT EXISTS (SELECT 1 FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()
                      AND backend_type = 'client backend')
"""

#: A statement of some step is at work in this database.
_AT_WORK = """
    SELECT EXISTS (SELECT 1 FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()
                      AND state <> 'idle' AND query LIKE '%{}%')
"""
_PLANNED = """
    SELECT EXISTS (SELECT 1 FROM batch) AND NOT EXISTS (SELECT 1 FROM attempt)
"""
_CLAIMED = "SELECT EXISTS (SELECT 1 FROM batch WHERE state = 'claimed')"
_ACCEPTED = "SELECT count(*) FROM batch WHERE state = 'accepted'"
_STORED = "SELECT count(*) FROM delivery_event"


@dataclass(frozen=True)
class KillPoints:
    """Waits until a send has reached a certain step."""

    observer: Observer
    sandbox: Sandbox
    rng: random.Random

    def planning(self) -> bool:
        """In the middle of the plan's transaction."""
        return self._until(lambda: self._ask(_AT_WORK.format("INSERT INTO delivery (")))

    def planned(self) -> bool:
        """After the plan, before the first claim."""
        return self._until(lambda: self._ask(_PLANNED))

    def claimed(self) -> bool:
        """With a claim, as soon as it can be seen: its request is most likely not complete."""
        return self._until(lambda: self._ask(_CLAIMED))

    def accepted(self) -> bool:
        """With a request that was accepted, and whose answer never comes."""
        before = self._hung()
        self.sandbox.fail({"kind": "hang", "times": 1, "seconds": 5})
        return self._until(lambda: self._hung() > before, pause=0.01)

    def recorded(self) -> bool:
        """Just after an answer was recorded."""
        before = self._ask(_ACCEPTED)
        return self._until(lambda: self._ask(_ACCEPTED) > before)

    def events(self) -> bool:
        """With events posted and on their way into the database."""
        return self._until(lambda: self._ask(_AT_WORK.format("delivery_event")))

    def stored(self) -> bool:
        """Just after events were stored; the sandbox may not have got the answer."""
        before = self._ask(_STORED)
        return self._until(lambda: self._ask(_STORED) > before)

    def starting(self) -> bool:
        """While the process starts."""
        time.sleep(self.rng.uniform(0, 0.4))
        return True

    def any_time(self) -> bool:
        """At any instant."""
        time.sleep(self.rng.uniform(0.1, 1.5))
        return True

    def _begun(self) -> float:
        """Wait until a process of the service has begun; return when that was."""
        deadline = time.monotonic() + _START
        while not self._ask(_BEGUN) and time.monotonic() < deadline:
            time.sleep(0.001)
        return time.monotonic()

    def _ask(self, question: str) -> int:
        return self.observer.ask(question)

    def _hung(self) -> int:
        return self.sandbox.stats()["faults"].get("hang", 0)

    def _until(self, true: Callable[[], object], pause: float = 0.001) -> bool:
        deadline = self._begun() + _TIMEOUT
        while not true():
            if time.monotonic() > deadline:
                return False
            time.sleep(pause)
        time.sleep(self.rng.choice((0, 0, 0.002, 0.01)))
        return True


KILL_POINTS: tuple[Callable[[KillPoints], bool], ...] = (
    KillPoints.planning,
    KillPoints.planned,
    KillPoints.claimed,
    KillPoints.accepted,
    KillPoints.recorded,
    KillPoints.events,
    KillPoints.stored,
    KillPoints.starting,
    KillPoints.any_time,
)
