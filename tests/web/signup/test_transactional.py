"""Transactional email: sent once, retried only when surely not sent, reported when it cannot be."""

from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.core.operator_alert import OperatorAlertKind
from newsletter.core.transactional import TransactionalKind
from subscribers.model import SuppressionReason
from tests.web.conftest import Client
from tests.web.signup.conftest import Ask
from tests.web.signup.helpers import READER, SignUpContainer, links

pytestmark = pytest.mark.postgres


def _states(container: SignUpContainer) -> list[str]:
    return [
        row["state"]
        for row in container.select("SELECT state FROM transactional_email ORDER BY id")
    ]


@pytest.mark.parametrize("fault", ["close_after_accept", "truncate_202", "garbage"])
def test_an_answer_that_was_lost_is_never_asked_for_again(
    container: SignUpContainer, ask: Ask, fault: str
):
    ask()
    container.sandbox.fail({"kind": fault, "times": 1})
    assert len(container.deliver()) == 1
    assert _states(container) == ["unknown"]
    container.clock.pass_time(days=2)
    assert len(container.deliver()) == 1

    ask()  # but its reader may ask for another one
    assert len(container.deliver()) == 2


def test_a_crash_between_the_answer_and_its_record_leaves_an_unknown(
    container: SignUpContainer, ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    ask()
    with monkeypatch.context() as broken:
        broken.setattr(container.transactional.store, "record", _die)
        with pytest.raises(SystemExit):
            container.transactional.send_waiting()
    assert len(container.deliver()) == 1
    assert _states(container) == ["claimed"]
    container.clock.pass_time(minutes=4)
    assert len(container.deliver()) == 1
    assert _states(container) == ["unknown"]


def _die(*_: object) -> None:
    raise SystemExit


def test_what_was_surely_not_sent_is_tried_again_and_given_up_after_a_day(
    container: SignUpContainer, ask: Ask
):
    ask()
    container.sandbox.fail({"kind": "status_401_credits"})
    for _ in range(3):
        assert container.deliver() == []
        container.clock.pass_time(minutes=15)
    assert _states(container) == ["waiting"]
    alerts = {(one.kind, one.sentence) for _, one in container.schedule_store.pending_alerts()}
    assert len(alerts) == 1
    assert alerts.pop()[0] is OperatorAlertKind.NOT_WRITTEN

    container.clock.pass_time(days=1)
    container.transactional.send_waiting()
    assert _states(container) == ["refused"]
    container.sandbox.fail()
    assert container.deliver() == []


def test_a_refusal_that_mends_itself_delays_and_no_more(container: SignUpContainer, ask: Ask):
    ask()
    container.sandbox.fail({"kind": "status_429", "times": 1, "seconds": 5})
    assert container.deliver() == []
    [window] = container.select("SELECT closed_until FROM send_window")
    assert window["closed_until"] > container.clock.now()  # for every worker
    container.clock.time = window["closed_until"] + timedelta(seconds=1)
    assert len(container.deliver()) == 1
    assert _states(container) == ["accepted"]


def test_an_address_that_sendgrid_will_not_take_is_refused_for_good(
    container: SignUpContainer, ask: Ask
):
    ask()
    container.sandbox.fail({"kind": "bad_address", "pattern": READER})
    assert container.deliver() == []
    assert _states(container) == ["refused"]
    assert "@" not in container.select("SELECT reason FROM transactional_email")[0]["reason"]


def test_who_may_no_longer_be_written_to_is_not(
    container: SignUpContainer, client: Client, ask: Ask, tmp_path: Path
):
    ask()  # a sign-up whose address then bounces
    container.suppress(SuppressionReason.BOUNCE)
    container.subscribe(tmp_path, {"a@example.com": "", "b@example.com": ""})
    for email in ("a@example.com", "b@example.com"):
        refers = container.subscription(email).id
        container.question(refers)
    container.unsubscribe("a@example.com")
    container.suppress(SuppressionReason.SOFT_BOUNCE, "b@example.com")
    container.transactional.queue(TransactionalKind.WELCOME, "technology", 10**9)
    container.transactional.queue(TransactionalKind.ADDRESS, "technology", 10**9)
    container.transactional.queue(TransactionalKind.ALREADY, "elsewhere", 1)
    container.transactional.send_waiting()
    assert container.sandbox.messages() == []
    assert set(_states(container)) == {"void"}


def test_a_reader_is_asked_whether_they_still_want_it(container: SignUpContainer, tmp_path: Path):
    container.subscribe(tmp_path, {READER: ""})
    refers = container.subscription().id
    container.question(refers)
    [letter] = container.deliver()
    still_wanted, unsubscribe, preferences = links(letter)
    assert [still_wanted[:3], unsubscribe[:3], preferences[:3]] == ["/k/", "/u/", "/p/"]
    assert unsubscribe in letter["headers"]["List-Unsubscribe"]
    assert letter["headers"]["List-Id"].endswith("<technology.news.example.com>")


def test_who_waits_at_a_page_comes_before_who_was_asked_out_of_the_blue(
    container: SignUpContainer, ask: Ask, tmp_path: Path
):
    container.subscribe(tmp_path, {"quiet@example.com": ""})
    refers = container.subscription("quiet@example.com").id
    container.question(refers)
    ask()
    container.transactional.at_once = 1  # or both would be under way at once
    container.transactional.send_waiting()
    newest, oldest = container.sandbox.messages()
    assert (oldest["to"], newest["to"]) == (READER, "quiet@example.com")


def test_nothing_in_such_a_letter_is_tracked_and_its_events_move_nothing(
    container: SignUpContainer, ask: Ask
):
    ask()
    [letter] = container.deliver()
    assert set(letter["custom_args"]) == {"nl_installation", "nl_letter", "nl_issue"}
    assert "clicktracking" not in letter["html"]
