"""Letters to one person: asked once, retried only when surely not sent, told when they cannot."""

from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.core.operator_alert import NoticeKind
from newsletter.core.transactional import CorrespondenceKind
from subscribers.model import SuppressionReason
from tests.signup.conftest import Ask
from tests.signup.place import READER, SignUpHouse, links
from tests.web.conftest import Client

pytestmark = pytest.mark.postgres


def _states(place: SignUpHouse) -> list[str]:
    return [row["state"] for row in place.rows("SELECT state FROM correspondence ORDER BY id")]


@pytest.mark.parametrize("fault", ["close_after_accept", "truncate_202", "garbage"])
def test_an_answer_that_was_lost_is_never_asked_for_again(place: SignUpHouse, ask: Ask, fault: str):
    ask()
    place.sandbox.fail({"kind": fault, "times": 1})
    assert len(place.deliver()) == 1
    assert _states(place) == ["unknown"]
    place.house.clock.pass_time(days=2)
    assert len(place.deliver()) == 1

    ask()  # but its reader may ask for another one
    assert len(place.deliver()) == 2


def test_a_crash_between_the_answer_and_its_record_leaves_an_unknown(
    place: SignUpHouse, ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    ask()
    with monkeypatch.context() as broken:
        broken.setattr(place.correspondence._outbox, "record", _die)
        with pytest.raises(SystemExit):
            place.correspondence.deliver()
    assert len(place.deliver()) == 1
    assert _states(place) == ["claimed"]
    place.house.clock.pass_time(minutes=4)
    assert len(place.deliver()) == 1
    assert _states(place) == ["unknown"]


def _die(*_: object) -> None:
    raise SystemExit


def test_what_was_surely_not_sent_is_tried_again_and_given_up_after_a_day(
    place: SignUpHouse, ask: Ask
):
    ask()
    place.sandbox.fail({"kind": "status_401_credits"})
    for _ in range(3):
        assert place.deliver() == []
        place.house.clock.pass_time(minutes=15)
    assert _states(place) == ["waiting"]
    told = {(one.kind, one.sentence) for one in place.notices}
    assert len(told) == 1
    assert told.pop()[0] is NoticeKind.NOT_WRITTEN

    place.house.clock.pass_time(days=1)
    place.correspondence.deliver()
    assert _states(place) == ["refused"]
    place.sandbox.fail()
    assert place.deliver() == []


def test_a_refusal_that_mends_itself_delays_and_no_more(place: SignUpHouse, ask: Ask):
    ask()
    place.sandbox.fail({"kind": "status_429", "times": 1, "seconds": 5})
    assert place.deliver() == []
    [office] = place.rows("SELECT closed_until FROM post_office")
    assert office["closed_until"] > place.house.clock.now()  # for every worker
    place.house.clock.time = office["closed_until"] + timedelta(seconds=1)
    assert len(place.deliver()) == 1
    assert _states(place) == ["accepted"]


def test_an_address_that_sendgrid_will_not_take_is_refused_for_good(place: SignUpHouse, ask: Ask):
    ask()
    place.sandbox.fail({"kind": "bad_address", "pattern": READER})
    assert place.deliver() == []
    assert _states(place) == ["refused"]
    assert "@" not in place.rows("SELECT reason FROM correspondence")[0]["reason"]


def test_who_may_no_longer_be_written_to_is_not(
    place: SignUpHouse, client: Client, ask: Ask, tmp_path: Path
):
    ask()  # a sign-up whose address then bounces
    place.suppress(SuppressionReason.BOUNCE)
    place.house.subscribe(tmp_path, {"a@example.com": "", "b@example.com": ""})
    for email in ("a@example.com", "b@example.com"):
        refers = place.subscription(email).id
        place.question(refers)
    place.house.leave("a@example.com")
    place.suppress(SuppressionReason.SOFT_BOUNCE, "b@example.com")
    place.correspondence.write(CorrespondenceKind.WELCOME, "technology", 10**9)
    place.correspondence.write(CorrespondenceKind.ADDRESS, "technology", 10**9)
    place.correspondence.write(CorrespondenceKind.ALREADY, "elsewhere", 1)
    place.correspondence.deliver()
    assert place.sandbox.messages() == []
    assert set(_states(place)) == {"void"}


def test_a_reader_is_asked_whether_they_still_want_it(place: SignUpHouse, tmp_path: Path):
    place.house.subscribe(tmp_path, {READER: ""})
    refers = place.subscription().id
    place.question(refers)
    [letter] = place.deliver()
    keep, goodbye, preferences = links(letter)
    assert [keep[:3], goodbye[:3], preferences[:3]] == ["/k/", "/u/", "/p/"]
    assert goodbye in letter["headers"]["List-Unsubscribe"]
    assert letter["headers"]["List-Id"].endswith("<technology.news.example.com>")


def test_who_waits_at_a_page_comes_before_who_was_asked_out_of_the_blue(
    place: SignUpHouse, ask: Ask, tmp_path: Path
):
    place.house.subscribe(tmp_path, {"quiet@example.com": ""})
    refers = place.subscription("quiet@example.com").id
    place.question(refers)
    ask()
    place.correspondence.deliver()
    newest, oldest = place.sandbox.messages()
    assert (oldest["to"], newest["to"]) == (READER, "quiet@example.com")


def test_nothing_in_such_a_letter_is_tracked_and_its_events_move_nothing(
    place: SignUpHouse, ask: Ask
):
    ask()
    [letter] = place.deliver()
    assert set(letter["custom_args"]) == {"nl_letter", "nl_issue"}
    assert "clicktracking" not in letter["html"]
