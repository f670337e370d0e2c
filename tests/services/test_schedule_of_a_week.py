"""A fortnight of simulated days on real PostgreSQL: the right issues, each once."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from newsletter.core.stored import IssueStatus
from tests.services.clockwork import Clockwork, open_clockwork, start_clock

pytestmark = pytest.mark.postgres

READERS = [f"r{n}@example.com" for n in range(3)]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment from late October to mid November 2026, in UTC."""
    return datetime(2026, 10 if day > 15 else 11, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def clockwork(engine: Engine, tmp_path) -> Clockwork:
    """A clock in New York, which turns back from summer on Sunday, 1 November; the 11th is off."""
    clockwork = open_clockwork(engine, at(29, 20), holidays=(date(2026, 11, 11),))
    clockwork.container.subscribe(tmp_path, dict.fromkeys(READERS, ""))
    clockwork.tick()
    return clockwork


def test_a_fortnight_of_days(clockwork: Clockwork):
    container, run = clockwork.container, clockwork.run

    clockwork.container.receive("chips")
    run(at(30, 10))
    assert clockwork.states() == {30: "approved"}  # the cut-off was 05:30, the hour is 06:10
    run(at(30, 10, 10))
    assert clockwork.states() == {30: "sent"}

    run(at(1, 23))  # nobody works, and the clocks turn
    assert clockwork.states() == {30: "sent"}
    container.receive("security")
    run(at(2, 11))
    assert clockwork.state(date(2026, 11, 2)) is IssueStatus.APPROVED
    run(at(2, 11, 10))  # an hour later in UTC, the same in New York
    assert clockwork.state(date(2026, 11, 2)) is IssueStatus.SENT

    run(at(3, 20))  # nothing came in
    assert clockwork.state(date(2026, 11, 3)) is IssueStatus.EMPTY
    assert clockwork.alert_days() == [(3, "empty day")]

    clockwork.container.receive("policy")
    run(at(4, 10))
    container.clock.time = at(4, 17)  # down over the hour, and up again while it is fresh
    clockwork = start_clock(container)
    clockwork.tick()
    assert clockwork.state(date(2026, 11, 4)) is IssueStatus.SENT

    clockwork.container.receive("software")
    clockwork.run(at(5, 11))  # approved, and then nothing runs for four days
    assert clockwork.state(date(2026, 11, 5)) is IssueStatus.APPROVED
    container.clock.time = at(9, 15)
    clockwork = start_clock(container)
    clockwork.container.receive("robotics")
    clockwork.run(at(9, 20))
    assert clockwork.alert_days() == [(5, "missed day"), (6, "missed day")]
    assert clockwork.state(date(2026, 11, 9)) is IssueStatus.SENT

    clockwork.container.receive("ai-models")
    clockwork.run(at(10, 11))
    stored = container.publishing.issue(clockwork.newsletter, date(2026, 11, 10))
    container.planning.plan(clockwork.newsletter, stored)  # and dies before it hands anything over
    clockwork = start_clock(container)
    clockwork.run(at(10, 12))
    assert clockwork.state(date(2026, 11, 10)) is IssueStatus.SENDING
    container.recovery.recover()
    clockwork.run(at(12, 10))  # over the holiday

    assert clockwork.states() == {
        30: "sent",
        2: "sent",
        3: "empty",
        4: "sent",
        5: "missed",
        6: "missed",
        9: "sent",
        10: "sent",
    }
    assert clockwork.alert_days() == []
    assert [on.day for on, _ in clockwork.sent()] == [30, 2, 4, 9, 10]
    assert all(readers == READERS for _, readers in clockwork.sent())


def test_a_missed_issue_frees_its_briefs_and_its_number(clockwork: Clockwork):
    container = clockwork.container
    clockwork.container.receive("chips")
    clockwork.run(at(30, 10))
    assert container.publishing.issue(clockwork.newsletter, date(2026, 10, 30)).issue.number == 1

    container.clock.time = at(30, 23)
    clockwork.tick()
    missed = container.publishing.issue(clockwork.newsletter, date(2026, 10, 30))
    assert missed.reason == (
        "missed: it was approved, and could not be sent within 12 hours of "
        "06:10:00 America/New_York"
    )
    assert (missed.issue.entries, missed.approved_hash) == ((), None)
    asked = container.explaining.why(clockwork.newsletter, READERS[0], date(2026, 10, 30))
    assert asked.sentence.startswith("Nobody got the issue of 2026-10-30; it was missed: ")

    clockwork.container.receive("security")
    container.clock.time = at(31, 5)
    saturday = container.publishing.assemble(clockwork.newsletter, date(2026, 10, 31))
    assert {entry.section for entry in saturday.issue.entries} == {"chips", "security"}
    assert saturday.issue.number == 1


def test_a_person_may_still_send_a_missed_issue(clockwork: Clockwork):
    clockwork.container.receive("chips")
    clockwork.container.clock.time = at(30, 23)
    clockwork.tick()
    assert clockwork.state(date(2026, 10, 30)) is IssueStatus.MISSED

    clockwork.container.planning.hand_over(clockwork.newsletter, date(2026, 10, 30))
    clockwork.run(at(31, 2))

    assert clockwork.state(date(2026, 10, 30)) is IssueStatus.SENT
    assert clockwork.alert_days() == [(30, "missed day")]


def test_the_first_clock_names_no_day_before_itself(engine: Engine, tmp_path):
    clockwork = open_clockwork(engine, at(30, 12))  # Friday's hour is over
    clockwork.container.subscribe(tmp_path, dict.fromkeys(READERS, ""))
    clockwork.container.receive("chips")
    clockwork.run(at(1, 12), step=timedelta(hours=1))

    assert clockwork.states() == {}
    assert clockwork.alerts == []
