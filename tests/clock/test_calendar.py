"""What the clock does with the day's issue, and what it tells operators, once."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from newsletter.adapters.log_alerts import log_notice
from newsletter.core.delivery import Refused, Remedy
from newsletter.core.operator_alert import NoticeKind
from newsletter.core.publication import ApprovalPolicy
from newsletter.core.stored import IssueState
from newsletter.errors import RenderingFailed
from tests.clock.clockwork import Clockwork, enter, open_clockwork
from tests.house import TECHNOLOGY, TODAY

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
    clockwork.house.receive("chips")
    clockwork.house.subscribe(folder, {f"r{n}@example.com": "" for n in range(3)})
    clockwork.tick()
    return clockwork


def after(**time: float) -> datetime:
    return HOUR + timedelta(**time)


def test_an_unapproved_issue_is_told_once_and_leaves_when_it_is_approved(by_person: Clockwork):
    by_person.run(after(hours=3))
    assert by_person.house.mailer.asked == []
    [notice] = by_person.told
    assert notice.kind is NoticeKind.UNAPPROVED
    assert "newsletter issue approve --date 2026-11-23" in notice.sentence

    by_person.house.publishing.approve(by_person.newsletter, TODAY, actor="test")
    by_person.run(after(hours=3, minutes=10))

    assert by_person.state(TODAY) is IssueState.SENT
    assert len(by_person.told) == 1


def test_a_draft_that_waits_for_approval_is_not_set_again_under_the_readers_eyes(
    by_person: Clockwork,
):
    by_person.run(after(minutes=10))
    shown = by_person.house.publishing.issue(by_person.newsletter, TODAY).content_hash
    by_person.house.receive("security")
    by_person.run(after(hours=1))

    assert by_person.house.publishing.issue(by_person.newsletter, TODAY).content_hash == shown


def test_an_issue_nobody_ever_approved_is_missed(by_person: Clockwork):
    by_person.run(after(hours=12))

    assert by_person.state(TODAY) is IssueState.MISSED
    assert by_person.notices() == [(23, "unapproved"), (23, "missed day")]


def test_what_cannot_be_sent_is_told_once_and_tried_again_each_minute(clockwork: Clockwork):
    clockwork.house.mailer.trouble = "SendGrid does not answer."
    clockwork.run(after(minutes=30))
    assert clockwork.state(TODAY) is IssueState.APPROVED
    [notice] = clockwork.told
    assert notice.kind is NoticeKind.FAILED
    assert "SendGrid does not answer." in notice.sentence

    clockwork.house.mailer.trouble = None
    clockwork.tick()  # too soon
    assert clockwork.state(TODAY) is IssueState.APPROVED
    clockwork.run(after(minutes=31), step=timedelta(seconds=2))
    assert clockwork.state(TODAY) is IssueState.SENT
    assert len(clockwork.told) == 1


def test_another_trouble_is_told_too(clockwork: Clockwork):
    clockwork.house.mailer.trouble = "SendGrid does not answer."
    clockwork.run(HOUR)
    clockwork.house.mailer.trouble = "SendGrid refuses the key."
    clockwork.run(after(minutes=10))

    assert clockwork.notices() == [(23, "failed")] * 2


def test_a_template_that_breaks_at_the_cut_off_is_told_and_the_day_goes_on_once_mended(
    clockwork: Clockwork, monkeypatch
):
    def broken(*_: object) -> None:
        raise RenderingFailed("issue.mjml.j2, line 3: unexpected end")

    with monkeypatch.context() as patch:
        patch.setattr(clockwork.house.renderer, "set", broken)
        clockwork.run(after(minutes=10))
    assert clockwork.notices() == [(23, "failed")]

    clockwork.run(after(minutes=20))
    assert clockwork.state(TODAY) is IssueState.SENT


def test_an_unforeseen_error_is_not_repeated_at_every_look(clockwork: Clockwork, monkeypatch):
    asked: list[datetime] = []

    def burst(*_: object) -> None:
        asked.append(clockwork.house.clock.now())
        raise KeyError("a slip of ours")

    monkeypatch.setattr(clockwork.house.dispatch, "send", burst)
    for second in range(0, 130, 2):
        clockwork.house.clock.time = after(seconds=second)
        with contextlib.suppress(KeyError):
            clockwork.calendar.keep(clockwork.newsletter)

    assert asked == [after(seconds=0), after(seconds=60), after(seconds=120)]


def test_a_paused_issue_is_told_each_time_it_pauses(clockwork: Clockwork):
    refused = Refused(reason="401: no such key", remedy=Remedy.PAUSE)
    clockwork.house.mailer.answers = [refused, refused]
    clockwork.run(after(minutes=30))
    assert clockwork.notices() == [(23, "paused")]
    assert clockwork.told[0].sentence == "paused: 401: no such key"

    clockwork.house.dispatch.send(clockwork.newsletter, TODAY)  # a person resumes it, too soon
    clockwork.run(after(minutes=50))
    assert clockwork.notices() == [(23, "paused")] * 2

    clockwork.house.dispatch.send(clockwork.newsletter, TODAY)
    clockwork.run(after(minutes=60))
    assert clockwork.state(TODAY) is IssueState.SENT
    assert len(clockwork.told) == 2


def test_an_empty_day_stays_empty_until_a_person_fills_it(engine: Engine, tmp_path):
    clockwork = open_clockwork(engine, BEFORE)
    clockwork.house.subscribe(tmp_path, {"r@example.com": ""})
    clockwork.tick()
    clockwork.run(after(hours=1))
    clockwork.house.receive("chips")
    clockwork.run(after(hours=13), step=timedelta(hours=1))

    assert clockwork.state(TODAY) is IssueState.EMPTY
    assert clockwork.notices() == [(23, "empty day")]


def test_sources_are_asked_before_a_day_is_called_empty(engine: Engine, tmp_path):
    clockwork = open_clockwork(engine, BEFORE)
    clockwork.house.subscribe(tmp_path, {"r@example.com": ""})
    clockwork.tick()
    clockwork.arriving.append("chips")
    clockwork.house.clock.time = after(hours=2)  # down over the cut-off and the hour
    clockwork.tick()

    assert clockwork.state(TODAY) is IssueState.SENT


def test_what_operators_could_not_be_told_is_told_later_and_by_whoever_leads_then(
    by_person: Clockwork,
):
    def deaf(notice: object) -> None:
        raise ConnectionError

    by_person.calendar._notify = deaf
    by_person.house.clock.time = after(minutes=1)
    by_person.calendar.keep(by_person.newsletter)
    with pytest.raises(ConnectionError):
        by_person.calendar.tell()

    successor = enter(by_person.house)
    successor.tick()
    successor.tick()

    assert successor.notices() == [(23, "unapproved")]


def test_the_log_is_the_least_that_operators_get(
    by_person: Clockwork, caplog: pytest.LogCaptureFixture
):
    by_person.calendar._notify = log_notice
    by_person.run(HOUR)

    [message] = caplog.messages
    assert message.startswith(
        "technology of 2026-11-23, unapproved: the issue of 2026-11-23 is not"
    )


def test_two_clocks_that_both_believe_to_lead_send_one_issue(clockwork: Clockwork):
    other = enter(clockwork.house)
    for minute in range(0, 90, 10):
        clockwork.house.clock.time = BEFORE + timedelta(minutes=minute)
        clockwork.tick()
        other.tick()

    assert clockwork.state(TODAY) is IssueState.SENT
    assert len(clockwork.house.mailer.asked) == 1
