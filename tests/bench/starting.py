"""What short commands cost before they do anything: the imports, mostly."""

import resource
import subprocess
import sys
from statistics import median

from tests.bench.installation import Installation


def command_seconds(installation: Installation, database: str, *arguments: str, runs: int) -> float:
    """Return the CPU seconds of a command, the median of several runs after a first one."""
    environment = installation.environ(database)
    command = [sys.executable, "-m", "newsletter", *arguments]
    times = []
    for _ in range(runs + 1):
        before = _children()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        times.append(_children() - before)
    return median(times[1:])


def _children() -> float:
    """Return the CPU seconds of all processes that this one waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
