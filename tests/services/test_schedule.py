"""What the schedule does with the day's issue, and the alerts it sends, once."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from newsletter.adapters.alerts import log_alert
from newsletter.core.delivery import Refused, Remedy
from newsletter.core.operator_alert import OperatorAlertKind
from newsletter.core.publication import ApprovalPolicy
from newsletter.core.stored import IssueStatus
from newsletter.errors import RenderingFailed
from tests.container import TODAY
from tests.services.clockwork import Clockwork, open_clockwork, start_clock
from tests.settings import TECHNOLOGY

pytestmark = pytest.mark.postgres

BY_PERSON = replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON)
BEFORE = datetime(2026, 11, 23, 10, tzinfo=UTC)
HOUR = datetime(2026, 11, 23, 11, 10, tzinfo=UTC)


@pytest.fixture
def clockwork(engine: Engine, tmp_path) -> Clockwork:
    return filled(open_clockwork(engine, BEFORE), tmp_path)


@pytest.fixture
def by_person(engine: Engine, tmp_path) -> Clockwork:
    return filled(open_clockwork(engine, BEFORE, BY_PERSON), tmp_path)


def filled(clockwork: Clockwork, folder) -> Clockwork:
    clockwork.container.receive("chips")
    clockwork.container.subscribe(folder, {f"r{n}@example.com": "" for n in range(3)})
    clockwork.tick()
    return clockwork


def after(**time: float) -> datetime:
    return HOUR + timedelta(**time)


def test_an_unapproved_issue_is_reported_once_and_sent_when_it_is_approved(by_person: Clockwork):
    by_person.run(after(hours=3))
    assert by_person.container.mailer.asked == []
    [alert] = by_person.alerts
    assert alert.kind is OperatorAlertKind.UNAPPROVED
    assert "newsletter issue approve --date 2026-11-23" in alert.sentence

    by_person.container.publishing.approve(by_person.newsletter, TODAY, actor="test")
    by_person.run(after(hours=3, minutes=10))

    assert by_person.state(TODAY) is IssueStatus.SENT
    assert len(by_person.alerts) == 1


def test_a_draft_that_waits_for_approval_is_not_set_again_under_the_readers_eyes(
    by_person: Clockwork,
):
    by_person.run(after(minutes=10))
    shown = by_person.container.publishing.issue(by_person.newsletter, TODAY).content_hash
    by_person.container.receive("security")
    by_person.run(after(hours=1))

    assert by_person.container.publishing.issue(by_person.newsletter, TODAY).content_hash == shown


def test_an_issue_nobody_ever_approved_is_missed(by_person: Clockwork):
    by_person.run(after(hours=12))

    assert by_person.state(TODAY) is IssueStatus.MISSED
    assert by_person.alert_days() == [(23, "unapproved"), (23, "missed day")]


def test_what_cannot_be_sent_is_reported_once_and_tried_again_each_minute(clockwork: Clockwork):
    clockwork.container.mailer.trouble = "SendGrid does not answer."
    clockwork.run(after(minutes=30))
    assert clockwork.state(TODAY) is IssueStatus.APPROVED
    [alert] = clockwork.alerts
    assert alert.kind is OperatorAlertKind.FAILED
    assert "SendGrid does not answer." in alert.sentence

    clockwork.container.mailer.trouble = None
    clockwork.tick()  # too soon
    assert clockwork.state(TODAY) is IssueStatus.APPROVED
    clockwork.run(after(minutes=31), step=timedelta(seconds=2))
    assert clockwork.state(TODAY) is IssueStatus.SENT
    assert len(clockwork.alerts) == 1


def test_another_failure_is_reported_too(clockwork: Clockwork):
    clockwork.container.mailer.trouble = "SendGrid does not answer."
    clockwork.run(HOUR)
    clockwork.container.mailer.trouble = "SendGrid refuses the key."
    clockwork.run(after(minutes=10))

    assert clockwork.alert_days() == [(23, "failed")] * 2


@pytest.mark.usefixtures("set_in_type_anew")
def test_a_template_that_breaks_at_the_cut_off_is_reported_and_the_day_goes_on_once_mended(
    clockwork: Clockwork, monkeypatch
):
    def broken(*_: object) -> None:
        raise RenderingFailed("issue.mjml.j2, line 3: unexpected end")

    with monkeypatch.context() as patch:
        patch.setattr(clockwork.container.renderer, "set", broken)
        clockwork.run(after(minutes=10))
    assert clockwork.alert_days() == [(23, "failed")]

    clockwork.run(after(minutes=20))
    assert clockwork.state(TODAY) is IssueStatus.SENT


def test_an_unforeseen_error_is_not_repeated_at_every_look(clockwork: Clockwork, monkeypatch):
    asked: list[datetime] = []

    def burst(*_: object) -> None:
        asked.append(clockwork.container.clock.now())
        raise KeyError("a slip of ours")

    monkeypatch.setattr(clockwork.container.planning, "hand_over", burst)
    for second in range(0, 130, 2):
        clockwork.container.clock.time = after(seconds=second)
        with contextlib.suppress(KeyError):
            clockwork.schedule.run_due(clockwork.newsletter)

    assert asked == [after(seconds=0), after(seconds=60), after(seconds=120)]


def resume(clockwork: Clockwork) -> None:
    limits, issues = clockwork.container.sending_limits, clockwork.container.issues
    stored = issues.find("technology", TODAY)
    assert stored
    limits.resume(stored, actor="test", because="it is better now")
    clockwork.container.recovery.recover()


def test_a_paused_issue_is_reported_each_time_it_pauses(clockwork: Clockwork):
    refused = Refused(reason="401: no such key", remedy=Remedy.PAUSE)
    clockwork.container.mailer.answers = [refused, refused]
    clockwork.run(after(minutes=30))
    assert clockwork.alert_days() == [(23, "paused")]
    assert clockwork.alerts[0].sentence == "paused by the worker: 401: no such key"

    resume(clockwork)  # too soon
    clockwork.run(after(minutes=50))
    assert clockwork.alert_days() == [(23, "paused")] * 2

    resume(clockwork)
    clockwork.run(after(minutes=60))
    assert clockwork.state(TODAY) is IssueStatus.SENT
    assert len(clockwork.alerts) == 2


def test_an_empty_day_stays_empty_until_a_person_fills_it(engine: Engine, tmp_path):
    clockwork = open_clockwork(engine, BEFORE)
    clockwork.container.subscribe(tmp_path, {"r@example.com": ""})
    clockwork.tick()
    clockwork.run(after(hours=1))
    clockwork.container.receive("chips")
    clockwork.run(after(hours=13), step=timedelta(hours=1))

    assert clockwork.state(TODAY) is IssueStatus.EMPTY
    assert clockwork.alert_days() == [(23, "empty day")]


def test_sources_are_asked_before_a_day_is_called_empty(engine: Engine, tmp_path):
    clockwork = open_clockwork(engine, BEFORE)
    clockwork.container.subscribe(tmp_path, {"r@example.com": ""})
    clockwork.tick()
    clockwork.arriving.append("chips")
    clockwork.container.clock.time = after(hours=2)  # down over the cut-off and the hour
    clockwork.tick()

    assert clockwork.state(TODAY) is IssueStatus.SENT


def test_an_alert_that_could_not_be_sent_is_sent_later_by_whoever_leads_then(
    by_person: Clockwork,
):
    def unreachable(alert: object) -> None:
        raise ConnectionError

    by_person.schedule.notify = unreachable
    by_person.container.clock.time = after(minutes=1)
    by_person.schedule.run_due(by_person.newsletter)
    with pytest.raises(ConnectionError):
        by_person.schedule.send_alerts()

    successor = start_clock(by_person.container)
    successor.tick()
    successor.tick()

    assert successor.alert_days() == [(23, "unapproved")]


def test_the_log_is_the_least_that_operators_get(
    by_person: Clockwork, caplog: pytest.LogCaptureFixture
):
    by_person.schedule.notify = log_alert
    by_person.run(HOUR)

    [message] = caplog.messages
    assert message.startswith(
        "technology of 2026-11-23, unapproved: the issue of 2026-11-23 is not"
    )


def test_two_clocks_that_both_believe_to_lead_send_one_issue(clockwork: Clockwork):
    other = start_clock(clockwork.container)
    for minute in range(0, 90, 10):
        clockwork.container.clock.time = BEFORE + timedelta(minutes=minute)
        clockwork.tick()
        other.tick()

    assert clockwork.state(TODAY) is IssueStatus.SENT
    assert len(clockwork.container.mailer.asked) == 1
