"""Alerting operators: each alert once, and again where a channel failed."""

import logging
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine

from newsletter.adapters.alerts import open_channels
from newsletter.core.operator_alert import (
    OperatorAlert,
    OperatorAlertKind,
    account_alert,
    retry_pause,
    source_down_alert,
    unknown_batch_alert,
)
from newsletter.core.source import PolledSource
from newsletter.core.source_record import SourceHealth, SourceRecord, SourceState
from newsletter.services.alerting import trial
from newsletter.services.polling import SourceReport
from tests.alert_receiver import FakeChannel, Receiver
from tests.container import TODAY, TestContainer, open_container
from tests.settings import TECHNOLOGY, settings_for

PAUSED = OperatorAlert(
    kind=OperatorAlertKind.PAUSED, newsletter="technology", date=TODAY, sentence="paused: 401"
)
EMPTY = replace(PAUSED, kind=OperatorAlertKind.EMPTY_DAY, sentence="nothing to say")


class Operators:
    """Alerting through two channels and the log."""

    def __init__(self, container: TestContainer) -> None:
        self.container, self.store = container, container.schedule_store
        self.mail, self.chat = container.alert_channels
        self.logged: list[OperatorAlert] = []
        self.reports: list[SourceReport] = []
        container.polling = SimpleNamespace(
            reports=lambda _: self.reports, poll_due=None, poll_again=lambda *_: None
        )
        self.restart()

    def restart(self) -> None:
        process = copy(self.container)
        self.alerting, self.schedule = process.alerting, process.schedule_runner
        self.alerting.log = self.logged.append

    def queue(self, *alerts: OperatorAlert) -> None:
        for alert in alerts:
            self.store.queue_alert(alert, self.container.clock.now())

    def tick(self, **later: float) -> None:
        self.container.clock.pass_time(**later)
        self.alerting.check()
        self.schedule.send_alerts()


@pytest.fixture
def operators(engine: Engine) -> Operators:
    channels = FakeChannel("mail"), FakeChannel("chat")
    settings = settings_for([TECHNOLOGY], quiet_minutes=10)
    return Operators(open_container(engine, settings=settings, alert_channels=channels))


pytestmark = pytest.mark.postgres


def test_a_channel_that_gets_a_new_secret_takes_no_alert_from_its_neighbour(
    operators: Operators, receiver: Receiver
) -> None:
    receiver.status = 503
    old, new = FakeChannel("JSON (no. 1)"), FakeChannel("JSON (no. 2)")
    neighbour = receiver.url
    beside = open_channels(f"json://127.0.0.1/old json://127.0.0.1/new {neighbour}")
    operators.container.alert_channels = (old, new, beside[2])
    operators.restart()
    operators.queue(PAUSED)
    operators.tick(minutes=1)
    assert old.received == new.received == [PAUSED.title]  # and the neighbour is tried again

    receiver.status, receiver.posted = 200, []
    after = open_channels(f"json://127.0.0.1/new {neighbour}")  # now it is the second in the list
    operators.container.alert_channels = (new, after[1])
    operators.restart()
    operators.tick(minutes=1)
    assert [one["title"] for one in receiver.posted] == [PAUSED.title]
    assert new.received == [PAUSED.title]


def test_an_alert_that_a_password_kept_back_leaves_with_the_new_one(operators: Operators) -> None:
    operators.mail.broken = True  # the provider took the old password out before we did
    operators.queue(PAUSED)
    operators.tick(minutes=1)
    operators.container.alert_channels = (FakeChannel("mail"), operators.chat)
    operators.mail = operators.container.alert_channels[0]
    operators.restart()
    operators.tick(minutes=1)
    assert operators.mail.received == operators.chat.received == [PAUSED.title]


def test_an_alert_is_sent_once_through_every_channel_and_not_again_after_a_restart(
    operators: Operators,
) -> None:
    operators.queue(PAUSED, EMPTY)
    for _ in range(3):
        operators.tick(minutes=1)
        operators.restart()
    assert operators.mail.received == operators.chat.received == [PAUSED.title, EMPTY.title]
    assert operators.logged == [PAUSED, EMPTY]
    assert operators.store.pending_alerts() == ()


def test_a_channel_that_fails_is_tried_again_later_and_the_other_receives_it_once(
    operators: Operators,
) -> None:
    operators.chat.broken = True
    operators.queue(PAUSED, EMPTY)
    operators.tick()
    assert operators.chat.tried == 2  # one for each: the second did not wait for the first
    operators.tick(seconds=10)
    assert operators.chat.tried == 2  # not yet: it is not hammered
    operators.chat.broken = False
    operators.tick(seconds=5)
    assert operators.chat.received == operators.mail.received == [PAUSED.title, EMPTY.title]
    assert operators.store.pending_alerts() == ()
    assert len(operators.logged) == 2


def test_after_a_restart_only_the_channel_that_failed_is_tried_again(operators: Operators) -> None:
    operators.chat.broken = True
    operators.queue(PAUSED)
    for _ in range(5):
        operators.tick(minutes=30)
        operators.restart()
    assert operators.mail.received == [PAUSED.title]
    assert operators.chat.tried == 5

    operators.chat.broken = False
    operators.tick()
    assert operators.chat.received == operators.mail.received == [PAUSED.title]
    assert operators.store.pending_alerts() == ()


