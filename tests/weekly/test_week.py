"""The digest of a week: what it prints, who gets it, and a week as the clock keeps it."""

import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from newsletter.core.brief import Importance
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueState
from subscribers.model import Frequency
from tests.clock.clockwork import Clockwork, enter, open_clockwork
from tests.house import BASE_URL, TECHNOLOGY, TestHouse, brief, digests, open_house

pytestmark = pytest.mark.postgres

[DIGEST] = digests(TECHNOLOGY)
MONDAY, FRIDAY, SATURDAY = date(2026, 11, 23), date(2026, 11, 27), date(2026, 11, 28)
WEEK = timedelta(days=7)
_IMPORTANCE = {"chips": Importance.LOW, "security": Importance.HIGH}


@pytest.fixture
def house(engine: Engine, tmp_path) -> TestHouse:
    """A house with a daily and a weekly reader."""
    house = open_house(engine)
    house.subscribe(tmp_path, {"daily@example.com": "", "weekly@example.com": ""})
    prefer(house, "weekly@example.com", Frequency.WEEKLY)
    return house


def prefer(house: TestHouse, email: str, frequency: Frequency) -> None:
    [one] = house.subscriptions.by_email(email)
    house.subscriptions.set_frequency(one.id, frequency, now=house.clock.now(), actor="test")


def at(on: date, hour: int = 12) -> datetime:
    return datetime(on.year, on.month, on.day, hour, tzinfo=UTC)


def publish(house: TestHouse, on: date, *topics: str, late: timedelta = timedelta()) -> None:
    """Print a brief on each of these topics in the issue of a date."""
    house.clock.time = at(on, 11)
    for topic in topics:
        house.intake.receive(brief(topic, importance=_IMPORTANCE.get(topic, Importance.MEDIUM)))
    house.publishing.assemble(TECHNOLOGY, on)
    house.clock.time += late
    house.dispatch.send(TECHNOLOGY, on)
    house.queue.work(until_empty=True)


def digest(house: TestHouse, on: date = SATURDAY) -> list[str]:
    """Assemble the digest of a date, and return the topics of its briefs in order."""
    house.clock.time = at(on, 13)
    filed = house.publishing.assemble(DIGEST, on)
    return [entry.section for entry in filed.issue.entries]


def brief_id(house: TestHouse, topic: str) -> int:
    return house.intake.receive(brief(topic)).filed.brief_id


def test_it_prints_what_the_week_printed_the_weightiest_first_and_nothing_else(house: TestHouse):
    publish(house, MONDAY - timedelta(days=3), "robotics")  # the week before
    publish(house, MONDAY, "chips")
    publish(house, FRIDAY, "ai-models", "security")
    house.receive("policy")  # accepted, and never printed

    assert digest(house) == ["security", "ai-models", "chips"]
    assert digest(house) == ["security", "ai-models", "chips"]  # assembled again, it is the same


def test_a_brief_that_was_held_since_is_not_printed_again(house: TestHouse):
    publish(house, MONDAY, "chips", "security")
    held = brief_id(house, "chips")
    house.intake.hold(held, actor="test")
    assert digest(house) == ["security"]

    house.intake.hold(brief_id(house, "security"), actor="test")  # after it was approved
    filed = house.publishing.issue(DIGEST, SATURDAY)
    assert filed.state is IssueState.DRAFT
    assert digest(house) == []


def test_a_correction_is_printed_as_it_was_last_accepted(house: TestHouse):
    publish(house, MONDAY, "chips", "security")
    mended = brief(
        "chips", summary="What happened around chips is told anew here, since it was wrong."
    )
    house.intake.receive(mended)
    unproved = replace(brief("security"), source=replace(brief("security").source, url=""))
    house.intake.receive(unproved)

    assert digest(house) == ["chips"]
    [entry] = house.publishing.issue(DIGEST, SATURDAY).issue.entries
    assert entry.brief.summary == mended.summary


def test_what_left_late_is_of_the_next_week_and_nothing_is_of_two(house: TestHouse):
    publish(house, MONDAY, "chips")
    house.clock.time = at(FRIDAY, 11)
    house.receive("security")
    house.publishing.assemble(TECHNOLOGY, FRIDAY)
    assert digest(house) == ["chips"]
    house.clock.pass_time(hours=1)
    house.dispatch.send(TECHNOLOGY, FRIDAY)  # on Saturday, after the digest was set
    publish(house, MONDAY + WEEK, "policy")

    assert sorted(digest(house, SATURDAY + WEEK)) == ["policy", "security"]


def test_what_was_cancelled_is_not_told_again(house: TestHouse):
    house.clock.time = at(MONDAY, 11)
    house.receive("chips")
    filed = house.send()
    house.braking.cancel(filed, actor="test", because="a wrong headline")

    assert digest(house) == []


def test_the_newsletter_itself_never_prints_again_what_a_digest_printed(house: TestHouse):
    publish(house, FRIDAY, "chips")
    first = house.intake.receive(brief("chips")).filed.issue_id
    assert digest(house) == ["chips"]

    assert house.intake.receive(brief("chips")).filed.issue_id == first
    house.clock.time = at(SATURDAY, 11)
    assert house.publishing.assemble(TECHNOLOGY, SATURDAY).state is IssueState.EMPTY


