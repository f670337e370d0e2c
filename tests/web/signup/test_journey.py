"""From the form to the welcome, over real HTTP to the sandbox and on real PostgreSQL."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from newsletter.core.signup import consent_text
from subscribers.model import Frequency, SuppressionReason, TopicSet
from tests.settings import BASE_URL
from tests.web.conftest import Client
from tests.web.signup.conftest import Ask
from tests.web.signup.helpers import READER, SignUpContainer, links

pytestmark = pytest.mark.postgres


def test_who_signs_up_and_confirms_is_in_the_audience_and_welcomed(
    container: SignUpContainer, client: Client, ask: Ask
):
    assert ask(name="Robin").status_code == 200
    assert container.mailable() == []

    [letter] = container.deliver()
    assert letter["subject"] == "Please confirm: Technology Daily"
    assert letter["headers"] == {"Auto-Submitted": "auto-generated"}
    [link] = links(letter)
    assert len(BASE_URL + link) <= 70
    assert BASE_URL + link in letter["html"]

    for method in ("GET", "HEAD", "OPTIONS"):
        client.ask(method, link)
    assert container.mailable() == []

    assert "Yes, subscribe me" in client.get(link).text
    welcome = client.post(link)
    assert welcome.status_code == 200
    assert container.mailable() == [READER]
    made = container.subscription()
    assert made.topics == TopicSet.of(["chips", "security"])
    assert (made.zone, made.name, made.frequency) == ("Europe/Berlin", "Robin", Frequency.DAILY)
    assert made.source == "sign-up page"
    assert made.engaged_on == container.clock.now().date()

    [newest, _] = container.deliver()
    assert newest["subject"] == "Welcome to Technology Daily"
    assert newest["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    preferences, unsubscribe = links(newest)
    assert f'href="{preferences}"' in welcome.text
    assert client.get(preferences).status_code == 200
    assert f"<{BASE_URL}{unsubscribe}>" in newest["headers"]["List-Unsubscribe"]
    assert client.post(unsubscribe).status_code == 200
    assert container.mailable() == []
    assert container.sandbox.stats()["repeated"] == 0


def test_confirming_again_is_a_success_that_changes_nothing(
    container: SignUpContainer, client: Client, ask: Ask
):
    ask()
    link = container.link()
    first = client.post(link)
    assert client.post(link).text == first.text
    assert client.get(link).status_code == 200
    assert len(container.deliver()) == 2  # the confirmation, and one welcome

    container.unsubscribe(READER)
    assert "You have unsubscribed since" in client.post(link).text
    assert container.mailable() == []


def test_consent_can_be_shown_later(container: SignUpContainer, client: Client, ask: Ask):
    asked = container.clock.now()
    ask()
    container.clock.pass_time(hours=1)
    link = container.link()
    client.post(link, headers={"User-Agent": "A browser"})
    requested, confirmed = container.select("SELECT * FROM consent ORDER BY id")

    assert (requested["act"], confirmed["act"]) == ("requested", "confirmed")
    assert requested["at"] == asked + timedelta(seconds=5)
    assert requested["detail"]["form"] == f"{BASE_URL}/technology/subscribe"
    assert requested["detail"]["version"] == "1"
    assert requested["detail"]["ip"] == confirmed["detail"]["ip"] == "127.0.0.1"
    assert confirmed["at"] == container.clock.now()
    assert confirmed["detail"]["agent"] == "A browser"
    agreed = consent_text(container.newsletter.signup, "Technology Daily")
    [kept] = container.select("SELECT * FROM consent_text")
    assert kept["text"] == agreed
    assert requested["detail"]["text"] == confirmed["detail"]["text"] == kept["hash"]
    assert kept["hash"] == hashlib.sha256(agreed.encode()).hexdigest()
    assert link.rpartition("/")[2] not in str(requested) + str(confirmed)


def test_who_had_left_is_back_as_they_ask_now(container: SignUpContainer, client: Client, ask: Ask):
    ask()
    client.post(container.link())
    old = container.subscription()
    container.unsubscribe(READER)
    container.clock.pass_time(days=1)

    ask(topic="policy", timezone="Asia/Tokyo")
    assert container.mailable() == []
    client.post(container.link())
    new = container.subscription()
    assert container.mailable() == [READER]
    assert (new.id, new.link_key) == (old.id, old.link_key)  # old letters' links still work
    assert (new.topics, new.zone) == (TopicSet.of(["policy"]), "Asia/Tokyo")
    [change] = container.select("SELECT * FROM change")
    assert change["what"] == "signed up again"
    assert change["detail"]["before"]["zone"] == "Europe/Berlin"


def test_an_erased_address_may_come_back_by_its_owners_own_hand(
    container: SignUpContainer, client: Client, ask: Ask
):
    with container.engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO erasure (hash, at) SELECT sha256(key || convert_to(:email, 'UTF8')),
                now() FROM installation_key WHERE name = 'erasure'
            """),
            {"email": READER},
        )
    ask()
    client.post(container.link())
    assert container.mailable() == [READER]
    assert container.select("SELECT * FROM erasure") == []


