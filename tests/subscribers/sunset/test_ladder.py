"""The sunset on its way: asked once, paused without an answer, and back with a press."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from newsletter.errors import NotAllowed
from subscribers.model import SubscriptionStatus
from tests.settings import TECHNOLOGY
from tests.subscribers.sunset.audience import DAY, NEWSLETTER, Audience, open_audience

pytestmark = pytest.mark.postgres

INACTIVE = "inactive@example.com"


@pytest.fixture
def audience(engine: Engine, tmp_path) -> Audience:
    """A reader who is inactive for long, and one who reads."""
    audience = open_audience(engine)
    audience.container.subscribe(tmp_path, {INACTIVE: "", "reads@example.com": ""})
    for email in (INACTIVE, "reads@example.com"):
        audience.joined(audience.reader(email), 120)
        audience.letters(audience.reader(email), 5)
    audience.engaged(audience.reader("reads@example.com"), audience.now.date() - 3 * DAY)
    return audience


def test_who_is_inactive_is_asked_once_and_paused_without_an_answer(audience: Audience):
    assert audience.ask_inactive() == (1, 0)
    audience.sendgrid_takes_all()
    for _ in range(13):
        audience.container.clock.time += DAY
        assert audience.ask_inactive() == (0, 0)
    audience.container.clock.time += DAY
    assert audience.ask_inactive() == (0, 1)
    audience.container.clock.time += DAY
    assert audience.ask_inactive() == (0, 0)

    inactive = audience.reader(INACTIVE)
    assert (inactive.status, inactive.paused_until) == (SubscriptionStatus.ACTIVE, None)
    assert inactive.paused_at
    assert audience.questions() == 1
    assert audience.history(inactive) == [("clock", "asked"), ("clock", "paused")]
    assert audience.reader("reads@example.com").paused_at is None


def test_nobody_is_paused_whom_the_question_did_not_reach(audience: Audience):
    assert audience.ask_inactive() == (1, 0)
    audience.run("DELETE FROM transactional_email")  # as if it had died before it wrote the letter
    audience.container.clock.time += 14 * DAY

    assert audience.ask_inactive() == (1, 0)
    assert audience.questions() == 1
    assert audience.reader(INACTIVE).paused_at is None


def test_a_click_is_an_answer(audience: Audience):
    audience.ask_inactive()
    audience.sendgrid_takes_all()
    audience.container.clock.time += 5 * DAY
    audience.engaged(audience.reader(INACTIVE), audience.now.date())
    audience.container.clock.time += 30 * DAY

    assert audience.ask_inactive() == (0, 0)


def test_what_somebody_does_on_their_own_pages_is_an_answer(audience: Audience):
    audience.ask_inactive()
    audience.sendgrid_takes_all()
    audience.container.clock.time += 14 * DAY
    audience.ask_inactive()
    inactive = audience.reader(INACTIVE)
    assert audience.container.subscriptions.unpause(
        inactive.id, now=audience.now, actor="subscriber"
    )
    audience.container.clock.time += 30 * DAY

    assert audience.ask_inactive() == (0, 0)
    assert audience.reader(INACTIVE).paused_at is None


def test_the_button_keeps_it_and_a_second_press_is_a_success(audience: Audience):
    audience.ask_inactive()
    audience.sendgrid_takes_all()
    inactive = audience.reader(INACTIVE)
    for _ in range(2):
        audience.container.sunsets.record_still_wanted(inactive.id, now=audience.now)
    audience.container.clock.time += 30 * DAY

    assert audience.ask_inactive() == (0, 0)
    assert audience.reader(INACTIVE).engaged_on == (audience.now - 30 * DAY).date()
    assert audience.history(inactive) == [("clock", "asked"), ("subscriber", "still wanted")]


def test_the_button_ends_the_pause_of_the_sunset_and_no_other(audience: Audience):
    audience.ask_inactive()
    audience.sendgrid_takes_all()
    audience.container.clock.time += 14 * DAY
    audience.ask_inactive()
    inactive, reads = audience.reader(INACTIVE), audience.reader("reads@example.com")
    until = audience.now.date() + 30 * DAY
    audience.container.subscriptions.pause(reads, until, now=audience.now, actor="subscriber")
    audience.container.clock.time += DAY
    for one in (inactive, reads):
        audience.container.sunsets.record_still_wanted(one.id, now=audience.now)

    assert audience.reader(INACTIVE).paused_at is None
    assert audience.reader("reads@example.com").paused_at


def test_who_left_or_chose_a_pause_in_between_is_not_touched(audience: Audience):
    due = audience.container.sunsets.due(
        "technology", NEWSLETTER.sunset, now=audience.now, after=0, limit=10
    )
    assert [one.subscription_id for one in due.ask] == [audience.reader(INACTIVE).id]
    audience.container.unsubscribe(INACTIVE)

    assert audience.container.sunsets.ask(due.ask, now=audience.now) == ()
    assert audience.container.sunsets.pause(due.ask, now=audience.now) == 0
    audience.container.sunsets.record_still_wanted(audience.reader(INACTIVE).id, now=audience.now)
    assert audience.reader(INACTIVE).status is SubscriptionStatus.ENDED
    assert audience.history(audience.reader(INACTIVE)) == []


def test_letters_that_no_mailbox_took_say_nothing_about_inactivity(audience: Audience):
    inactive = audience.reader(INACTIVE)
    audience.run("DELETE FROM delivery")
    audience.letters(inactive, 2)
    audience.letters(inactive, 3, ago=3, state=65)  # blocked
    audience.letters(inactive, 3, ago=100)  # before the days that count

    assert audience.ask_inactive() == (0, 0)


def test_a_long_list_is_asked_in_portions(audience: Audience, tmp_path, monkeypatch):
    monkeypatch.setattr("newsletter.services.sunset._PAGE", 4)
    monkeypatch.setattr("newsletter.services.sunset._PORTION", 4)
    audience.container.subscribe(tmp_path, {f"r{n}@example.com": "" for n in range(9)})
    for n in range(9):
        audience.joined(audience.reader(f"r{n}@example.com"), 120)
    for n in range(9):
        audience.letters(audience.reader(f"r{n}@example.com"), 3)

    assert audience.container.sunset.count(NEWSLETTER).asked == 10
    assert [audience.ask_inactive()[0] for _ in range(4)] == [4, 4, 2, 0]
    assert audience.questions() == 10


def test_who_came_with_a_list_is_inactive_only_since_then(audience: Audience, tmp_path):
    audience.container.subscribe(tmp_path, {"moved@example.com": ""})
    moved = audience.reader("moved@example.com")
    long_ago = audience.now - 900 * DAY
    audience.run(
        "UPDATE subscription SET created_at = :at WHERE id = :id", at=long_ago, id=moved.id
    )
    audience.letters(moved, 5)

    audience.ask_inactive()

    assert audience.history(moved) == []


def test_without_a_policy_nobody_is_asked(audience: Audience):
    with pytest.raises(NotAllowed, match="has no \\[sunset\\]"):
        audience.container.sunset.ask_inactive_readers(replace(TECHNOLOGY, sunset=None))
