"""One round: a send is killed again and again until it is through; then everything is counted."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from newsletter.bootstrap import House
from newsletter.core.issue_totals import Sums
from newsletter.core.reconciliation import Ruling, Settlement
from newsletter.core.stored import IssueState
from newsletter.errors import NotAllowed
from tests.torture.moments import MOMENTS, Watch
from tests.torture.place import SLUG, Onlooker, Place, patiently
from tests.torture.processes import Fleet

_PATIENCE = 240  #: seconds for the end of a round, after its last kill

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
    """What came of it."""

    name: str
    kills: int = 0
    moments: dict[str, int] = field(default_factory=dict)  #: kills by the moment met
    restarts: int = 0  #: of PostgreSQL
    deaths: int = 0  #: processes that ended by themselves, in error
    recipients: int = 0
    lost: int = 0
    doubled: int = 0
    by_event: int = 0
    by_silence: int = 0
    by_logs: int = 0
    by_hand: int = 0
    requests: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Tell whether nobody was forgotten or written to twice, and every sum was right."""
        return not (self.lost or self.doubled or self.wrong)


def torture(place: Place, plan: Plan) -> Result:
    """Send one issue after another until there were so many kills."""
    dice, result = random.Random(plan.seed), Result(name=plan.name)
    begun, number = time.monotonic(), 0
    while number == 0 or (result.kills < plan.kills and not result.wrong):
        number += 1
        _round(place, plan, dice, result, f"{plan.seed}_{number}")
    result.seconds = time.monotonic() - begun
    return result


def _round(place: Place, plan: Plan, dice: random.Random, result: Result, name: str) -> None:
    url = place.fresh(name)
    if plan.faults:
        place.sandbox.fail(*FAULTS)
    fleet = Fleet(_lines(place, plan), place.environ(url), place.folder / "said.log")
    try:
        with closing(Onlooker(url)) as onlooker:
            _kill(place, plan, Watch(onlooker, place.sandbox, dice), fleet, result)
            _await_end(place, url, onlooker, fleet, result)
            codes = fleet.end()
            if any(codes):
                result.wrong.append(f"asked to end, the processes ended with {codes}")
        result.deaths += fleet.deaths
        _count(place, url, result)
    finally:
        fleet.kill_all()
    if result.clean:
        place.drop(url)


def _lines(place: Place, plan: Plan) -> list[tuple[str, ...]]:
    return [("serve",), ("worker",), ("scheduler",)] if plan.two else [("serve",)]


def _kill(place: Place, plan: Plan, watch: Watch, fleet: Fleet, result: Result) -> None:
    """Kill, and start again, until this send is through or there were enough kills."""
    while result.kills < plan.kills and not _through(watch.onlooker):
        fleet.keep()
        _kill_once(place, plan, watch, fleet, result)
        place.sandbox.fail(*(FAULTS if plan.faults else ()))
        if plan.postgres and result.kills % 5 == 0:
            _restart_postgres(place, watch, fleet)
            result.restarts += 1


def _kill_once(place: Place, plan: Plan, watch: Watch, fleet: Fleet, result: Result) -> None:
    sender = None
    if not watch.onlooker.ask("SELECT EXISTS (SELECT 1 FROM batch)"):
        sender = fleet.start(("issue", "send", "--date", str(place.on)))
    moment = watch.dice.choice(_moments(watch.onlooker))
    met = moment(watch)
    if sender is not None:
        sender.kill()
        sender.join()
    if plan.two and watch.dice.random() < 0.7:
        fleet.kill(watch.dice.randrange(3))
    else:
        fleet.kill_all()
    result.kills += 1
    name = moment.__name__ if met else "too late"
    result.moments[name] = result.moments.get(name, 0) + 1


def _restart_postgres(place: Place, watch: Watch, fleet: Fleet) -> None:
    """Do it while they work, and leave them some seconds to get over it."""
    fleet.keep()
    time.sleep(watch.dice.uniform(0.2, 1.5))
    place.restart_postgres()
    for _ in range(10):
        time.sleep(0.3)
        fleet.keep()


def _moments(onlooker: Onlooker) -> tuple[Callable[[Watch], bool], ...]:
    """Return the moments that are still to come: a plan is made once."""
    if onlooker.ask("SELECT EXISTS (SELECT 1 FROM attempt)"):
        return MOMENTS[2:]
    begun = onlooker.ask("SELECT EXISTS (SELECT 1 FROM batch)")
    return (*MOMENTS[begun:5], Watch.starting)


