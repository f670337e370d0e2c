"""The service's own processes, killed without warning and started again, as a supervisor would.

They are forked from a server that has imported everything already: a start takes a point, and
hundreds of kills are affordable. From there on they are what `newsletter VERB` is.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.torture.moved_clock import CLOCK, move_clock

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.torture.preloaded", "tests.torture.processes"])


def _run(line: Sequence[str], environ: dict[str, str], log: Path) -> None:
    with Path(os.devnull).open("wb") as nowhere, log.open("ab") as output:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.update(environ)
    from newsletter.cli import main

    hurry()
    if CLOCK in environ:
        move_clock(Path(environ[CLOCK]))
    sys.argv = ["newsletter", *line]
    main()


def hurry() -> None:
    """Let this process look for what a dead worker left as often as workers die here."""
    from newsletter import scheduler
    from newsletter.container import schedule

    # They are still called so.
    assert scheduler._RECOVER_SECONDS > 1 < schedule._EMAIL_LOGS_SECONDS
    scheduler._RECOVER_SECONDS = 1
    schedule._EMAIL_LOGS_SECONDS = 1


def start(line: Sequence[str], environ: dict[str, str], log: Path) -> BaseProcess:
    """Start `newsletter LINE`, which writes its errors to the log."""
    process = _context.Process(target=_run, args=(line, environ, log))
    process.start()
    return process


class Fleet:
    """Starts processes, and again those that ended by themselves."""

    def __init__(
        self, lines: Sequence[tuple[str, ...]], environ: dict[str, str], log: Path
    ) -> None:
        self._lines, self._environ, self._log = lines, environ, log
        self._running: dict[tuple[str, ...], BaseProcess] = {}
        self.deaths = 0  #: processes that ended by themselves, in error

    def ensure_running(self) -> None:
        """Start the processes that do not run."""
        for line in self._lines:
            process = self._running.get(line)
            if process is None or not process.is_alive():
                self.deaths += process is not None
                self._running[line] = self.start(line)

    def start(self, line: tuple[str, ...]) -> BaseProcess:
        """Start one process."""
        return start(line, self._environ, self._log)

    def kill(self, number: int) -> None:
        """Kill one process without warning, chosen by number modulo their count."""
        lines = list(self._running)
        process = self._running.pop(lines[number % len(lines)])
        process.kill()
        process.join()

    def kill_all(self) -> None:
        """Kill every process without warning."""
        while self._running:
            self.kill(0)

    def end(self, seconds: float = 15) -> list[int | None]:
        """Ask every process to end in order; return their exit codes."""
        ending = list(self._running.values())
        self._running.clear()
        for process in ending:
            process.terminate()
        deadline = time.monotonic() + seconds
        for process in ending:
            process.join(max(deadline - time.monotonic(), 0.1))
            if process.is_alive():
                process.kill()
                process.join()
        return [process.exitcode for process in ending]
