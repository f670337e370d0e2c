"""Letters of an undone import: an unsubscribe behind their links survives every later list."""

import pytest

from subscribers.model import SubscriptionStatus
from tests.container import ids_of
from tests.signing import body_of
from tests.web.conftest import OTHER, READER, choices_path, leave_path, now_of, records

pytestmark = pytest.mark.postgres


@pytest.fixture
def undone_reader(container, reader):
    """The reader of a letter that went out before their import was undone."""
    container.send_issue()
    [one] = container.lists.imports()
    undone = container.lists.undo(one.id, now=container.clock.now(), actor="test")
    assert undone.removed == 2
    container.clock.pass_time(hours=1)
    return reader


def by_one_click(client, container, seal, reader):
    assert client.post(leave_path(reader)).status_code == 200


def by_an_event(client, container, seal, reader):
    claim = next(c for _, _, c in container.mailer.asked if c.recipients[0].email == READER)
    body = body_of({"event": "unsubscribe", "email": READER} | ids_of(claim))
    answer = client.post("/webhooks/sendgrid", content=body, headers=seal.headers(body))
    assert answer.status_code == 204


def by_staff(client, container, seal, reader):
    container.unsubscribe(READER)


WAYS = [by_one_click, by_an_event, by_staff]


@pytest.mark.parametrize("say", WAYS)
def test_an_unsubscribe_after_an_undone_import_survives_later_lists(
    client, container, seal, undone_reader, tmp_path, say
):
    say(client, container, seal, undone_reader)

    left = now_of(container)
    assert (left.status, left.undone_at) == (SubscriptionStatus.ENDED, None)
    assert [act for act, _, _ in records(container, "consent")] == ["imported", "withdrawn"]
    say(client, container, seal, undone_reader)  # said again, it is no second one
    assert len(records(container, "consent")) == 2
    container.subscribe(tmp_path, {READER: "", OTHER: ""})
    assert now_of(container).status is SubscriptionStatus.ENDED
    assert now_of(container, OTHER).status is SubscriptionStatus.ACTIVE


@pytest.mark.parametrize("say", WAYS[:2])
def test_an_old_letter_ends_what_a_later_list_added(
    client, container, seal, undone_reader, tmp_path, say
):
    container.subscribe(tmp_path, {READER: ""})
    assert now_of(container).status is SubscriptionStatus.ACTIVE

    say(client, container, seal, undone_reader)

    assert now_of(container).status is SubscriptionStatus.ENDED


def test_only_the_button_of_the_page_unsubscribes(client, container, undone_reader):
    page = client.get(leave_path(undone_reader)).text
    assert "You are no longer on the list." in page
    assert "Would you tell us why?" not in page
    assert now_of(container).undone_at
    assert "You are no longer on the list." in client.get(choices_path(undone_reader)).text
    client.post(leave_path(undone_reader) + "/reason", data={"reason": "other"})
    client.post(choices_path(undone_reader) + "/pause", data={"until": "2027-01-01"})
    assert records(container) == []

    assert "You have unsubscribed." in client.post(leave_path(undone_reader)).text

    assert "You have unsubscribed." in client.get(leave_path(undone_reader)).text


def test_the_way_back_is_their_own_act(client, container, undone_reader):
    client.post(leave_path(undone_reader) + "/back")

    back = now_of(container)
    assert (back.status, back.undone_at) == (SubscriptionStatus.ACTIVE, None)
    assert [act for act, _, _ in records(container, "consent")] == ["imported", "resumed"]
    assert container.subscriptions.counts("technology").mailable == 1