def _through(onlooker: Onlooker) -> bool:
    return onlooker.ask("SELECT EXISTS (SELECT 1 FROM issue WHERE state = 'sent')")


def _await_end(place: Place, url: str, onlooker: Onlooker, fleet: Fleet, result: Result) -> None:
    """Leave them in peace until everybody has an outcome; be the person who is asked."""
    patience = time.monotonic() + _PATIENCE
    begun = time.monotonic()
    with place.house(url) as house:
        while not _settled(place, house):
            if time.monotonic() > patience:
                result.wrong.append(f"it never ended: {_sums(place, house)}")
                return
            fleet.keep()
            if not onlooker.ask("SELECT EXISTS (SELECT 1 FROM batch)"):
                fleet.start(("issue", "send", "--date", str(place.on))).join()
            if time.monotonic() - begun > place.quiet + 4:
                patiently(lambda: _decide(place, house), DBAPIError)
            time.sleep(0.25)


def _settled(place: Place, house: House) -> bool:
    try:
        filed = house.publishing.issue(house.settings.newsletter(SLUG), place.on)
    except Exception:  # noqa: BLE001  # it was killed before it was assembled
        return False
    sums = house.inquiry.account(filed).sums if filed.state is IssueState.SENT else None
    settled = sums is not None and not sums.unknown and not sums.to_go
    return settled and not place.sandbox.stats()["events"]["pending_recipients"]


def _decide(place: Place, house: House) -> None:
    """Look up in the stand-in what became of each batch that waits for a person, and say so."""
    if place.sandbox.stats()["events"]["pending_recipients"]:
        return
    evidence_had_its_turn = house.clock.now() - timedelta(seconds=place.quiet + 4)
    for batch, found in house.settling.listed():
        if found is Settlement.PERSON and batch.asked < evidence_had_its_turn:
            ruling = _truth(place, house, batch.batch_id)
            with suppress(NotAllowed):  # evidence came in between
                house.settling.by_hand(batch.batch_id, ruling, actor="torture", because="looked up")
            house.dispatch.recover()


def _truth(place: Place, house: House, batch_id: int) -> Ruling:
    with house.engine.begin() as connection:
        question = text("""SELECT email FROM delivery JOIN audience USING (subscription_id)
                            WHERE batch_id = :batch AND skipped IS NULL LIMIT 1""")
        email = connection.execute(question, {"batch": batch_id}).scalar_one()
    return Ruling.ACCEPTED if place.sandbox.messages(email) else Ruling.RESEND


def _count(place: Place, url: str, result: Result) -> None:
    stats = place.sandbox.stats()
    doubled = stats["repeated"]
    result.recipients += place.recipients
    result.lost += place.recipients - stats["distinct_recipients"]
    result.doubled += doubled
    result.requests += stats["requests"]
    if not doubled and stats["accepted_recipients"] != stats["distinct_recipients"]:
        result.wrong.append(f"the stand-in's sums: {stats}")
    with place.house(url) as house:
        result.wrong.extend(_faults(place, _sums(place, house)))
    with psycopg.connect(url) as connection:
        row = connection.execute(_SETTLED_BY).fetchone()
    assert row is not None
    result.by_event += row[0]
    result.by_silence += row[1]
    result.by_logs += row[2]
    result.by_hand += row[3]


_SETTLED_BY = """
    SELECT (SELECT count(*) FROM attempt WHERE reason LIKE '%an event proved%'),
           (SELECT count(*) FROM decision WHERE verb = 'settle' AND actor LIKE '%by silence'),
           (SELECT count(*) FROM attempt WHERE reason LIKE '%Email Logs show%')
               + (SELECT count(*) FROM decision
                   WHERE verb = 'settle' AND actor LIKE '%by Email Logs'),
           (SELECT count(*) FROM decision WHERE verb = 'settle' AND actor = 'torture')
"""


def _sums(place: Place, house: House) -> Sums:
    filed = house.publishing.issue(house.settings.newsletter(SLUG), place.on)
    return house.inquiry.account(filed).sums


def _faults(place: Place, sums: Sums) -> Iterator[str]:
    if not sums.add_up:
        yield f"the sums do not add up: {sums}"
    if sums.audience != place.recipients or sums.accepted != place.recipients:
        yield f"not everybody was accepted: {sums}"
