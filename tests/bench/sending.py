"""Plan and send: a whole issue, from the plan until every batch is accepted and recorded."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlalchemy import text

from newsletter.container import Container
from newsletter.core.stored import StoredIssue
from tests.bench.installation import SLUG, Installation
from tests.bench.measure import stopwatch
from tests.bench.sink import Counts, Sink

_TIMEOUT = 20  #: seconds without progress, after which something is broken


@dataclass(frozen=True)
class Sent:
    """What one send took; `seconds` is all of it, the plan included."""

    readers: int
    editions: int
    plan_seconds: float
    enqueue_seconds: float
    seconds: float
    sink: Counts
    worker_megabytes: float
    worker_cpu: float  #: seconds, all workers together
    machine_cpu: float  #: seconds, every process of this machine
    planner_megabytes: float
    compiles: int  #: of MJML, by every process that took part
    inlinings: int


def send(
    installation: Installation, database: str, sink: Sink, *, workers: int, readers: int
) -> Sent:
    """Send the approved issue of a database, and prove that everyone was reached once."""
    with (
        installation.container(database) as container,
        running_workers(installation, database, workers) as reports,
        _begun("tests.bench.planner", installation.environ(database)) as planner,
    ):
        stored = approved(container)
        sink.counts()
        with stopwatch() as whole:
            planned = _plan(planner)
            await_sent(container, stored)
        totals, arrived = container.deliveries.totals(stored.id), sink.counts()
    sums = totals.sums
    assert (sums.accepted, sums.deliveries, arrived.recipients) == (readers,) * 3, sums
    return Sent(
        readers=readers,
        editions=totals.editions,
        plan_seconds=planned["plan"],
        enqueue_seconds=planned["enqueue"],
        seconds=whole.seconds,
        sink=arrived,
        worker_megabytes=max(one["megabytes"] for one in reports),
        worker_cpu=sum(one["cpu"] for one in reports),
        machine_cpu=whole.machine,
        planner_megabytes=planned["megabytes"],
        compiles=sum(one["compiles"] for one in reports),
        inlinings=sum(one["inlinings"] for one in reports),
    )


def approved(container: Container) -> StoredIssue:
    """Return the issue of a database that is to be sent."""
    newsletter = container.settings.newsletter(SLUG)
    with container.engine.begin() as connection:
        [on] = connection.execute(text("SELECT date FROM issue WHERE state = 'approved'")).scalars()
    return container.publishing.issue(newsletter, on)


def await_sent(container: Container, stored: StoredIssue) -> None:
    """Wait until every batch has its outcome; TimeoutError once nothing moves any more."""
    asked = text("SELECT state FROM issue WHERE id = :id")
    last, moved = (0, 0), time.monotonic()
    while time.monotonic() < moved + _TIMEOUT:
        with container.engine.begin() as connection:
            state = connection.execute(asked, {"id": stored.id}).scalar_one()
        if state == "sent":
            return
        assert state == "sending", f"the issue is {state}"
        if (progress := container.deliveries.progress(stored.id)) != last:
            last, moved = progress, time.monotonic()
        time.sleep(0.05)
    raise TimeoutError(f"{last[0]} of {last[1]} sent, and none for {_TIMEOUT} seconds")


@contextmanager
def running_workers(
    installation: Installation, database: str, count: int
) -> Iterator[list[dict[str, float]]]:
    """Run workers that wait for jobs; what they report is in the list once they have ended."""
    reports: list[dict[str, float]] = []
    with ExitStack() as workers:
        environ = installation.environ(database)
        running = [
            workers.enter_context(_begun("tests.bench.worker", environ)) for _ in range(count)
        ]
        yield reports
        answers = [process.communicate(timeout=60)[0] for process in running]
    reports.extend(json.loads(answer) for answer in answers)


@contextmanager
def _begun(module: str, environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a module of the bench that says when it is ready; end it in any case."""
    command = [sys.executable, "-m", module]
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == "ready\n", f"{module} did not start"
            yield process
        except BaseException:
            process.kill()
            raise


def _plan(planner: subprocess.Popen[str]) -> dict[str, float]:
    assert planner.stdin
    assert planner.stdout
    planner.stdin.write("plan\n")
    planner.stdin.flush()
    return json.loads(planner.stdout.readline())
