"""A new address: asked for on the preference page, true once it is confirmed there."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from psycopg.errors import CheckViolation
from sqlalchemy import text

from subscribers.db import consent_acts
from subscribers.db.connection import transaction
from subscribers.errors import InvalidAddress
from subscribers.model import ConsentAct, SuppressionReason
from tests.signup.place import READER, SignUpHouse, links
from tests.waiting import until_somebody_waits
from tests.web.conftest import Client

pytestmark = pytest.mark.postgres

NEW, OTHER = "new@example.net", "other@example.org"


@pytest.fixture
def moving(place: SignUpHouse, tmp_path: Path) -> SignUpHouse:
    place.house.subscribe(tmp_path, {READER: "chips", OTHER: "policy"})
    return place


def test_letters_go_where_the_address_was_confirmed(moving: SignUpHouse, client: Client):
    stood = moving.subscription()
    moving.signing_up.ask_address(stood, NEW)
    [letter] = moving.deliver(NEW)
    assert letter["subject"] == "Please confirm your new address: Technology Daily"
    assert letter["headers"] == {"Auto-Submitted": "auto-generated"}
    assert READER not in letter["text"]  # the new one may be a stranger's
    [link] = links(letter)
    assert NEW in client.get(link).text
    assert moving.mailable() == [OTHER, READER]

    done = client.post(link)
    assert f"Your letters come to {NEW}" in done.text
    assert moving.mailable() == [NEW, OTHER]
    moved = moving.subscription(NEW)
    assert (moved.id, moved.link_key) == (stood.id, stood.link_key)  # old links still work
    [change] = moving.rows("SELECT * FROM change")
    assert change["detail"] == {"from": READER, "to": NEW}

    assert client.post(link).text == done.text
    assert len(moving.rows("SELECT * FROM change")) == 1


def test_a_list_that_names_the_old_address_finds_who_moved(
    moving: SignUpHouse, client: Client, tmp_path: Path
):
    moving.signing_up.ask_address(moving.subscription(), NEW)
    client.post(moving.link(NEW))
    moving.house.subscribe(tmp_path, {READER: "chips"})
    assert moving.mailable() == [NEW, OTHER]


def test_an_address_of_another_subscriber_makes_two_one(moving: SignUpHouse, client: Client):
    stood = moving.subscription()
    moving.signing_up.ask_address(stood, OTHER)
    client.post(moving.link(OTHER))
    assert moving.mailable() == [OTHER]
    assert moving.subscription(OTHER).id == stood.id


def test_an_old_goodbye_at_the_new_address_does_not_end_what_moves_there(
    moving: SignUpHouse, client: Client
):
    moving.house.leave(OTHER)
    moving.signing_up.ask_address(moving.subscription(), OTHER)
    client.post(moving.link(OTHER))
    assert moving.mailable() == [OTHER]


def test_a_goodbye_said_while_a_new_address_is_confirmed_stands(moving: SignUpHouse):
    stood, now = moving.subscription(), moving.house.clock.now()
    moving.signing_up.ask_address(stood, OTHER)
    token = moving.link(OTHER).rpartition("/")[2]
    with ThreadPoolExecutor(1) as thread:
        with transaction(moving.house.engine) as leaves:
            consent_acts.act(leaves, [stood.id], ConsentAct.WITHDRAWN, at=now, source="link")
            moves = thread.submit(moving.signing_up.confirm_address, token)
            until_somebody_waits(moving.house.engine)
        moves.result()
    assert moving.subscription(OTHER).id == stood.id
    assert moving.mailable() == []


def test_a_move_that_broke_off_has_ended_nothing_and_is_made_by_the_next_press(
    moving: SignUpHouse,
):
    moving.house.leave(OTHER)
    moving.signing_up.ask_address(moving.subscription(), OTHER)
    token = moving.link(OTHER).rpartition("/")[2]
    with moving.house.engine.begin() as connection:
        connection.execute(text("ALTER TABLE consent ADD CONSTRAINT no CHECK (act <> 'resumed')"))
    with pytest.raises(CheckViolation):
        moving.signing_up.confirm_address(token)
    assert moving.mailable() == [READER]
    with moving.house.engine.begin() as connection:
        connection.execute(text("ALTER TABLE consent DROP CONSTRAINT no"))
    moving.signing_up.confirm_address(token)
    assert moving.mailable() == [OTHER]


def test_there_and_back_again(moving: SignUpHouse, client: Client):
    for email in (NEW, READER, NEW):
        [at] = [one for one in moving.mailable() if one != OTHER]
        moving.signing_up.ask_address(moving.subscription(at), email)
        client.post(moving.link(email))
        assert email in moving.mailable()
        moving.house.clock.pass_time(hours=1)
    assert moving.mailable() == [NEW, OTHER]


def test_the_link_mailed_to_one_address_does_not_confirm_another(
    moving: SignUpHouse, client: Client
):
    moving.signing_up.ask_address(moving.subscription(), NEW)
    link = moving.link(NEW)
    moving.signing_up.ask_address(moving.subscription(), "third@example.com")
    assert client.post(link).status_code == 404
    client.post(moving.link("third@example.com"))
    assert moving.mailable() == [OTHER, "third@example.com"]


@pytest.mark.parametrize("reason", [SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT])
def test_a_suppressed_address_is_not_asked(moving: SignUpHouse, reason: SuppressionReason):
    moving.suppress(reason, NEW)
    moving.signing_up.ask_address(moving.subscription(), NEW)
    assert moving.deliver(NEW) == []


def test_a_goodbye_once_said_at_the_new_address_is_taken_back_by_its_owner(
    moving: SignUpHouse, client: Client
):
    moving.suppress(SuppressionReason.UNSUBSCRIBE, NEW)
    moving.signing_up.ask_address(moving.subscription(), NEW)
    assert f"Your letters come to {NEW}" in client.post(moving.link(NEW)).text
    assert moving.mailable() == [NEW, OTHER]
    [lift] = moving.rows("SELECT email_key, reason FROM suppression_lift")
    assert lift == {"email_key": NEW, "reason": "unsubscribe"}


def test_an_address_that_complained_since_it_was_asked_stays_silent(
    moving: SignUpHouse, client: Client
):
    moving.signing_up.ask_address(moving.subscription(), NEW)
    link = moving.link(NEW)
    moving.suppress(SuppressionReason.COMPLAINT, NEW)
    client.post(link)
    assert moving.mailable() == [OTHER]


def test_a_link_that_is_too_old_moves_nobody(moving: SignUpHouse, client: Client):
    moving.signing_up.ask_address(moving.subscription(), NEW)
    link = moving.link(NEW)
    moving.house.clock.pass_time(hours=49)
    assert client.get(link).status_code == client.post(link).status_code == 404
    moving.signing_up.sweep()
    assert moving.rows("SELECT * FROM address_change") == []
    assert moving.mailable() == [OTHER, READER]


def test_ones_own_address_and_no_address_are_no_change(moving: SignUpHouse):
    moving.signing_up.ask_address(moving.subscription(), READER.upper())
    assert moving.deliver() == []
    with pytest.raises(InvalidAddress):
        moving.signing_up.ask_address(moving.subscription(), "nobody")
