"""What strangers and readers may cause: a letter goes where it was asked for, and not too often."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from newsletter.core.signup import SignUpForm
from newsletter.core.transactional import TransactionalKind
from newsletter.sandbox.server import Sandbox
from subscribers.model import SuppressionReason
from subscribers.signup.model import ConsentProof
from tests.web.conftest import Client, choices_path
from tests.web.signup.conftest import Ask
from tests.web.signup.helpers import (
    PAGE,
    READER,
    SignUpContainer,
    form_token_in,
    links,
    newsletter,
    open_signups,
)

pytestmark = pytest.mark.postgres

VICTIM, OTHER = "victim@example.net", "other@example.org"


@pytest.fixture
def read(container: SignUpContainer, tmp_path: Path) -> SignUpContainer:
    container.subscribe(tmp_path, {READER: "chips"})
    return container


def change(client: Client, container: SignUpContainer, email: str) -> httpx.Response:
    path = choices_path(container.subscription()) + "/address"
    return client.post(path, data={"email": email})


def sent(container: SignUpContainer) -> list[str]:
    """Send what waits; return all addresses that were written to, in order."""
    container.transactional.send_waiting()
    return [one["to"] for one in reversed(container.sandbox.messages())]


def lost(client: Client, email: str) -> httpx.Response:
    token = form_token_in(client.get("/new-link").text)
    return client.post("/new-link", data={"email": email, "form_token": token})


# --- a change of address -----------------------------------------------------


def test_fifty_changes_asked_for_give_one_letter_to_whom_the_last_one_names(
    engine: Engine, sandbox: Sandbox, client: Client, tmp_path: Path
):
    generous = {"address_changes_a_day": 100, "network_signups_an_hour": 100}
    container = open_signups(engine, sandbox, newsletter(**generous))
    container.subscribe(tmp_path, {READER: ""})
    asking = Client(container.app, client._portal)
    for number in range(50):
        change(asking, container, f"a{number}@example.com")
    change(asking, container, VICTIM)

    assert sent(container) == [VICTIM]


def test_one_reader_asks_for_five_changes_a_day_and_the_page_says_so(
    read: SignUpContainer, client: Client
):
    answers = [change(client, read, f"a{number}@example.com") for number in range(6)]

    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert "none was sent. Please try again in 24 hours." in answers[-1].text
    assert answers[-1].headers["Retry-After"] == "86400"
    assert 'value="a5@example.com"' in answers[-1].text
    assert sent(read) == ["a4@example.com"]  # the one that was granted last

    read.clock.pass_time(hours=25)
    assert change(client, read, VICTIM).status_code == 200
    assert sent(read)[-1] == VICTIM


def test_a_new_address_is_written_to_as_rarely_as_any_other(read: SignUpContainer, client: Client):
    answers = []
    for _ in range(4):
        answers.append(change(client, read, VICTIM))
        read.transactional.send_waiting()

    assert sent(read) == [VICTIM]
    assert len({one.text for one in answers}) == 1  # no hint whether others wrote to it


def test_a_change_that_was_not_granted_leaves_the_one_before(read: SignUpContainer, client: Client):
    for number in range(6):
        change(client, read, f"a{number}@example.com")

    client.post(read.link("a4@example.com"))

    assert read.mailable() == ["a4@example.com"]


def test_a_change_that_was_replaced_is_erased_with_its_reader(
    read: SignUpContainer, client: Client
):
    change(client, read, VICTIM)
    change(client, read, OTHER)
    client.post(choices_path(read.subscription()) + "/erase")

    assert read.select("SELECT * FROM address_change") == []
    assert read.select("SELECT * FROM transactional_email") == []


def test_ones_own_address_is_answered_at_once(read: SignUpContainer, client: Client):
    assert "We write to this address already." in change(client, read, READER.upper()).text


# --- every kind --------------------------------------------------------------


@pytest.mark.parametrize("kind", TransactionalKind)
def test_a_letter_is_dropped_when_what_it_is_about_got_another_address(
    read: SignUpContainer, client: Client, kind: TransactionalKind
):
    refers = _queued(read, kind)
    table = {"confirmation": "signup", "address": "address_change"}.get(kind, "subscriber")
    read.query(f"UPDATE {table} SET email = 'x@example.com', email_key = 'x@example.com'")

    assert sent(read) == []
    [row] = read.select("SELECT state, reason FROM transactional_email")
    assert row == {"state": "void", "reason": "its address was changed"}

    read.transactional.queue(kind, "technology", refers)  # asked for by who has it now
    assert sent(read) == ["x@example.com"]


@pytest.mark.parametrize("kind", TransactionalKind)
def test_of_one_kind_about_one_thing_one_letter_waits(
    read: SignUpContainer, kind: TransactionalKind
):
    refers = _queued(read, kind)
    for _ in range(3):
        read.transactional.queue(kind, "technology", refers)

    assert len(sent(read)) == 1


def _queued(container: SignUpContainer, kind: TransactionalKind) -> int:
    """Queue a letter of this kind; return what it is about."""
    subscription = container.subscription()
    if kind is TransactionalKind.CONFIRMATION:
        form = SignUpForm(email=VICTIM)
        container.signing_up.request(container.newsletter, form, ConsentProof(via="test"))
    elif kind is TransactionalKind.ADDRESS:
        container.signing_up.request_address_change(subscription, VICTIM)
    elif kind is TransactionalKind.STILL_WANTED:
        container.question(subscription.id)
    else:
        container.transactional.queue(kind, "technology", subscription.id)
    [row] = container.select("SELECT refers FROM transactional_email")
    return row["refers"]


def test_a_subscription_is_welcomed_once_a_day(engine: Engine, sandbox: Sandbox, client: Client):
    rules = {"address_pause_minutes": 0, "address_mails_a_day": 50}
    container = open_signups(engine, sandbox, newsletter(**rules))
    asking = Client(container.app, client._portal)
    for _ in range(3):
        asking.post(PAGE, data={"email": READER, "form": "embed"})
        asking.post(container.link())
        container.unsubscribe(READER)
        container.clock.pass_time(minutes=1)

    subjects = [one["subject"] for one in container.deliver()]
    assert len([one for one in subjects if one.startswith("Welcome")]) <= 1


# --- what is confirmed is what is shown ----------------------------------------


def test_the_page_that_confirms_shows_what_was_asked_for_last(
    container: SignUpContainer, client: Client, ask: Ask
):
    ask(topic=["chips"])
    link = container.link()
    assert "Chips" in client.get(link).text
    ask(topic=["policy"])  # a stranger's: no letter, but it replaces the first

    page = client.get(link).text
    assert "Policy" in page
    assert "Chips" not in page


# --- a network ---------------------------------------------------------------


def test_a_network_that_asks_too_often_is_refused_whatever_it_asks_for(
    read: SignUpContainer, client: Client
):
    form = {"form": "embed"}
    for number in range(20):
        assert client.post(PAGE, data={**form, "email": f"a{number}@example.com"}).is_success

    again = form_token_in(client.post(PAGE, data={"email": "b", "website": "x"}).text)
    answers = {
        "sign-up": client.post(PAGE, data={**form, "email": VICTIM}),
        "change": change(client, read, VICTIM),
        "link": lost(client, READER),
    }
    assert again
    for which, answer in answers.items():
        assert answer.status_code == 429, which
        assert answer.headers["Retry-After"] == "3600"
        assert "Please try again in 60 minutes." in answer.text
    program = client.post(PAGE + ".json", json={"email": VICTIM})
    assert (program.status_code, program.headers["Retry-After"]) == (429, "3600")
    assert list(program.json()["errors"]) == ["request"]
    assert {VICTIM, READER}.isdisjoint(sent(read))


# --- a lost link ---------------------------------------------------------------


def test_a_link_that_does_not_work_offers_a_new_one(read: SignUpContainer, client: Client):
    assert 'action="/new-link"' in client.get("/p/broken").text

    answer = lost(client, f" {READER.upper()} ")

    assert answer.status_code == 200
    [letter] = read.deliver()
    assert letter["subject"] == "Your links for Technology Daily"
    assert choices_path(read.subscription()) in links(letter)
    assert "List-Unsubscribe" in letter["headers"]


def test_an_expired_confirmation_is_sent_again_and_works(
    container: SignUpContainer, client: Client, ask: Ask
):
    ask()
    link = container.link()
    container.clock.pass_time(hours=80)
    assert client.post(link).status_code == 404

    lost(client, READER)

    assert container.link() == link
    assert client.post(link).status_code == 200
    assert container.mailable() == [READER]


def test_nobody_learns_from_it_whose_address_is_known(read: SignUpContainer, client: Client):
    read.suppress(SuppressionReason.COMPLAINT, OTHER)
    answers = {
        lost(client, email).text.replace(email, "")
        for email in (READER, VICTIM, OTHER, READER, READER)
    }
    assert len(answers) == 1
    assert sent(read) == [READER]


@pytest.mark.parametrize("gone", ["unsubscribed", "suppressed"])
def test_who_left_is_not_written_to(read: SignUpContainer, client: Client, gone: str):
    if gone == "unsubscribed":
        read.unsubscribe(READER)
    else:
        read.suppress(SuppressionReason.COMPLAINT)
    lost(client, READER)
    assert sent(read) == []


def test_the_form_for_a_new_link_says_what_is_wrong_with_it(client: Client):
    wrong = client.post("/new-link", data={"email": "no\x00body"})
    assert wrong.status_code == 422
    assert 'aria-describedby="email-wrong"' in wrong.text
    assert "press the button once more" in client.post("/new-link", data={"email": READER}).text


def test_a_new_link_is_limited_as_the_settings_say(
    engine: Engine, sandbox: Sandbox, client: Client
):
    container = open_signups(engine, sandbox, newsletter(network_signups_an_hour=2))
    asking = Client(container.app, client._portal)
    answers = [lost(asking, f"{number}@example.com") for number in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