def test_each_reader_gets_the_one_or_the_other_and_everything_adds_up(house: TestHouse):
    publish(house, MONDAY, "chips")
    digest(house)
    house.dispatch.send(DIGEST, SATURDAY)
    house.queue.work(until_empty=True)

    assert house.mailer.addresses == ["daily@example.com", "weekly@example.com"]
    for newsletter, on, left_out in (
        (TECHNOLOGY, MONDAY, "weekly@example.com"),
        (DIGEST, SATURDAY, "daily@example.com"),
    ):
        sums = house.inquiry.account(house.publishing.issue(newsletter, on)).sums
        assert (sums.audience, sums.excluded, sums.accepted, sums.add_up) == (2, 1, 1, True)
        why = house.inquiry.why(newsletter, left_out, on).sentence
        assert why == "Not sent: they chose to be written to at another frequency."


def test_the_links_and_the_list_are_those_of_the_one_subscription(house: TestHouse):
    publish(house, MONDAY, "chips")
    digest(house)
    house.dispatch.send(DIGEST, SATURDAY)
    house.queue.work(until_empty=True)
    envelope, letter, claim = house.mailer.asked[-1]

    [one] = house.subscriptions.by_email("weekly@example.com")
    assert [r.subscription_id for r in claim.recipients] == [one.id]
    assert one.newsletter == TECHNOLOGY.slug
    [path] = set(re.findall(rf"{BASE_URL}/technology-weekly/2026-11-28/(\w+)", letter.text))
    assert "22–28 November 2026" in house.publishing.public_view(DIGEST, SATURDAY, path).text
    assert envelope.headers["List-Id"] == f"The week in Technology <{TECHNOLOGY.list_id}>"


def test_who_goes_back_to_daily_after_the_digest_was_planned_is_left_out(house: TestHouse):
    publish(house, MONDAY, "chips")
    digest(house)
    filed = house.dispatch.send(DIGEST, SATURDAY)
    prefer(house, "weekly@example.com", Frequency.DAILY)
    house.queue.work(until_empty=True)

    account = house.inquiry.account(filed)
    assert account.sums.add_up
    assert account.skips == {"other_frequency": 1}
    why = house.inquiry.why(DIGEST, "weekly@example.com", SATURDAY).sentence
    assert "left out at the last moment" in why


@pytest.fixture
def clocks(engine: Engine, tmp_path) -> tuple[Clockwork, Clockwork]:
    """The clocks of a newsletter and of its digest, on a Monday before dawn."""
    daily = open_clockwork(engine, at(MONDAY, 8))
    weekly = enter(replace(daily.house, newsletter=digests(daily.newsletter)[0]))
    rows = ("daily", "weekly", "to-weekly", "to-daily")
    daily.house.subscribe(tmp_path, {f"{name}@example.com": "" for name in rows})
    for name in ("weekly", "to-daily"):
        prefer(daily.house, f"{name}@example.com", Frequency.WEEKLY)
    return daily, weekly


def run(clocks: tuple[Clockwork, Clockwork], until: datetime) -> None:
    clock = clocks[0].house.clock
    while clock.time < until:
        clock.time += timedelta(hours=1)
        for one in clocks:
            one.tick()


def letters(house: TestHouse) -> dict[str, list[tuple[str, int]]]:
    """Return by reader the issues they got: the newsletter and the day of the month."""
    got: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for _, _, claim in house.mailer.asked:
        issue = house.issues.get(claim.issue_id).issue
        assert len(set(claim.brief_ids)) == len(claim.brief_ids)
        for one in claim.recipients:
            got[one.email.partition("@")[0]].append((issue.newsletter, issue.date.day))
    return got


def test_a_week_with_two_changes_of_mind(clocks: tuple[Clockwork, Clockwork]):
    house = clocks[0].house
    for day, topic in enumerate(("chips", "security", "policy", "software", "robotics")):
        house.receive(topic)
        if day == 2:
            prefer(house, "to-weekly@example.com", Frequency.WEEKLY)
            prefer(house, "to-daily@example.com", Frequency.DAILY)
        run(clocks, at(MONDAY + timedelta(days=day + 1), 8))
    run(clocks, at(SATURDAY, 23))

    daily, weekly = TECHNOLOGY.slug, DIGEST.slug
    assert letters(house) == {
        "daily": [(daily, day) for day in (23, 24, 25, 26, 27)],
        "to-weekly": [(daily, 23), (daily, 24), (weekly, 28)],
        "to-daily": [(daily, 25), (daily, 26), (daily, 27)],
        "weekly": [(weekly, 28)],
    }
    assert sorted(house.mailer.asked[-1][2].brief_ids) == [1, 2, 3, 4, 5]
    assert everything_adds_up(house, TECHNOLOGY, [*range(23, 28)])
    assert everything_adds_up(house, clocks[1].newsletter, [28])
    assert clocks[0].told == clocks[1].told == []


def everything_adds_up(house: TestHouse, newsletter: Newsletter, days: list[int]) -> bool:
    filed = [house.publishing.issue(newsletter, date(2026, 11, day)) for day in days]
    sums = [house.inquiry.account(one).sums for one in filed]
    return all(one.add_up and one.audience == 4 and not one.to_go for one in sums)


def test_an_empty_week_sends_nothing_and_operators_are_told(clocks: tuple[Clockwork, Clockwork]):
    house = clocks[0].house
    house.clock.time = at(FRIDAY, 20)
    clocks[1].tick()
    house.receive("chips")  # accepted, and in no issue
    run(clocks, at(SATURDAY, 23))

    assert house.mailer.asked == []
    [notice] = clocks[1].told
    assert (notice.newsletter, notice.kind.value, notice.date) == (
        DIGEST.slug,
        "empty day",
        SATURDAY,
    )
    assert "no issue of the week" in notice.sentence
