"""The unsubscribe page: fewer emails instead, a reason that is asked for once, and the way back."""

from datetime import UTC, datetime

import pytest

from subscribers.model import Frequency, SubscriptionStatus, Suppression, SuppressionReason
from tests.web.conftest import READER, choices_path, leave_path, now_of, records

pytestmark = pytest.mark.postgres


def test_fewer_emails_are_offered_on_the_page(client, container, reader):
    page = client.get(leave_path(reader)).text
    assert "One digest a week" in page
    assert "Pause for a month" in page

    weekly = client.post(leave_path(reader) + "/weekly").text

    assert "Saved. You get one digest a week from now on." in weekly
    assert now_of(container).frequency is Frequency.WEEKLY
    assert "One digest a week<" not in client.get(leave_path(reader)).text


def test_a_month_without_letters_is_one_button(client, container, reader):
    page = client.post(leave_path(reader) + "/pause").text

    assert "No emails until 23 December 2026." in page
    paused = now_of(container)
    assert paused.paused_until == datetime(2026, 12, 23, tzinfo=UTC)
    assert paused.status is SubscriptionStatus.ACTIVE
    container.clock.pass_time(days=3)
    client.post(leave_path(reader) + "/pause")  # pressed again, it is no longer pause
    assert now_of(container) == paused
    assert "Pause for a month" not in client.get(leave_path(reader)).text


def test_fewer_emails_do_nothing_after_unsubscribing(client, container, reader):
    client.post(leave_path(reader))
    left = now_of(container)
    for button in ("weekly", "pause"):
        assert "You have unsubscribed." in client.post(f"{leave_path(reader)}/{button}").text
    assert now_of(container) == left


def test_a_reason_is_asked_for_and_kept_once_after_each_unsubscribe(client, container, reader):
    path = leave_path(reader)
    client.post(path + "/reason", data={"reason": "other"})
    assert records(container) == []  # only after unsubscribing

    for said in ("too many chips", "and one more thing"):
        client.post(path)
        form = {"reason": "too-many", "words": f" {said}\x00 "}
        thanks = client.post(path + "/reason", data=form).text
        assert "Thank you for telling us." in thanks

    said = {"reason": "too-many", "words": "too many chips"}
    assert records(container) == [("reason", "subscriber", said)]
    container.clock.pass_time(days=1)
    client.post(path + "/back")
    client.post(path)
    client.post(path + "/reason", data={"reason": "<script>", "words": "again"})
    assert records(container)[1:] == [("reason", "subscriber", {"reason": "", "words": "again"})]


def test_words_that_are_too_many_are_shown_again_and_not_kept(client, container, reader):
    client.post(leave_path(reader))

    form = {"reason": "no-time", "words": "<b>" + "x" * 500}
    page = client.post(leave_path(reader) + "/reason", data=form).text

    assert "Please use at most 500 characters." in page
    assert "&lt;b&gt;xxx" in page
    assert 'value="no-time" checked' in page
    assert records(container) == []
    empty = client.post(leave_path(reader) + "/reason", data={"words": "  "}).text
    assert "Thank you" not in empty
    assert records(container) == []


def test_a_mistake_is_taken_back_at_once(client, container, reader):
    path = leave_path(reader)
    assert f'action="{path}/back"' in client.post(path).text

    page = client.post(path + "/back").text

    assert "Welcome back." in page
    assert f'href="{choices_path(reader)}"' in page
    assert now_of(container) == reader
    assert [act for act, _, _ in records(container, "consent")][-2:] == ["withdrawn", "resumed"]
    assert "Unsubscribe from Technology Daily?" in client.get(path).text


@pytest.mark.parametrize("reason", SuppressionReason)
def test_a_suppressed_address_stays_so_and_is_answered_kindly(client, container, reader, reason):
    client.post(leave_path(reader))
    since = container.clock.now()
    container.subscriptions.suppress(
        [Suppression(email=READER, reason=reason, source="test", since=since)]
    )

    page = client.post(leave_path(reader) + "/back").text

    assert "We cannot write to you yet." in page
    assert "mailto:editors@news.example.com" in page
    assert container.subscriptions.suppression(READER) is not None
    assert container.subscriptions.counts("technology").suppressed == 1


def test_no_button_acts_on_a_get(client, container, reader):
    for path in (leave_path(reader), choices_path(reader)):
        for button in ("weekly", "pause", "reason", "back", "unpause", "address", "erase"):
            for method in ("GET", "HEAD", "OPTIONS"):
                client.ask(method, f"{path}/{button}?until=2026-12-24&words=x")
    assert now_of(container) == reader
    assert records(container) == []
