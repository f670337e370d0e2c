"""Telling operators: each notice once, and again where a channel failed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Engine

from newsletter.core.alert_text import body, pause_before, source_down, title, unknown_batch
from newsletter.core.operator_alert import Notice, NoticeKind
from newsletter.core.source import PolledSource
from newsletter.core.source_record import SourceHealth, SourceRecord, SourceState
from newsletter.services.alerting import Alerting, trial
from newsletter.services.polling import SourceReport
from newsletter.services.schedule import Calendar
from newsletter.stores.schedule import Watches
from newsletter.stores.unknown_issues import unknown_issues
from tests.alerts.conftest import FakeChannel
from tests.house import TODAY, TestHouse, open_house

PAUSED = Notice(kind=NoticeKind.PAUSED, newsletter="technology", date=TODAY, sentence="paused: 401")
EMPTY = replace(PAUSED, kind=NoticeKind.EMPTY_DAY, sentence="nothing to say")


@dataclass
class Desk:
    """A desk that tells what is on file, through two channels."""

    house: TestHouse
    book: Watches
    mail: FakeChannel
    chat: FakeChannel
    logged: list[Notice]
    reports: list[SourceReport]
    make: Callable[[], Alerting]

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.alerting = self.make()
        self.calendar = Calendar(
            publishing=self.house.publishing,
            dispatch=self.house.dispatch,
            gather=lambda _: None,
            book=self.book,
            notify=self.alerting.tell,
            clock=self.house.clock,
        )

    def keep(self, *notices: Notice) -> None:
        for notice in notices:
            self.book.keep(notice, self.house.clock.now())

    def tick(self, **later: float) -> None:
        self.house.clock.pass_time(**later)
        self.alerting.look()
        self.calendar.tell()


@pytest.fixture
def desk(engine: Engine) -> Desk:
    house, book = open_house(engine), Watches(engine)
    mail, chat = FakeChannel("mail"), FakeChannel("chat")
    logged: list[Notice] = []
    reports: list[SourceReport] = []
    make = partial(
        Alerting,
        newsletters={house.newsletter.slug: house.newsletter},
        channels=(mail, chat),
        log=logged.append,
        book=book,
        unknown=partial(unknown_issues, engine),
        reports=lambda _: reports,
        quiet=timedelta(minutes=10),
        clock=house.clock,
    )
    return Desk(house, book, mail, chat, logged, reports, make)


pytestmark = pytest.mark.postgres


def test_a_notice_is_told_once_through_every_channel_and_stays_told_after_a_restart(
    desk: Desk,
) -> None:
    desk.keep(PAUSED, EMPTY)
    for _ in range(3):
        desk.tick(minutes=1)
        desk.restart()
    assert desk.mail.heard == desk.chat.heard == [title(PAUSED), title(EMPTY)]
    assert desk.logged == [PAUSED, EMPTY]
    assert desk.book.untold() == ()


def test_a_channel_that_fails_is_tried_again_later_and_the_other_hears_it_once(desk: Desk) -> None:
    desk.chat.broken = True
    desk.keep(PAUSED, EMPTY)
    desk.tick()
    assert desk.chat.tried == 2  # one for each: the second did not wait for the first
    desk.tick(seconds=10)
    assert desk.chat.tried == 2  # not yet: it is not hammered
    desk.chat.broken = False
    desk.tick(seconds=5)
    assert desk.chat.heard == desk.mail.heard == [title(PAUSED), title(EMPTY)]
    assert desk.book.untold() == ()
    assert len(desk.logged) == 2


def test_after_a_restart_only_the_channel_that_failed_is_tried_again(desk: Desk) -> None:
    desk.chat.broken = True
    desk.keep(PAUSED)
    for _ in range(5):
        desk.tick(minutes=30)
        desk.restart()
    assert desk.mail.heard == [title(PAUSED)]
    assert desk.chat.tried == 5

    desk.chat.broken = False
    desk.tick()
    assert desk.chat.heard == desk.mail.heard == [title(PAUSED)]
    assert desk.book.untold() == ()


def test_a_channel_that_stays_broken_is_given_up_after_a_day(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.chat.broken = True
    desk.keep(PAUSED)
    for _ in range(23):
        desk.tick(hours=1)
        assert desk.book.untold()
    desk.tick(hours=2)
    errors = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == ["given up: chat: it is broken"]
    assert desk.book.untold() == ()
    assert desk.mail.heard == [title(PAUSED)]


def test_nobody_having_heard_it_is_tried_for_a_day(desk: Desk) -> None:
    desk.chat.broken = desk.mail.broken = True
    desk.keep(PAUSED)
    desk.tick()
    desk.tick(hours=23)
    desk.mail.broken = False
    desk.tick(minutes=30)
    assert desk.mail.heard == [title(PAUSED)]


def test_a_source_that_is_down_is_told_once_an_outage(desk: Desk) -> None:
    health = SourceHealth(
        state=SourceState.FAILING, failures=1, since=desk.house.clock.now(), error="HTTP 500"
    )
    source = PolledSource(slug="wire", kind="feed", url="https://wire.example/feed")  # type: ignore[arg-type]
    report = SourceReport(
        newsletter="technology", source=source, record=SourceRecord(), health=health
    )
    desk.reports[:] = [report]
    desk.tick()
    assert desk.mail.heard == []
    for failures in range(40, 43):
        down = replace(health, state=SourceState.DOWN, failures=failures, error=f"{failures}")
        desk.reports[:] = [replace(report, health=down)]
        desk.tick(hours=6)
    assert desk.mail.heard == [f"technology, {TODAY}: source down"]
    again = replace(down, since=desk.house.clock.now())
    desk.reports[:] = [replace(report, health=again)]
    desk.tick()
    assert len(desk.mail.heard) == 2


def test_an_answer_that_stays_lost_is_told_once_an_issue_and_not_before_its_time(
    desk: Desk, tmp_path
) -> None:
    house = desk.house
    house.receive("chips")
    house.subscribe(tmp_path, {f"reader-{n}@example.com": "" for n in range(7)})
    house.send()
    for batch_id, _ in house.deliveries.waiting():  # workers take them, and die
        lease, now = timedelta(minutes=3), house.clock.now()
        house.deliveries.claim(batch_id, attempt_id=f"doomed-{batch_id}", lease=lease, now=now)
    house.clock.pass_time(minutes=4)
    house.dispatch.recover()
    desk.tick()
    assert desk.mail.heard == []
    for _ in range(3):
        desk.tick(minutes=12)
    assert desk.mail.heard == [f"technology, {TODAY}: unknown batch"]


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_of_notice_names_a_verb_for_the_person_who_reads_it(kind: NoticeKind) -> None:
    notice = replace(PAUSED, kind=kind)
    assert "`newsletter " in body(notice)
    assert title(notice) == f"technology, 2026-11-23: {kind.value}"


def test_what_is_found_twice_is_worded_the_same() -> None:
    since = datetime.fromisoformat("2026-11-22T23:30:00+00:00")
    assert source_down("t", "wire", since) == source_down("t", "wire", since)
    assert source_down("t", "wire", since).date.isoformat() == "2026-11-22"
    assert unknown_batch("t", TODAY) == unknown_batch("t", TODAY)


def test_the_pause_doubles_up_to_half_an_hour() -> None:
    pauses = [pause_before(failures).total_seconds() for failures in range(1, 60)]
    assert pauses[:3] == [15, 30, 60]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 1800


def test_a_trial_says_by_channel_whether_it_arrived(desk: Desk) -> None:
    desk.chat.broken = True
    assert trial((desk.mail, desk.chat)) == {"mail": None, "chat": "it is broken"}
    assert desk.book.untold() == ()
