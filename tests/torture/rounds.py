"""One round: a send is killed again and again until it is complete; then everything is counted."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from newsletter.container import Container
from newsletter.core.issue_totals import Sums
from newsletter.core.reconciliation import Reconciliation, Resolution
from newsletter.core.stored import IssueStatus
from newsletter.errors import NotAllowed
from tests.torture.installation import SLUG, Installation, Observer, retry
from tests.torture.kill_points import KILL_POINTS, KillPoints
from tests.torture.processes import Fleet

_TIMEOUT = 240  #: seconds for the end of a round, after its last kill

#: Three calls of ten go wrong, each in one of these ways.
FAULTS = (
    {"kind": "hang", "share": 0.04, "seconds": 3},
    {"kind": "close_after_accept", "share": 0.04},
    {"kind": "truncate_202", "share": 0.04},
    {"kind": "reset", "share": 0.04},
    {"kind": "close_before_read", "share": 0.03},
    {"kind": "redirect", "share": 0.04},
    {"kind": "status_503", "share": 0.03, "accept": True},
    {"kind": "status_500", "share": 0.03, "accept": False},
    {"kind": "status_502", "share": 0.02, "accept": False},
    {"kind": "status_429", "share": 0.02, "seconds": 1},
    {"kind": "early_413", "share": 0.02},
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is done to a send."""

    name: str
    kills: int
    faults: bool = False
    postgres: bool = False  #: PostgreSQL is restarted as well, at every fifth kill
    two: bool = False  #: two workers and two schedulers; any of them is killed
    seed: int = 0


@dataclass(kw_only=True)
class Result:
    """The result of all rounds of a plan."""

    name: str
    kills: int = 0
    kill_points: dict[str, int] = field(default_factory=dict)  #: kills by point
    restarts: int = 0  #: of PostgreSQL
    deaths: int = 0  #: processes that ended by themselves, in error
    recipients: int = 0
    lost: int = 0
    doubled: int = 0
    by_event: int = 0
    by_absence: int = 0
    by_logs: int = 0
    by_hand: int = 0
    requests: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Return whether everybody got the issue once, and every sum was right."""
        return not (self.lost or self.doubled or self.wrong)


def torture(installation: Installation, plan: Plan) -> Result:
    """Send one issue after another until there were so many kills."""
    rng, result = random.Random(plan.seed), Result(name=plan.name)
    started, number = time.monotonic(), 0
    while number == 0 or (result.kills < plan.kills and not result.wrong):
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
    fleet = Fleet(
        _lines(installation, plan), installation.environ(url), installation.folder / "processes.log"
    )
    try:
        with closing(Observer(url)) as observer:
            _kill(
                installation, plan, KillPoints(observer, installation.sandbox, rng), fleet, result
            )
            _await_end(installation, url, observer, fleet, result)
            codes = fleet.end()
            if any(codes):
                result.wrong.append(f"asked to end, the processes ended with {codes}")
        result.deaths += fleet.deaths
        _count(installation, url, result)
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
    if not points.observer.ask("SELECT EXISTS (SELECT 1 FROM batch)"):
        sender = fleet.start(("issue", "send", "--date", str(installation.on)))
    point = points.rng.choice(_kill_points(points.observer))
    met = point(points)
    if sender is not None:
        sender.kill()
        sender.join()
    if plan.two and points.rng.random() < 0.7:
        fleet.kill(points.rng.randrange(3))
    else:
        fleet.kill_all()
    result.kills += 1
    name = point.__name__ if met else "too late"
    result.kill_points[name] = result.kill_points.get(name, 0) + 1


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


def _await_end(
    installation: Installation, url: str, observer: Observer, fleet: Fleet, result: Result
) -> None:
    """Wait until everybody has an outcome; decide about what waits for a person."""
    deadline = time.monotonic() + _TIMEOUT
    started = time.monotonic()
    with installation.container(url) as container:
        while not _finished(installation, container):
            if time.monotonic() > deadline:
                result.wrong.append(f"it never ended: {_sums(installation, container)}")
                return
            fleet.ensure_running()
            if not observer.ask("SELECT EXISTS (SELECT 1 FROM batch)"):
                fleet.start(("issue", "send", "--date", str(installation.on))).join()
            if time.monotonic() - started > installation.quiet + 4:
                retry(lambda: _decide(installation, container), DBAPIError)
            time.sleep(0.25)


def _finished(installation: Installation, container: Container) -> bool:
    try:
        stored = container.publishing.issue(container.settings.newsletter(SLUG), installation.on)
    except Exception:  # noqa: BLE001  # it was killed before it was assembled
        return False
    sums = container.deliveries.totals(stored.id).sums if stored.state is IssueStatus.SENT else None
    finished = sums is not None and not sums.unknown and not sums.to_go
    return finished and not installation.sandbox.stats()["events"]["pending_recipients"]


def _decide(installation: Installation, container: Container) -> None:
    """Resolve each batch that waits for a person by what the sandbox accepted."""
    if installation.sandbox.stats()["events"]["pending_recipients"]:
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
                            WHERE batch_id = :batch AND skipped IS NULL LIMIT 1""")
        email = connection.execute(question, {"batch": batch_id}).scalar_one()
    return Resolution.ACCEPTED if installation.sandbox.messages(email) else Resolution.RESEND


def _count(installation: Installation, url: str, result: Result) -> None:
    stats = installation.sandbox.stats()
    doubled = stats["repeated"]
    result.recipients += installation.recipients
    result.lost += installation.recipients - stats["distinct_recipients"]
    result.doubled += doubled
    result.requests += stats["requests"]
    if not doubled and stats["accepted_recipients"] != stats["distinct_recipients"]:
        result.wrong.append(f"the sandbox's sums: {stats}")
    with installation.container(url) as container:
        result.wrong.extend(_faults(installation, _sums(installation, container)))
    with psycopg.connect(url) as connection:
        row = connection.execute(_RECONCILED_BY).fetchone()
    assert row is not None
    result.by_event += row[0]
    result.by_absence += row[1]
    result.by_logs += row[2]
    result.by_hand += row[3]


_RECONCILED_BY = """
    SELECT (SELECT count(*) FROM attempt WHERE reason LIKE '%an event proved%'),
           (SELECT count(*) FROM decision WHERE verb = 'resolve' AND actor LIKE '%by events'),
           (SELECT count(*) FROM attempt WHERE reason LIKE '%Email Logs show%')
               + (SELECT count(*) FROM decision
                   WHERE verb = 'resolve' AND actor LIKE '%by Email Logs'),
           (SELECT count(*) FROM decision WHERE verb = 'resolve' AND actor = 'torture')
"""


def _sums(installation: Installation, container: Container) -> Sums:
    stored = container.publishing.issue(container.settings.newsletter(SLUG), installation.on)
    return container.deliveries.totals(stored.id).sums


def _faults(installation: Installation, sums: Sums) -> Iterator[str]:
    if not sums.adds_up:
        yield f"the sums do not add up: {sums}"
    if sums.audience != installation.recipients or sums.accepted != installation.recipients:
        yield f"not everybody was accepted: {sums}"
