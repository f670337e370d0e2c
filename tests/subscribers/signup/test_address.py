"""A new address: asked for on the preference page, true once it is confirmed there."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from psycopg.errors import CheckViolation
from sqlalchemy import text

from subscribers.db.consent import apply_consent
from subscribers.db.transaction import transaction
from subscribers.errors import InvalidAddress
from subscribers.model import ConsentAct, SuppressionReason
from tests.waiting import until_somebody_waits
from tests.web.conftest import Client
from tests.web.signup.helpers import READER, SignUpContainer, links

pytestmark = pytest.mark.postgres

NEW, OTHER = "new@example.net", "other@example.org"


@pytest.fixture
def moving(container: SignUpContainer, tmp_path: Path) -> SignUpContainer:
    container.subscribe(tmp_path, {READER: "chips", OTHER: "policy"})
    return container


def test_letters_go_where_the_address_was_confirmed(moving: SignUpContainer, client: Client):
    stood = moving.subscription()
    moving.signing_up.request_address_change(stood, NEW)
    [letter] = moving.deliver(NEW)
    assert letter["subject"] == "Please confirm your new address: Technology Daily"
    assert letter["headers"] == {"Auto-Submitted": "auto-generated"}
    assert READER not in letter["text"]  # the new one may be a stranger's
    [link] = links(letter)
    assert NEW in client.get(link).text
    assert moving.mailable() == [OTHER, READER]

    done = client.post(link)
    assert f"Your emails now go to {NEW}" in done.text
    assert moving.mailable() == [NEW, OTHER]
    moved = moving.subscription(NEW)
    assert (moved.id, moved.link_key) == (stood.id, stood.link_key)  # old links still work
    [change] = moving.select("SELECT * FROM change")
    assert change["detail"] == {"from": READER, "to": NEW}

    assert client.post(link).text == done.text
    assert len(moving.select("SELECT * FROM change")) == 1


def test_a_list_that_names_the_old_address_finds_who_moved(
    moving: SignUpContainer, client: Client, tmp_path: Path
):
    moving.signing_up.request_address_change(moving.subscription(), NEW)
    client.post(moving.link(NEW))
    moving.subscribe(tmp_path, {READER: "chips"})
    assert moving.mailable() == [NEW, OTHER]


def test_an_address_of_another_subscriber_makes_two_one(moving: SignUpContainer, client: Client):
    stood = moving.subscription()
    moving.signing_up.request_address_change(stood, OTHER)
    client.post(moving.link(OTHER))
    assert moving.mailable() == [OTHER]
    assert moving.subscription(OTHER).id == stood.id


def test_an_old_unsubscribe_at_the_new_address_does_not_end_what_moves_there(
    moving: SignUpContainer, client: Client
):
    moving.unsubscribe(OTHER)
    moving.signing_up.request_address_change(moving.subscription(), OTHER)
    client.post(moving.link(OTHER))
    assert moving.mailable() == [OTHER]


def test_an_unsubscribe_while_a_new_address_is_confirmed_stands(moving: SignUpContainer):
    stood, now = moving.subscription(), moving.clock.now()
    moving.signing_up.request_address_change(stood, OTHER)
    token = moving.link(OTHER).rpartition("/")[2]
    with ThreadPoolExecutor(1) as thread:
        with transaction(moving.engine) as leaves:
            apply_consent(leaves, [stood.id], ConsentAct.WITHDRAWN, at=now, source="link")
            moves = thread.submit(moving.signing_up.confirm_address, token)
            until_somebody_waits(moving.engine)
        moves.result()
    assert moving.subscription(OTHER).id == stood.id
    assert moving.mailable() == []


def test_a_move_that_broke_off_has_ended_nothing_and_is_made_by_the_next_press(
    moving: SignUpContainer,
):
    moving.unsubscribe(OTHER)
    moving.signing_up.request_address_change(moving.subscription(), OTHER)
    token = moving.link(OTHER).rpartition("/")[2]
    with moving.engine.begin() as connection:
        connection.execute(text("ALTER TABLE consent ADD CONSTRAINT no CHECK (act <> 'resumed')"))
    with pytest.raises(CheckViolation):
        moving.signing_up.confirm_address(token)
    assert moving.mailable() == [READER]
    with moving.engine.begin() as connection:
        connection.execute(text("ALTER TABLE consent DROP CONSTRAINT no"))
    moving.signing_up.confirm_address(token)
    assert moving.mailable() == [OTHER]


def test_there_and_back_again(moving: SignUpContainer, client: Client):
    for email in (NEW, READER, NEW):
        [at] = [one for one in moving.mailable() if one != OTHER]
        moving.signing_up.request_address_change(moving.subscription(at), email)
        client.post(moving.link(email))
        assert email in moving.mailable()
        moving.clock.pass_time(hours=1)
    assert moving.mailable() == [NEW, OTHER]


def test_the_link_mailed_to_one_address_does_not_confirm_another(
    moving: SignUpContainer, client: Client
):
    moving.signing_up.request_address_change(moving.subscription(), NEW)
    link = moving.link(NEW)
    moving.signing_up.request_address_change(moving.subscription(), "third@example.com")
    assert client.post(link).status_code == 404
    client.post(moving.link("third@example.com"))
    assert moving.mailable() == [OTHER, "third@example.com"]


@pytest.mark.parametrize("reason", [SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT])
def test_a_suppressed_address_is_not_asked(moving: SignUpContainer, reason: SuppressionReason):
    moving.suppress(reason, NEW)
    moving.signing_up.request_address_change(moving.subscription(), NEW)
    assert moving.deliver(NEW) == []


def test_an_unsubscribe_of_the_new_address_is_undone_by_its_owner(
    moving: SignUpContainer, client: Client
):
    moving.suppress(SuppressionReason.UNSUBSCRIBE, NEW)
    moving.signing_up.request_address_change(moving.subscription(), NEW)
    assert f"Your emails now go to {NEW}" in client.post(moving.link(NEW)).text
    assert moving.mailable() == [NEW, OTHER]
    [lift] = moving.select("SELECT email_key, reason FROM suppression_lift")
    assert lift == {"email_key": NEW, "reason": "unsubscribe"}


def test_an_address_that_complained_since_it_was_asked_gets_nothing(
    moving: SignUpContainer, client: Client
):
    moving.signing_up.request_address_change(moving.subscription(), NEW)
    link = moving.link(NEW)
    moving.suppress(SuppressionReason.COMPLAINT, NEW)
    client.post(link)
    assert moving.mailable() == [OTHER]


def test_a_link_that_is_too_old_moves_nobody(moving: SignUpContainer, client: Client):
    moving.signing_up.request_address_change(moving.subscription(), NEW)
    link = moving.link(NEW)
    moving.clock.pass_time(hours=49)
    assert client.get(link).status_code == client.post(link).status_code == 404
    moving.signing_up.delete_unconfirmed()
    assert moving.select("SELECT * FROM address_change") == []
    assert moving.mailable() == [OTHER, READER]


def test_ones_own_address_and_no_address_are_no_change(moving: SignUpContainer):
    moving.signing_up.request_address_change(moving.subscription(), READER.upper())
    assert moving.deliver() == []
    with pytest.raises(InvalidAddress):
        moving.signing_up.request_address_change(moving.subscription(), "nobody")
