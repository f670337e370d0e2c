"""Letters of an import that was undone: a goodbye behind their links is one that no list loses."""

import pytest

from subscribers.model import SubscriptionStatus
from tests.signing import body_of
from tests.web.conftest import OTHER, READER, choices_path, leave_path, now_of, records

pytestmark = pytest.mark.postgres


@pytest.fixture
def taken_back(house, reader):
    """The reader of a letter that went out before their import was undone."""
    house.post()
    [one] = house.lists.imports()
    undone = house.lists.undo(one.id, now=house.clock.now(), actor="test")
    assert undone.removed == 2
    house.clock.pass_time(hours=1)
    return reader


def say_it_by_one_click(client, house, seal, reader):
    assert client.post(leave_path(reader)).status_code == 200


def tell_it_by_an_event(client, house, seal, reader):
    claim = next(c for _, _, c in house.mailer.asked if c.recipients[0].email == READER)
    delivery = str(claim.recipients[0].delivery_id)
    body = body_of({"event": "unsubscribe", "email": READER, "nl_delivery": delivery})
    answer = client.post("/webhooks/sendgrid", content=body, headers=seal.headers(body))
    assert answer.status_code == 204


def tell_it_to_the_desk(client, house, seal, reader):
    house.leave(READER)


WAYS = [say_it_by_one_click, tell_it_by_an_event, tell_it_to_the_desk]


@pytest.mark.parametrize("say", WAYS)
def test_no_later_list_loses_a_goodbye_said_after_an_import_was_undone(
    client, house, seal, taken_back, tmp_path, say
):
    say(client, house, seal, taken_back)

    left = now_of(house)
    assert (left.status, left.undone_at) == (SubscriptionStatus.ENDED, None)
    assert [act for act, _, _ in records(house, "consent")] == ["imported", "withdrawn"]
    say(client, house, seal, taken_back)  # said again, it is no second one
    assert len(records(house, "consent")) == 2
    house.subscribe(tmp_path, {READER: "", OTHER: ""})
    assert now_of(house).status is SubscriptionStatus.ENDED
    assert now_of(house, OTHER).status is SubscriptionStatus.ACTIVE


@pytest.mark.parametrize("say", WAYS[:2])
def test_an_old_letter_ends_what_a_later_list_added(client, house, seal, taken_back, tmp_path, say):
    house.subscribe(tmp_path, {READER: ""})
    assert now_of(house).status is SubscriptionStatus.ACTIVE

    say(client, house, seal, taken_back)

    assert now_of(house).status is SubscriptionStatus.ENDED


def test_to_look_at_the_page_is_no_goodbye_and_its_button_is(client, house, taken_back):
    page = client.get(leave_path(taken_back)).text
    assert "You are no longer on the list." in page
    assert "Would you tell us why?" not in page
    assert now_of(house).undone_at
    assert "You are no longer on the list." in client.get(choices_path(taken_back)).text
    client.post(leave_path(taken_back) + "/reason", data={"reason": "other"})
    client.post(choices_path(taken_back) + "/pause", data={"until": "2027-01-01"})
    assert records(house) == []

    assert "You have left." in client.post(leave_path(taken_back)).text

    assert "You have left." in client.get(leave_path(taken_back)).text


def test_the_way_back_is_their_own_act(client, house, taken_back):
    client.post(leave_path(taken_back) + "/back")

    back = now_of(house)
    assert (back.status, back.undone_at) == (SubscriptionStatus.ACTIVE, None)
    assert [act for act, _, _ in records(house, "consent")] == ["imported", "resumed"]
    assert house.subscriptions.counts("technology").mailable == 1
