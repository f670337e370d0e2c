"""The service's processes on several machines, each started again when it ended."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.network import Machine

Line = tuple[str, ...]


class Command:
    """A command that runs."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.terminate, self.join = process.terminate, process.wait


class Processes:
    """Starts `newsletter LINE` on machines, and again those that ended by themselves."""

    def __init__(
        self, lines: Sequence[tuple[Machine, Line]], environ: dict[str, str], folder: Path
    ) -> None:
        self._lines, self._environ, self._folder = list(lines), environ, folder
        self._running: dict[tuple[str, Line], subprocess.Popen[bytes]] = {}
        self.deaths = 0  #: processes that ended by themselves

    def ensure_running(self) -> None:
        """Start the processes that do not run."""
        for machine, line in self._lines:
            self.ensure(machine, line)

    def ensure(self, machine: Machine, line: Line) -> None:
        """Start one of them if it does not run."""
        key = (machine.name, line)
        process = self._running.get(key)
        if process is None or process.poll() is not None:
            self.deaths += process is not None
            self._running[key] = self._started(machine, line)

    def start(self, line: Line) -> "Command":
        """Start a command on the first machine."""
        return Command(self._started(self._lines[0][0], line))

    def kill(self, machine: Machine, line: Line) -> None:
        """Kill one without warning."""
        process = self._running.pop((machine.name, line))
        process.kill()
        process.wait()

    def is_alive(self, machine: Machine, line: Line) -> bool:
        """Return whether it runs, without a start anew."""
        return self._running[machine.name, line].poll() is None

    def log(self, machine: Machine) -> Path:
        """Return what the processes of a machine wrote."""
        return self._folder / f"{machine.name}.log"

    def end(self, seconds: float = 20) -> list[int]:
        """Ask every process to end in order; return their exit codes."""
        for process in self._running.values():
            process.terminate()
        deadline = time.monotonic() + seconds
        try:
            return [p.wait(max(deadline - time.monotonic(), 0.1)) for p in self._running.values()]
        finally:
            self.kill_all()

    def kill_all(self) -> None:
        """Kill every process without warning."""
        for process in self._running.values():
            process.kill()
            process.wait()
        self._running.clear()

    def _started(self, machine: Machine, line: Line) -> subprocess.Popen[bytes]:
        command = machine.line([sys.executable, "-m", "tests.cluster.process", *line])
        with self.log(machine).open("ab") as output:
            return subprocess.Popen(
                command,
                env={**os.environ, **self._environ, "NEWSLETTER_VAR": self._var(machine)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
            )

    def _var(self, machine: Machine) -> str:
        return str(self._folder / f"var-{machine.name}")
