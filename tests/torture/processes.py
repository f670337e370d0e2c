"""The service's own processes, killed without warning and started again, as a supervisor would.

They are forked from a server that has imported everything already: a start takes a moment, and
hundreds of kills are affordable. From there on they are what `newsletter VERB` is.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        "newsletter.cli",
        "newsletter.bootstrap",
        "newsletter.demo.environment",  # and uvicorn with it
        "newsletter.cli.service",
        "newsletter.cli.issue",
        "tests.torture.processes",
    ]
)


def _run(line: Sequence[str], environ: dict[str, str], log: Path) -> None:
    with Path(os.devnull).open("wb") as nowhere, log.open("ab") as said:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(said.fileno(), 2)
    os.environ.update(environ)
    from newsletter import scheduler
    from newsletter.bootstrap import house
    from newsletter.cli import main

    assert scheduler._RECOVER_SECONDS > 1 < house._LOOK_UP_SECONDS  # they are still called so
    scheduler._RECOVER_SECONDS = 1  # what a dead worker left is looked for as often as it dies
    house._LOOK_UP_SECONDS = 1
    sys.argv = ["newsletter", *line]
    main()


class Fleet:
    """The processes that ought to run; whoever ended by itself is started again."""

    def __init__(
        self, lines: Sequence[tuple[str, ...]], environ: dict[str, str], log: Path
    ) -> None:
        self._lines, self._environ, self._log = lines, environ, log
        self._running: dict[tuple[str, ...], BaseProcess] = {}
        self.deaths = 0  #: processes that ended by themselves, in error

    def keep(self) -> None:
        """Start whoever ought to run and does not."""
        for line in self._lines:
            process = self._running.get(line)
            if process is None or not process.is_alive():
                self.deaths += process is not None
                self._running[line] = self.start(line)

    def start(self, line: tuple[str, ...]) -> BaseProcess:
        """Start one process."""
        process = _context.Process(target=_run, args=(line, self._environ, self._log))
        process.start()
        return process

    def kill(self, number: int) -> None:
        """Kill one process without warning, the number of it counted round."""
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
        patience = time.monotonic() + seconds
        for process in ending:
            process.join(max(patience - time.monotonic(), 0.1))
            if process.is_alive():
                process.kill()
                process.join()
        return [process.exitcode for process in ending]
