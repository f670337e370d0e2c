"""The sunset on its way: asked once, paused without an answer, and back with a press."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from newsletter.errors import NotAllowed
from subscribers.model import SubscriptionStatus
from tests.house import TECHNOLOGY
from tests.sunset.place import DAY, NEWSLETTER, Place, open_place

pytestmark = pytest.mark.postgres

SILENT = "silent@example.com"


@pytest.fixture
def place(engine: Engine, tmp_path) -> Place:
    """A reader who is silent for long, and one who reads."""
    place = open_place(engine)
    place.house.subscribe(tmp_path, {SILENT: "", "reads@example.com": ""})
    for email in (SILENT, "reads@example.com"):
        place.joined(place.reader(email), 120)
        place.letters(place.reader(email), 5)
    place.engaged(place.reader("reads@example.com"), place.now.date() - 3 * DAY)
    return place


def test_who_is_silent_is_asked_once_and_paused_without_an_answer(place: Place):
    assert place.go() == (1, 0)
    place.post_takes_all()
    for _ in range(13):
        place.house.clock.time += DAY
        assert place.go() == (0, 0)
    place.house.clock.time += DAY
    assert place.go() == (0, 1)
    place.house.clock.time += DAY
    assert place.go() == (0, 0)

    silent = place.reader(SILENT)
    assert (silent.status, silent.paused_until) == (SubscriptionStatus.ACTIVE, None)
    assert silent.paused_at
    assert place.questions() == 1
    assert place.history(silent) == [("clock", "asked"), ("clock", "paused")]
    assert place.reader("reads@example.com").paused_at is None


def test_nobody_is_paused_whom_the_question_did_not_reach(place: Place):
    assert place.go() == (1, 0)
    place.run("DELETE FROM correspondence")  # as if it had died before it wrote the letter
    place.house.clock.time += 14 * DAY

    assert place.go() == (1, 0)
    assert place.questions() == 1
    assert place.reader(SILENT).paused_at is None


def test_a_click_is_an_answer(place: Place):
    place.go()
    place.post_takes_all()
    place.house.clock.time += 5 * DAY
    place.engaged(place.reader(SILENT), place.now.date())
    place.house.clock.time += 30 * DAY

    assert place.go() == (0, 0)


def test_what_somebody_does_on_their_own_pages_is_an_answer(place: Place):
    place.go()
    place.post_takes_all()
    place.house.clock.time += 14 * DAY
    place.go()
    silent = place.reader(SILENT)
    assert place.house.subscriptions.unpause(silent.id, now=place.now, actor="subscriber")
    place.house.clock.time += 30 * DAY

    assert place.go() == (0, 0)
    assert place.reader(SILENT).paused_at is None


def test_the_button_keeps_it_and_a_second_press_is_a_success(place: Place):
    place.go()
    place.post_takes_all()
    silent = place.reader(SILENT)
    for _ in range(2):
        place.sunsets.keep(silent.id, now=place.now)
    place.house.clock.time += 30 * DAY

    assert place.go() == (0, 0)
    assert place.reader(SILENT).engaged_on == (place.now - 30 * DAY).date()
    assert place.history(silent) == [("clock", "asked"), ("subscriber", "kept")]


def test_the_button_ends_the_pause_of_the_sunset_and_no_other(place: Place):
    place.go()
    place.post_takes_all()
    place.house.clock.time += 14 * DAY
    place.go()
    silent, reads = place.reader(SILENT), place.reader("reads@example.com")
    until = place.now.date() + 30 * DAY
    place.house.subscriptions.pause(reads, until, now=place.now, actor="subscriber")
    place.house.clock.time += DAY
    for one in (silent, reads):
        place.sunsets.keep(one.id, now=place.now)

    assert place.reader(SILENT).paused_at is None
    assert place.reader("reads@example.com").paused_at


def test_who_left_or_chose_a_pause_in_between_is_not_touched(place: Place):
    due = place.sunsets.due("technology", NEWSLETTER.sunset, now=place.now, after=0, limit=10)
    assert [one.subscription_id for one in due.ask] == [place.reader(SILENT).id]
    place.house.leave(SILENT)

    assert place.sunsets.ask(due.ask, now=place.now) == ()
    assert place.sunsets.pause(due.ask, now=place.now) == 0
    place.sunsets.keep(place.reader(SILENT).id, now=place.now)
    assert place.reader(SILENT).status is SubscriptionStatus.ENDED
    assert place.history(place.reader(SILENT)) == []


def test_letters_that_no_mailbox_took_say_nothing_about_a_silence(place: Place):
    silent = place.reader(SILENT)
    place.run("DELETE FROM delivery")
    place.letters(silent, 2)
    place.letters(silent, 3, ago=3, state=65)  # blocked
    place.letters(silent, 3, ago=100)  # before the days that count

    assert place.go() == (0, 0)


def test_a_long_list_is_asked_in_portions(place: Place, tmp_path, monkeypatch):
    monkeypatch.setattr("newsletter.services.sunset._PAGE", 4)
    monkeypatch.setattr("newsletter.services.sunset._PORTION", 4)
    place.house.subscribe(tmp_path, {f"r{n}@example.com": "" for n in range(9)})
    for n in range(9):
        place.joined(place.reader(f"r{n}@example.com"), 120)
    for n in range(9):
        place.letters(place.reader(f"r{n}@example.com"), 3)

    assert place.sunset.count(NEWSLETTER).asked == 10
    assert [place.go()[0] for _ in range(4)] == [4, 4, 2, 0]
    assert place.questions() == 10


def test_who_came_with_a_list_is_silent_only_since_then(place: Place, tmp_path):
    place.house.subscribe(tmp_path, {"moved@example.com": ""})
    moved = place.reader("moved@example.com")
    long_ago = place.now - 900 * DAY
    place.run("UPDATE subscription SET created_at = :at WHERE id = :id", at=long_ago, id=moved.id)
    place.letters(moved, 5)

    place.go()

    assert place.history(moved) == []


def test_without_a_policy_nobody_is_asked(place: Place):
    with pytest.raises(NotAllowed, match="has no \\[sunset\\]"):
        place.sunset.go(replace(TECHNOLOGY, sunset=None))
