"""The scheduler asks often, and only while its process leads."""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Self

import pytest
from apscheduler.schedulers import base

from newsletter.adapters import clock
from newsletter.adapters.steady_scheduler import SteadyScheduler, SteadyTrigger
from newsletter.core.publication import Newsletter
from newsletter.scheduler import make_scheduler
from newsletter.settings import load_settings, shipped

TECHNOLOGY = load_settings(shipped("config")).newsletter("technology")
NEWSLETTERS = {"technology": TECHNOLOGY, "cities": replace(TECHNOLOGY, slug="cities")}


class FakeReconciling:
    """Calendar, Dispatch and Leadership in one, which remember what they were asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.leads = True

    def run_due(self, newsletter: Newsletter) -> None:
        self.asked.append(f"run {newsletter.slug}")

    def send_alerts(self) -> None:
        self.asked.append("send alerts")

    def recover(self) -> None:
        self.asked.append("recover")

    def held(self) -> bool:
        return self.leads


@pytest.fixture
def reconciling() -> FakeReconciling:
    return FakeReconciling()


@pytest.fixture
def scheduler(reconciling: FakeReconciling) -> Iterator[Any]:
    made = make_scheduler(
        NEWSLETTERS,
        schedule=reconciling,  # type: ignore[arg-type]
        recovery=reconciling,  # type: ignore[arg-type]
        leadership=reconciling,
    )
    made.start(paused=True)
    yield made
    made.shutdown()


def run(scheduler: Any) -> None:
    for job in scheduler.get_jobs():
        job.func(*job.args, **job.kwargs)


def test_every_newsletter_is_kept_by_a_job_of_its_own(
    scheduler: Any, reconciling: FakeReconciling
) -> None:
    run(scheduler)

    assert sorted(reconciling.asked) == ["recover", "run cities", "run technology", "send alerts"]


def test_a_standby_asks_nothing_until_it_leads(
    scheduler: Any, reconciling: FakeReconciling
) -> None:
    reconciling.leads = False
    run(scheduler)
    assert reconciling.asked == []

    reconciling.leads = True
    run(scheduler)
    assert len(reconciling.asked) == 4


def test_it_asks_every_few_seconds_and_never_twice_at_once(scheduler: Any) -> None:
    for job in scheduler.get_jobs():
        slow = job.id == "recover"
        assert job.trigger.interval <= timedelta(seconds=60 if slow else 2)
        assert job.max_instances == 1


def test_a_look_that_was_slept_through_is_made_up_for_once(scheduler: Any) -> None:
    for job in scheduler.get_jobs():
        assert job.coalesce
        assert job.misfire_grace_time is None


def test_a_look_that_takes_long_is_no_news() -> None:
    assert not logging.getLogger("apscheduler.scheduler").isEnabledFor(logging.WARNING)
    assert logging.getLogger("apscheduler.executors.default").isEnabledFor(logging.ERROR)


class MovedClock(datetime):
    """The system clock, set by hand."""

    moved = timedelta(0)

    @classmethod
    def now(cls, tz: Any = None) -> Self:
        return super().now(tz) + cls.moved


@pytest.fixture
def moved_clock(monkeypatch: pytest.MonkeyPatch) -> type[MovedClock]:
    monkeypatch.setattr(MovedClock, "moved", timedelta(0))
    for module in (base, clock):
        monkeypatch.setattr(module, "datetime", MovedClock)
    return MovedClock


@pytest.mark.parametrize("by", [timedelta(hours=-3), timedelta(days=366)], ids=str)
def test_a_moved_clock_neither_stops_nor_multiplies_the_looks(
    moved_clock: type[MovedClock], by: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    looks, looked = list[float](), threading.Event()

    def look() -> None:
        looks.append(time.monotonic())
        looked.set()

    steady: Any = SteadyScheduler()
    steady.add_job(look, SteadyTrigger(seconds=0.2), misfire_grace_time=None)
    steady.start()
    try:
        assert looked.wait(30)
        moved_clock.moved = by
        moved_at = time.monotonic()
        time.sleep(0.3)  # a look that was begun is over
        looked.clear()
        assert looked.wait(30)
        time.sleep(0.6)
    finally:
        steady.shutdown()

    since = [at for at in looks if at > moved_at]
    assert 1 <= len(since) <= (time.monotonic() - moved_at) / 0.2 + 2
    assert "the system clock was moved" in caplog.text


def test_a_year_of_missed_looks_is_one_look() -> None:
    trigger, now = SteadyTrigger(seconds=2), datetime(2026, 11, 23).astimezone()
    assert trigger.get_next_fire_time(now - timedelta(days=366), now) == now + timedelta(seconds=2)


@pytest.mark.parametrize("by", [timedelta(hours=-3), timedelta(days=366)], ids=str)
def test_a_clock_moved_just_before_a_wait_does_not_lengthen_it(
    moved_clock: type[MovedClock], by: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, follow = threading.Event(), SteadyScheduler._follow_system_clock

    def follow_then_move(scheduler: Any) -> None:
        follow(scheduler)
        moved_clock.moved = by

    monkeypatch.setattr(SteadyScheduler, "_follow_system_clock", follow_then_move)
    steady: Any = SteadyScheduler()
    steady.add_job(looked.set, SteadyTrigger(seconds=0.2), misfire_grace_time=None)
    steady.start()
    try:
        assert looked.wait(30)
        looked.clear()
        assert looked.wait(30)
    finally:
        steady.shutdown()
