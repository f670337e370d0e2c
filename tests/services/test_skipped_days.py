"""A day that a person skips has no issue, is not missed, and may have one after all."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from newsletter.core.stored import IssueStatus
from newsletter.errors import NotAllowed
from tests.container import TODAY
from tests.services.clockwork import Clockwork, open_clockwork

pytestmark = pytest.mark.postgres

TOMORROW = TODAY + timedelta(days=1)


BEFORE = datetime(2026, 11, 23, 10, tzinfo=UTC)
AFTER = BEFORE + timedelta(hours=2)


@pytest.fixture
def clockwork(engine: Engine, tmp_path) -> Clockwork:
    clockwork = open_clockwork(engine, BEFORE)
    clockwork.container.receive("chips")
    clockwork.container.subscribe(tmp_path, {f"r{n}@example.com": "" for n in range(3)})
    return clockwork


def skip(clockwork: Clockwork, day: date, because: str = "nobody works") -> None:
    days = clockwork.container.skipped_days
    days.skip(clockwork.newsletter, day, because=because, actor="ana")


def test_a_skipped_day_is_not_made_and_not_missed(clockwork: Clockwork) -> None:
    skip(clockwork, TODAY)
    clockwork.run(AFTER + timedelta(days=1))
    assert clockwork.state(TODAY) is None
    assert clockwork.state(TOMORROW) is not None
    assert not [one for one in clockwork.alerts if one.date == TODAY]


def test_a_day_that_is_skipped_no_longer_is_made(clockwork: Clockwork) -> None:
    days = clockwork.container.skipped_days
    skip(clockwork, TODAY)
    clockwork.tick()
    assert days.unskip(clockwork.newsletter, TODAY, actor="ben")
    assert not days.unskip(clockwork.newsletter, TODAY, actor="ben")
    clockwork.run(AFTER)
    assert clockwork.state(TODAY) is IssueStatus.SENT
    about = clockwork.container.decisions.about(f"day technology {TODAY}")
    assert [(one.actor, one.verb) for one in about] == [("ana", "skip"), ("ben", "unskip")]


def test_a_skip_needs_a_reason_a_day_to_come_and_an_issue_that_was_not_planned(
    clockwork: Clockwork,
) -> None:
    with pytest.raises(NotAllowed, match="a reason is needed"):
        skip(clockwork, TODAY, "")
    with pytest.raises(NotAllowed, match="is over"):
        skip(clockwork, TODAY - timedelta(days=1))
    clockwork.run(AFTER)
    assert clockwork.state(TODAY) is IssueStatus.SENT
    with pytest.raises(NotAllowed, match="no day to skip"):
        skip(clockwork, TODAY)


def test_the_first_who_skips_a_day_says_why(clockwork: Clockwork) -> None:
    for because in ("nobody works", "another reason"):
        skip(clockwork, TOMORROW, because)
    [(day, skipped)] = clockwork.container.skipped_days.since(clockwork.newsletter, TODAY).items()
    assert (day, skipped.by, skipped.because) == (TOMORROW, "ana", "nobody works")
    assert isinstance(skipped.at, datetime)


def test_a_skipped_day_is_a_day_of_rest_in_the_week(clockwork: Clockwork) -> None:
    skip(clockwork, TOMORROW)
    overview = clockwork.container.today.of(clockwork.newsletter)
    assert {one.on: one.is_due for one in overview.week}[TOMORROW] is False
    assert overview.next_on != TOMORROW
