"""One round: a send is killed again and again until it is complete; then everything is counted."""

import random
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from newsletter.container import Container
from newsletter.core.reconciliation import Reconciliation, Resolution
from newsletter.core.stored import IssueStatus
from newsletter.errors import NotAllowed
from tests.torture.counting import count, sums_of
from tests.torture.disturbances import going_on
from tests.torture.installation import SLUG, Installation
from tests.torture.kill_points import KILL_POINTS, KillPoints
from tests.torture.observer import Observer, retry
from tests.torture.plans import FAULTS, Plan, Result
from tests.torture.processes import Fleet

_TIMEOUT = 240  #: seconds for the end of a round, after its last kill


def torture(installation: Installation, plan: Plan) -> Result:
    """Send one issue after another until there were so many kills."""
    rng, result = random.Random(plan.seed), Result(name=plan.name)
    result.may_double = plan.may_double
    started, number = time.monotonic(), 0
    while number < plan.rounds or (result.kills < plan.kills and not result.wrong):
        number += 1
        _round(installation, plan, rng, result, f"{plan.seed}_{number}")
    result.seconds = time.monotonic() - started
    return result


def _round(
    installation: Installation, plan: Plan, rng: random.Random, result: Result, name: str
) -> None:
    url = installation.fresh(name)
    if plan.faults:
        installation.sandbox.fail(*FAULTS)
    disturbances = [make(installation, url) for make in plan.meanwhile]
    fleet = Fleet(_lines(installation, plan), installation.environ(url), installation.log)
    try:
        with closing(Observer(url)) as observer, going_on(disturbances, url):
            points = KillPoints(observer, installation.sandbox, rng)
            _kill(installation, plan, points, fleet, result)
            await_end(installation, url, observer, fleet, result)
        if any(codes := fleet.end()):
            result.wrong.append(f"asked to end, the processes ended with {codes}")
        result.deaths += fleet.deaths
        count(installation, url, disturbances, result)
    finally:
        fleet.kill_all()
    if result.clean:
        installation.drop(url)


def _lines(installation: Installation, plan: Plan) -> list[tuple[str, ...]]:
    return [("serve",), ("worker",), ("scheduler",)] if plan.two else [("serve",)]


def _kill(
    installation: Installation, plan: Plan, points: KillPoints, fleet: Fleet, result: Result
) -> None:
    """Kill, and start again, until this send is through or there were enough kills."""
    while result.kills < plan.kills and not _through(points.observer):
        fleet.ensure_running()
        _kill_once(installation, plan, points, fleet, result)
        installation.sandbox.fail(*(FAULTS if plan.faults else ()))
        if plan.postgres and result.kills % 5 == 0:
            _restart_postgres(installation, points, fleet)
            result.restarts += 1


def _kill_once(
    installation: Installation, plan: Plan, points: KillPoints, fleet: Fleet, result: Result
) -> None:
    sender = None
    if plan.killed == "PostgreSQL":  # of a service that runs, and sends
        _await(installation.is_served, "nobody serves", fleet)
        _plan_issue(installation, points.observer, fleet)
    elif not points.observer.ask("SELECT EXISTS (SELECT 1 FROM batch)"):
        sender = fleet.start(("issue", "send", "--date", str(installation.on)))
    point = points.rng.choice(_kill_points(points.observer))
    met = point(points)
    if sender is not None:
        sender.kill()
        sender.join()
    if plan.killed == "PostgreSQL":
        installation.kill_postgres()
        _await(points.observer.is_answered, "nobody started PostgreSQL again", fleet)
    elif plan.two and points.rng.random() < 0.7:
        fleet.kill(points.rng.randrange(3))
    else:
        fleet.kill_all()
    result.kills += 1
    name = point.__name__ if met else "too late"
    result.kill_points[name] = result.kill_points.get(name, 0) + 1


