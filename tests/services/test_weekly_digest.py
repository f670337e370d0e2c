"""The digest of a week: what it prints, who gets it, and a week as the clock keeps it."""

import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from newsletter.core.brief import Importance
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus
from subscribers.model import Frequency
from tests.container import TestContainer, brief, open_container
from tests.services.clockwork import Clockwork, open_clockwork, start_clock
from tests.settings import BASE_URL, TECHNOLOGY, digests

pytestmark = pytest.mark.postgres

[DIGEST] = digests(TECHNOLOGY)
MONDAY, FRIDAY, SATURDAY = date(2026, 11, 23), date(2026, 11, 27), date(2026, 11, 28)
WEEK = timedelta(days=7)
_IMPORTANCE = {"chips": Importance.LOW, "security": Importance.HIGH}


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    """A container with a daily and a weekly reader."""
    container = open_container(engine)
    container.subscribe(tmp_path, {"daily@example.com": "", "weekly@example.com": ""})
    prefer(container, "weekly@example.com", Frequency.WEEKLY)
    return container


def prefer(container: TestContainer, email: str, frequency: Frequency) -> None:
    [one] = container.subscriptions.by_email(email)
    container.subscriptions.set_frequency(
        one.id, frequency, now=container.clock.now(), actor="test"
    )


def at(on: date, hour: int = 12) -> datetime:
    return datetime(on.year, on.month, on.day, hour, tzinfo=UTC)


def publish(
    container: TestContainer, on: date, *topics: str, late: timedelta = timedelta()
) -> None:
    """Print a brief on each of these topics in the issue of a date."""
    container.clock.time = at(on, 11)
    for topic in topics:
        container.intake.receive(brief(topic, importance=_IMPORTANCE.get(topic, Importance.MEDIUM)))
    container.publishing.assemble(TECHNOLOGY, on)
    container.clock.time += late
    container.planning.hand_over(TECHNOLOGY, on)
    container.queue.work(until_empty=True)


def digest(container: TestContainer, on: date = SATURDAY) -> list[str]:
    """Assemble the digest of a date, and return the topics of its briefs in order."""
    container.clock.time = at(on, 13)
    stored = container.publishing.assemble(DIGEST, on)
    return [entry.section for entry in stored.issue.entries]


def brief_id(container: TestContainer, topic: str) -> int:
    return container.intake.receive(brief(topic)).stored.brief_id


def test_it_prints_what_the_week_printed_the_weightiest_first_and_nothing_else(
    container: TestContainer,
):
    publish(container, MONDAY - timedelta(days=3), "robotics")  # the week before
    publish(container, MONDAY, "chips")
    publish(container, FRIDAY, "ai-models", "security")
    container.receive("policy")  # accepted, and never printed

    assert digest(container) == ["security", "ai-models", "chips"]
    assert digest(container) == [
        "security",
        "ai-models",
        "chips",
    ]  # assembled again, it is the same


def test_a_brief_that_was_held_since_is_not_printed_again(container: TestContainer):
    publish(container, MONDAY, "chips", "security")
    held = brief_id(container, "chips")
    container.intake.hold(held, actor="test")
    assert digest(container) == ["security"]

    container.intake.hold(brief_id(container, "security"), actor="test")  # after it was approved
    stored = container.publishing.issue(DIGEST, SATURDAY)
    assert stored.state is IssueStatus.DRAFT
    assert digest(container) == []


def test_a_correction_is_printed_as_it_was_last_accepted(container: TestContainer):
    publish(container, MONDAY, "chips", "security")
    mended = brief(
        "chips", summary="What happened around chips is described again here, since it was wrong."
    )
    container.intake.receive(mended)
    unproved = replace(brief("security"), source=replace(brief("security").source, url=""))
    container.intake.receive(unproved)

    assert digest(container) == ["chips"]
    [entry] = container.publishing.issue(DIGEST, SATURDAY).issue.entries
    assert entry.brief.summary == mended.summary


def test_what_left_late_is_of_the_next_week_and_nothing_is_of_two(container: TestContainer):
    publish(container, MONDAY, "chips")
    container.clock.time = at(FRIDAY, 11)
    container.receive("security")
    container.publishing.assemble(TECHNOLOGY, FRIDAY)
    assert digest(container) == ["chips"]
    container.clock.pass_time(hours=1)
    container.planning.hand_over(TECHNOLOGY, FRIDAY)  # on Saturday, after the digest was set
    publish(container, MONDAY + WEEK, "policy")

    assert sorted(digest(container, SATURDAY + WEEK)) == ["policy", "security"]


def test_what_was_cancelled_is_not_printed_again(container: TestContainer):
    container.clock.time = at(MONDAY, 11)
    container.receive("chips")
    stored = container.plan_issue()
    container.sending_limits.cancel(stored, actor="test", because="a wrong headline")

    assert digest(container) == []


def test_the_newsletter_itself_never_prints_again_what_a_digest_printed(container: TestContainer):
    publish(container, FRIDAY, "chips")
    first = container.intake.receive(brief("chips")).stored.issue_id
    assert digest(container) == ["chips"]

    assert container.intake.receive(brief("chips")).stored.issue_id == first
    container.clock.time = at(SATURDAY, 11)
    assert container.publishing.assemble(TECHNOLOGY, SATURDAY).state is IssueStatus.EMPTY