@pytest.mark.parametrize("reason", [SuppressionReason.UNSUBSCRIBE, SuppressionReason.SOFT_BOUNCE])
def test_confirming_lifts_what_its_owner_may_take_back(
    container: SignUpContainer, client: Client, ask: Ask, reason: SuppressionReason
):
    container.suppress(reason)
    ask()
    client.post(container.link())
    assert container.mailable() == [READER]
    container.suppress(reason)  # reported late, from before: it changes nothing
    assert container.mailable() == [READER]


def test_the_latest_asking_stands_and_the_first_link_confirms_it(
    container: SignUpContainer, client: Client, ask: Ask
):
    ask(topic="chips")
    first = container.link()
    ask(topic="policy")  # too soon for another mail
    assert len(container.deliver()) == 1
    client.post(first)
    assert container.subscription().topics == TopicSet.of(["policy"])
    acts = [row["act"] for row in container.select("SELECT act FROM consent ORDER BY id")]
    assert acts == ["requested", "requested", "confirmed"]


def test_every_topic_is_everything_and_the_welcome_has_the_latest_issue(
    container: SignUpContainer, client: Client, ask: Ask, tmp_path: Path
):
    container.receive("chips", "security")
    container.subscribe(tmp_path, {"other@example.org": ""})
    container.send_issue()
    ask(topic=list(container.newsletter.topic_slugs))
    client.post(container.link())
    assert container.subscription().topics == TopicSet.of([])
    welcome = container.deliver()[0]
    assert "A foundry halves the water it needs for a wafer" in welcome["text"]
    assert f"{BASE_URL}/technology/2026-11-23" in welcome["html"]


def test_what_nobody_confirms_is_deleted(container: SignUpContainer, client: Client, ask: Ask):
    ask()
    link = container.link()
    container.clock.pass_time(hours=71)
    assert client.get(link).status_code == 200
    container.clock.pass_time(hours=2)
    assert client.post(link).status_code == 404
    assert container.signing_up.delete_unconfirmed() == 0

    container.clock.pass_time(days=14)
    assert container.signing_up.delete_unconfirmed() == 1
    for table in ("signup", "signup_request", "subscriber"):
        assert container.select(f"SELECT * FROM {table}") == []


def test_forged_cut_swapped_and_expired_links_are_refused_alike(
    container: SignUpContainer, client: Client, ask: Ask
):
    ask()
    good = container.link()
    ask("other@example.org")
    other = container.link("other@example.org")
    forged = [
        good[:-1],
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good[:11] + other[11:],
        "/a" + good[2:],
        "/c/" + "A" * 28,
        "/c/x",
        "/a/" + "A" * 28,
    ]
    container.clock.pass_time(hours=73)
    answers = {
        (client.ask(m, link).status_code, client.ask(m, link).text)
        for m in ("GET", "POST")
        for link in (*forged, good)
    }
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    assert container.mailable() == []


def test_who_called_it_spam_gets_nothing_at_all(
    container: SignUpContainer, client: Client, ask: Ask
):
    ask()
    client.post(container.link())
    container.suppress(SuppressionReason.COMPLAINT)
    container.clock.pass_time(days=2)
    ask()
    assert len(container.deliver()) == 1  # the welcome that waited did not leave either
    assert container.select("SELECT * FROM signup") == []
    assert container.mailable() == []