def _plan_issue(installation: Installation, observer: Observer, fleet: Fleet) -> None:
    if not observer.ask("SELECT EXISTS (SELECT 1 FROM batch)"):
        fleet.start(("issue", "send", "--date", str(installation.on))).join()


def _await(true: Callable[[], bool], otherwise: str, fleet: Fleet) -> None:
    """Wait until something is true of the service."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, otherwise
        fleet.ensure_running()
        time.sleep(0.1)


def _restart_postgres(installation: Installation, points: KillPoints, fleet: Fleet) -> None:
    """Do it while they work, and leave them some seconds to get over it."""
    fleet.ensure_running()
    time.sleep(points.rng.uniform(0.2, 1.5))
    installation.restart_postgres()
    for _ in range(10):
        time.sleep(0.3)
        fleet.ensure_running()


def _kill_points(observer: Observer) -> tuple[Callable[[KillPoints], bool], ...]:
    """Return the points that are still to come: a plan is made once."""
    if observer.ask("SELECT EXISTS (SELECT 1 FROM attempt)"):
        return KILL_POINTS[2:]
    started = observer.ask("SELECT EXISTS (SELECT 1 FROM batch)")
    return (*KILL_POINTS[started:5], KillPoints.starting)


def _through(observer: Observer) -> bool:
    return observer.ask(
        """SELECT EXISTS (SELECT 1 FROM issue WHERE state = 'sent')
               OR EXISTS (SELECT 1 FROM batch) AND NOT EXISTS (
                      SELECT 1 FROM batch WHERE state IN ('planned', 'claimed'))"""
    )


def await_end(
    installation: Installation, url: str, observer: Observer, fleet: Fleet, result: Result
) -> None:
    """Wait until everybody has an outcome; decide about what waits for a person."""
    deadline = time.monotonic() + _TIMEOUT
    started = time.monotonic()
    with installation.container(url) as container:
        while not _finished(installation, container):
            if time.monotonic() > deadline:
                result.wrong.append(f"it never ended: {sums_of(installation, container)}")
                return
            fleet.ensure_running()
            _plan_issue(installation, observer, fleet)
            if time.monotonic() - started > installation.quiet + 4:
                retry(lambda: _decide(installation, container), DBAPIError)
            time.sleep(0.25)


def _finished(installation: Installation, container: Container) -> bool:
    try:
        stored = container.publishing.issue(container.settings.newsletter(SLUG), installation.on)
    except Exception:  # noqa: BLE001  # it was killed before it was assembled
        return False
    sums = sums_of(installation, container) if stored.state is IssueStatus.SENT else None
    finished = sums is not None and not sums.unknown and not sums.to_go
    return finished and not installation.pending


def _decide(installation: Installation, container: Container) -> None:
    """Resolve each batch that waits for a person by what the sandbox accepted."""
    if installation.pending:
        return
    evidence_had_its_turn = container.clock.now() - timedelta(seconds=installation.quiet + 4)
    for batch, found in container.reconciling.unknown_batches():
        if (
            found in (Reconciliation.PERSON, Reconciliation.HELD)
            and batch.asked < evidence_had_its_turn
        ):
            resolution = _truth(installation, container, batch.batch_id)
            with suppress(NotAllowed):  # evidence came in between
                container.reconciling.resolve(
                    batch.batch_id, resolution, actor="torture", because="looked up"
                )
            container.recovery.recover()


def _truth(installation: Installation, container: Container, batch_id: int) -> Resolution:
    with container.engine.begin() as connection:
        question = text("""SELECT email FROM delivery JOIN audience USING (subscription_id)
                            JOIN batch ON batch.issue_id = delivery.issue_id
                                      AND place BETWEEN first_place AND last_place
                            WHERE batch.id = :batch AND skipped IS NULL LIMIT 1""")
        email = connection.execute(question, {"batch": batch_id}).scalar_one()
    return Resolution.ACCEPTED if installation.sandbox.messages(email) else Resolution.RESEND