def test_each_reader_gets_the_one_or_the_other_and_everything_adds_up(container: TestContainer):
    publish(container, MONDAY, "chips")
    digest(container)
    container.planning.hand_over(DIGEST, SATURDAY)
    container.queue.work(until_empty=True)

    assert container.mailer.addresses == ["daily@example.com", "weekly@example.com"]
    for newsletter, on, left_out in (
        (TECHNOLOGY, MONDAY, "weekly@example.com"),
        (DIGEST, SATURDAY, "daily@example.com"),
    ):
        sums = container.deliveries.totals(container.publishing.issue(newsletter, on).id).sums
        assert (sums.audience, sums.excluded, sums.accepted, sums.adds_up) == (2, 1, 1, True)
        why = container.explaining.why(newsletter, left_out, on).sentence
        assert why == "Not sent: they chose to be written to at another frequency."


def test_the_links_and_the_list_are_those_of_the_one_subscription(container: TestContainer):
    publish(container, MONDAY, "chips")
    digest(container)
    container.planning.hand_over(DIGEST, SATURDAY)
    container.queue.work(until_empty=True)
    envelope, letter, claim = container.mailer.asked[-1]

    [one] = container.subscriptions.by_email("weekly@example.com")
    assert [r.subscription_id for r in claim.recipients] == [one.id]
    assert one.newsletter == TECHNOLOGY.slug
    [path] = set(re.findall(rf"{BASE_URL}/technology-weekly/2026-11-28/(\w+)", letter.text))
    assert "22–28 November 2026" in container.public_pages.issue(DIGEST, SATURDAY, path).letter.text
    assert envelope.headers["List-Id"] == f"The week in Technology <{TECHNOLOGY.list_id}>"


def test_who_goes_back_to_daily_after_the_digest_was_planned_is_left_out(container: TestContainer):
    publish(container, MONDAY, "chips")
    digest(container)
    stored = container.planning.hand_over(DIGEST, SATURDAY).issue
    prefer(container, "weekly@example.com", Frequency.DAILY)
    container.queue.work(until_empty=True)

    account = container.deliveries.totals(stored.id)
    assert account.sums.adds_up
    assert account.skips == {"other_frequency": 1}
    why = container.explaining.why(DIGEST, "weekly@example.com", SATURDAY).sentence
    assert "skipped at the last moment" in why


@pytest.fixture
def clocks(engine: Engine, tmp_path) -> tuple[Clockwork, Clockwork]:
    """The clocks of a newsletter and of its digest, on a Monday before dawn."""
    daily = open_clockwork(engine, at(MONDAY, 8))
    weekly = start_clock(daily.container, digests(daily.newsletter)[0])
    rows = ("daily", "weekly", "to-weekly", "to-daily")
    daily.container.subscribe(tmp_path, {f"{name}@example.com": "" for name in rows})
    for name in ("weekly", "to-daily"):
        prefer(daily.container, f"{name}@example.com", Frequency.WEEKLY)
    return daily, weekly


def run(clocks: tuple[Clockwork, Clockwork], until: datetime) -> None:
    clock = clocks[0].container.clock
    while clock.time < until:
        clock.time += timedelta(hours=1)
        for one in clocks:
            one.tick()


def letters(container: TestContainer) -> dict[str, list[tuple[str, int]]]:
    """Return by reader the issues they got: the newsletter and the day of the month."""
    got: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for _, _, claim in container.mailer.asked:
        issue = container.issues.get(claim.issue_id).issue
        assert len(set(claim.brief_ids)) == len(claim.brief_ids)
        for one in claim.recipients:
            got[one.email.partition("@")[0]].append((issue.newsletter, issue.date.day))
    return got


def test_a_week_with_two_changes_of_mind(clocks: tuple[Clockwork, Clockwork]):
    container = clocks[0].container
    for day, topic in enumerate(("chips", "security", "policy", "software", "robotics")):
        container.receive(topic)
        if day == 2:
            prefer(container, "to-weekly@example.com", Frequency.WEEKLY)
            prefer(container, "to-daily@example.com", Frequency.DAILY)
        run(clocks, at(MONDAY + timedelta(days=day + 1), 8))
    run(clocks, at(SATURDAY, 23))

    daily, weekly = TECHNOLOGY.slug, DIGEST.slug
    assert letters(container) == {
        "daily": [(daily, day) for day in (23, 24, 25, 26, 27)],
        "to-weekly": [(daily, 23), (daily, 24), (weekly, 28)],
        "to-daily": [(daily, 25), (daily, 26), (daily, 27)],
        "weekly": [(weekly, 28)],
    }
    assert sorted(container.mailer.asked[-1][2].brief_ids) == [1, 2, 3, 4, 5]
    assert everything_adds_up(container, TECHNOLOGY, [*range(23, 28)])
    assert everything_adds_up(container, clocks[1].newsletter, [28])
    assert clocks[0].alerts == clocks[1].alerts == []


def everything_adds_up(container: TestContainer, newsletter: Newsletter, days: list[int]) -> bool:
    stored = [container.publishing.issue(newsletter, date(2026, 11, day)) for day in days]
    sums = [container.deliveries.totals(one.id).sums for one in stored]
    return all(one.adds_up and one.audience == 4 and not one.to_go for one in sums)


def test_an_empty_week_sends_nothing_and_operators_are_alerted(clocks: tuple[Clockwork, Clockwork]):
    container = clocks[0].container
    container.clock.time = at(FRIDAY, 20)
    clocks[1].tick()
    container.receive("chips")  # accepted, and in no issue
    run(clocks, at(SATURDAY, 23))

    assert container.mailer.asked == []
    [alert] = clocks[1].alerts
    assert (alert.newsletter, alert.kind.value, alert.date) == (
        DIGEST.slug,
        "empty day",
        SATURDAY,
    )
    assert "no issue of the week" in alert.sentence
