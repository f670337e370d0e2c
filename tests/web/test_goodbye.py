"""The goodbye page: fewer mails beside it, a reason that is asked for once, and the way back."""

from datetime import UTC, datetime

import pytest

from subscribers.model import Frequency, SubscriptionStatus, Suppression, SuppressionReason
from tests.web.conftest import READER, choices_path, leave_path, now_of, records

pytestmark = pytest.mark.postgres


def test_fewer_mails_are_offered_beside_the_goodbye(client, house, reader):
    page = client.get(leave_path(reader)).text
    assert "One digest a week" in page
    assert "Pause for a month" in page

    weekly = client.post(leave_path(reader) + "/weekly").text

    assert "Saved. You get one digest a week from now on." in weekly
    assert now_of(house).frequency is Frequency.WEEKLY
    assert "One digest a week<" not in client.get(leave_path(reader)).text


def test_a_month_without_letters_is_one_button(client, house, reader):
    page = client.post(leave_path(reader) + "/pause").text

    assert "No letters until 23 December 2026." in page
    paused = now_of(house)
    assert paused.paused_until == datetime(2026, 12, 23, tzinfo=UTC)
    assert paused.status is SubscriptionStatus.ACTIVE
    house.clock.pass_time(days=3)
    client.post(leave_path(reader) + "/pause")  # pressed again, it is no longer pause
    assert now_of(house) == paused
    assert "Pause for a month" not in client.get(leave_path(reader)).text


def test_who_has_left_gets_no_fewer_mails_than_none(client, house, reader):
    client.post(leave_path(reader))
    left = now_of(house)
    for button in ("weekly", "pause"):
        assert "You have left." in client.post(f"{leave_path(reader)}/{button}").text
    assert now_of(house) == left


def test_a_reason_is_asked_for_and_kept_once_after_each_goodbye(client, house, reader):
    path = leave_path(reader)
    client.post(path + "/reason", data={"reason": "other"})
    assert records(house) == []  # who has not left has no reason

    for said in ("too many chips", "and one more thing"):
        client.post(path)
        form = {"reason": "too-many", "words": f" {said}\x00 "}
        thanks = client.post(path + "/reason", data=form).text
        assert "Thank you for telling us." in thanks

    said = {"reason": "too-many", "words": "too many chips"}
    assert records(house) == [("reason", "subscriber", said)]
    house.clock.pass_time(days=1)
    client.post(path + "/back")
    client.post(path)
    client.post(path + "/reason", data={"reason": "<script>", "words": "again"})
    assert records(house)[1:] == [("reason", "subscriber", {"reason": "", "words": "again"})]


def test_words_that_are_too_many_are_shown_again_and_not_kept(client, house, reader):
    client.post(leave_path(reader))

    form = {"reason": "no-time", "words": "<b>" + "x" * 500}
    page = client.post(leave_path(reader) + "/reason", data=form).text

    assert "There is room for 500 characters." in page
    assert "&lt;b&gt;xxx" in page
    assert 'value="no-time" checked' in page
    assert records(house) == []
    empty = client.post(leave_path(reader) + "/reason", data={"words": "  "}).text
    assert "Thank you" not in empty
    assert records(house) == []


def test_a_mistake_is_taken_back_at_once(client, house, reader):
    path = leave_path(reader)
    assert f'action="{path}/back"' in client.post(path).text

    page = client.post(path + "/back").text

    assert "Welcome back." in page
    assert f'href="{choices_path(reader)}"' in page
    assert now_of(house) == reader
    assert [act for act, _, _ in records(house, "consent")][-2:] == ["withdrawn", "resumed"]
    assert "Leave Technology Daily?" in client.get(path).text


@pytest.mark.parametrize("reason", SuppressionReason)
def test_a_suppressed_address_stays_so_and_is_told_kindly(client, house, reader, reason):
    client.post(leave_path(reader))
    since = house.clock.now()
    house.subscriptions.suppress(
        [Suppression(email=READER, reason=reason, source="test", since=since)]
    )

    page = client.post(leave_path(reader) + "/back").text

    assert "We cannot write to you yet." in page
    assert "mailto:editors@news.example.com" in page
    assert house.subscriptions.suppressed(READER) is not None
    assert house.subscriptions.counts("technology").suppressed == 1


def test_no_button_acts_on_a_get(client, house, reader):
    for path in (leave_path(reader), choices_path(reader)):
        for button in ("weekly", "pause", "reason", "back", "resume", "address", "erase"):
            for method in ("GET", "HEAD", "OPTIONS"):
                client.ask(method, f"{path}/{button}?until=2026-12-24&words=x")
    assert now_of(house) == reader
    assert records(house) == []