def test_a_channel_that_stays_broken_is_given_up_after_a_day(
    operators: Operators, caplog: pytest.LogCaptureFixture
) -> None:
    operators.chat.broken = True
    operators.queue(PAUSED)
    for _ in range(23):
        operators.tick(hours=1)
        assert operators.store.pending_alerts()
    operators.tick(hours=2)
    errors = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == ["given up: chat: it is broken"]
    assert operators.store.pending_alerts() == ()
    assert operators.mail.received == [PAUSED.title]


def test_an_alert_no_channel_took_is_tried_for_a_day(operators: Operators) -> None:
    operators.chat.broken = operators.mail.broken = True
    operators.queue(PAUSED)
    operators.tick()
    operators.tick(hours=23)
    operators.mail.broken = False
    operators.tick(minutes=30)
    assert operators.mail.received == [PAUSED.title]


def test_a_source_that_is_down_is_reported_once_an_outage(operators: Operators) -> None:
    health = SourceHealth(
        state=SourceState.FAILING,
        failures=1,
        since=operators.container.clock.now(),
        error="HTTP 500",
    )
    source = PolledSource(slug="wire", kind="feed", url="https://wire.example/feed")  # type: ignore[arg-type]
    report = SourceReport(
        newsletter="technology", source=source, record=SourceRecord(), health=health
    )
    operators.reports[:] = [report]
    operators.tick()
    assert operators.mail.received == []
    for failures in range(40, 43):
        down = replace(health, state=SourceState.DOWN, failures=failures, error=f"{failures}")
        operators.reports[:] = [replace(report, health=down)]
        operators.tick(hours=6)
    assert operators.mail.received == [f"technology, {TODAY}: source down"]
    again = replace(down, since=operators.container.clock.now())
    operators.reports[:] = [replace(report, health=again)]
    operators.tick()
    assert len(operators.mail.received) == 2


def test_an_answer_that_stays_lost_is_reported_once_an_issue_and_not_before_its_time(
    operators: Operators, tmp_path
) -> None:
    container = operators.container
    container.receive("chips")
    container.subscribe(tmp_path, {f"reader-{n}@example.com": "" for n in range(7)})
    container.plan_issue()
    for batch_id, _ in container.deliveries.waiting():  # workers take them, and die
        lease, now = timedelta(minutes=3), container.clock.now()
        container.deliveries.claim(batch_id, attempt_id=f"doomed-{batch_id}", lease=lease, now=now)
    container.clock.pass_time(minutes=4)
    container.recovery.recover()
    operators.tick()
    assert operators.mail.received == []
    for _ in range(3):
        operators.tick(minutes=12)
    assert operators.mail.received == [f"technology, {TODAY}: unknown batch"]


@pytest.mark.parametrize("kind", OperatorAlertKind)
def test_every_kind_of_alert_names_a_command_for_the_person_who_reads_it(
    kind: OperatorAlertKind,
) -> None:
    alert = replace(PAUSED, kind=kind)
    assert "`newsletter " in alert.body
    assert alert.title == f"technology, 2026-11-23: {kind.value}"


def test_what_is_found_twice_is_worded_the_same() -> None:
    since = datetime.fromisoformat("2026-11-22T23:30:00+00:00")
    assert source_down_alert("t", "wire", since) == source_down_alert("t", "wire", since)
    assert source_down_alert("t", "wire", since).date.isoformat() == "2026-11-22"
    assert unknown_batch_alert("t", TODAY) == unknown_batch_alert("t", TODAY)


def test_the_pause_doubles_up_to_half_an_hour() -> None:
    pauses = [retry_pause(failures).total_seconds() for failures in range(1, 60)]
    assert pauses[:3] == [15, 30, 60]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 1800


def test_a_trial_says_by_channel_whether_it_arrived(operators: Operators) -> None:
    operators.chat.broken = True
    assert trial((operators.mail, operators.chat)) == {"mail": None, "chat": "it is broken"}
    assert operators.store.pending_alerts() == ()


def test_an_alert_leads_to_its_page_where_the_console_has_an_address(
    operators: Operators, receiver: Receiver
):
    operators.queue(PAUSED)
    operators.tick()
    assert "http" not in operators.mail.bodies[0]

    operators.alerting.console_url = "https://console.example.org"
    operators.alerting.channels = [*open_channels(receiver.url), operators.mail]
    operators.queue(EMPTY, account_alert("compliance_suspend", operators.container.clock.now()))
    operators.tick()
    links = [body.rpartition("\n")[2] for body in operators.mail.bodies[1:]]
    numbers = [operators.store.alert_number(EMPTY), links[1].rpartition("/")[2]]
    assert links == [
        f"https://console.example.org/technology/alerts/{number}" for number in numbers
    ]
    assert [posted["message"].rpartition("\n")[2] for posted in receiver.posted] == links
