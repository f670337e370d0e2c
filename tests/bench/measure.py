"""A stopwatch, the peak of this process's memory, and facts about the machine."""

import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from sqlalchemy import Engine, text


class Stopwatch:
    """What a block took."""

    seconds: float = 0.0
    cpu: float = 0.0  #: seconds of this process, all its threads together
    machine: float = 0.0  #: seconds of all processes of this machine, those of others included


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Time a block."""
    measured, started, worked = Stopwatch(), time.perf_counter(), time.process_time()
    busy = _busy()
    yield measured
    measured.machine = _busy() - busy
    measured.seconds = time.perf_counter() - started
    measured.cpu = time.process_time() - worked


def _busy() -> float:
    """Return the seconds that the processors of this machine have worked."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0) + getattr(times, "steal", 0.0)
    return sum(times) - idle - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)


def family_cpu(parent: psutil.Process) -> float:
    """Return the seconds that a process and its children, the ended ones too, have worked."""
    times = parent.cpu_times()
    worked = times.user + times.system + times.children_user + times.children_system
    for child in parent.children():
        with suppress(psutil.NoSuchProcess):
            worked += sum(child.cpu_times()[:2])
    return worked


def peak_megabytes() -> float:
    """Return the most memory this process ever held.

    On Linux from VmHWM: the peak that getrusage knows survives an exec, so that a child would
    report its parent's.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def machine(engine: Engine) -> dict[str, str]:
    """Return what a stranger needs to know to compare figures."""
    with engine.begin() as connection:
        server = connection.execute(text("SHOW server_version")).scalar_one()
    return {
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": str(server),
    }
