"""From the form to the welcome, over real HTTP to the stand-in and on real PostgreSQL."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from newsletter.core.signup import consent_text
from subscribers.model import Frequency, SuppressionReason, TopicSet
from tests.house import BASE_URL
from tests.signup.conftest import Ask
from tests.signup.place import READER, SignUpHouse, links
from tests.web.conftest import Client

pytestmark = pytest.mark.postgres


def test_who_signs_up_and_confirms_is_in_the_audience_and_welcomed(
    place: SignUpHouse, client: Client, ask: Ask
):
    assert ask(name="Robin").status_code == 200
    assert place.mailable() == []

    [letter] = place.deliver()
    assert letter["subject"] == "Please confirm: Technology Daily"
    assert letter["headers"] == {"Auto-Submitted": "auto-generated"}
    [link] = links(letter)
    assert len(BASE_URL + link) <= 70
    assert BASE_URL + link in letter["html"]

    for method in ("GET", "HEAD", "OPTIONS"):
        client.ask(method, link)
    assert place.mailable() == []

    assert "Yes, subscribe me" in client.get(link).text
    welcome = client.post(link)
    assert welcome.status_code == 200
    assert place.mailable() == [READER]
    made = place.subscription()
    assert made.topics == TopicSet.of(["chips", "security"])
    assert (made.zone, made.name, made.frequency) == ("Europe/Berlin", "Robin", Frequency.DAILY)
    assert made.source == "sign-up page"
    assert made.engaged_on == place.house.clock.now().date()

    [newest, _] = place.deliver()
    assert newest["subject"] == "Welcome to Technology Daily"
    assert newest["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    preferences, goodbye = links(newest)
    assert f'href="{preferences}"' in welcome.text
    assert client.get(preferences).status_code == 200
    assert f"<{BASE_URL}{goodbye}>" in newest["headers"]["List-Unsubscribe"]
    assert client.post(goodbye).status_code == 200
    assert place.mailable() == []
    assert place.sandbox.stats()["repeated"] == 0


def test_confirming_again_is_a_success_that_changes_nothing(
    place: SignUpHouse, client: Client, ask: Ask
):
    ask()
    link = place.link()
    first = client.post(link)
    assert client.post(link).text == first.text
    assert client.get(link).status_code == 200
    assert len(place.deliver()) == 2  # the confirmation, and one welcome

    place.house.leave(READER)
    assert "You have left since" in client.post(link).text
    assert place.mailable() == []


def test_consent_can_be_shown_later(place: SignUpHouse, client: Client, ask: Ask):
    asked = place.house.clock.now()
    ask()
    place.house.clock.pass_time(hours=1)
    link = place.link()
    client.post(link, headers={"User-Agent": "A browser"})
    requested, confirmed = place.rows("SELECT * FROM consent ORDER BY id")

    assert (requested["act"], confirmed["act"]) == ("requested", "confirmed")
    assert requested["at"] == asked + timedelta(seconds=5)
    assert requested["detail"]["form"] == f"{BASE_URL}/technology/subscribe"
    assert requested["detail"]["version"] == "1"
    assert requested["detail"]["ip"] == confirmed["detail"]["ip"] == "127.0.0.1"
    assert confirmed["at"] == place.house.clock.now()
    assert confirmed["detail"]["agent"] == "A browser"
    agreed = consent_text(place.house.newsletter.signup, "Technology Daily")
    [kept] = place.rows("SELECT * FROM consent_text")
    assert kept["text"] == agreed
    assert requested["detail"]["text"] == confirmed["detail"]["text"] == kept["hash"]
    assert kept["hash"] == hashlib.sha256(agreed.encode()).hexdigest()
    assert link.rpartition("/")[2] not in str(requested) + str(confirmed)


def test_who_had_left_is_back_as_they_ask_now(place: SignUpHouse, client: Client, ask: Ask):
    ask()
    client.post(place.link())
    old = place.subscription()
    place.house.leave(READER)
    place.house.clock.pass_time(days=1)

    ask(topic="policy", timezone="Asia/Tokyo")
    assert place.mailable() == []
    client.post(place.link())
    new = place.subscription()
    assert place.mailable() == [READER]
    assert (new.id, new.link_key) == (old.id, old.link_key)  # old letters' links still work
    assert (new.topics, new.zone) == (TopicSet.of(["policy"]), "Asia/Tokyo")
    [change] = place.rows("SELECT * FROM change")
    assert change["what"] == "signed up again"
    assert change["detail"]["before"]["zone"] == "Europe/Berlin"


def test_an_erased_address_may_come_back_by_its_owners_own_hand(
    place: SignUpHouse, client: Client, ask: Ask
):
    with place.house.engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO erasure (hash, at) SELECT sha256(key || convert_to(:email, 'UTF8')),
                now() FROM house_key WHERE name = 'erasure'
            """),
            {"email": READER},
        )
    ask()
    client.post(place.link())
    assert place.mailable() == [READER]
    assert place.rows("SELECT * FROM erasure") == []


@pytest.mark.parametrize("reason", [SuppressionReason.UNSUBSCRIBE, SuppressionReason.SOFT_BOUNCE])
def test_confirming_lifts_what_its_owner_may_take_back(
    place: SignUpHouse, client: Client, ask: Ask, reason: SuppressionReason
):
    place.suppress(reason)
    ask()
    client.post(place.link())
    assert place.mailable() == [READER]
    place.suppress(reason)  # told again late, from before: it is answered
    assert place.mailable() == [READER]


def test_the_latest_asking_stands_and_the_first_link_confirms_it(
    place: SignUpHouse, client: Client, ask: Ask
):
    ask(topic="chips")
    first = place.link()
    ask(topic="policy")  # too soon for another mail
    assert len(place.deliver()) == 1
    client.post(first)
    assert place.subscription().topics == TopicSet.of(["policy"])
    acts = [row["act"] for row in place.rows("SELECT act FROM consent ORDER BY id")]
    assert acts == ["requested", "requested", "confirmed"]


def test_every_topic_is_everything_and_the_welcome_tells_the_latest_issue(
    place: SignUpHouse, client: Client, ask: Ask, tmp_path: Path
):
    place.house.receive("chips", "security")
    place.house.subscribe(tmp_path, {"other@example.org": ""})
    place.house.post()
    ask(topic=list(place.house.newsletter.topic_slugs))
    client.post(place.link())
    assert place.subscription().topics == TopicSet.of([])
    welcome = place.deliver()[0]
    assert "A foundry halves the water it needs for a wafer" in welcome["text"]
    assert f"{BASE_URL}/technology/2026-11-23" in welcome["html"]


def test_what_nobody_confirms_is_deleted(place: SignUpHouse, client: Client, ask: Ask):
    ask()
    link = place.link()
    place.house.clock.pass_time(hours=71)
    assert client.get(link).status_code == 200
    place.house.clock.pass_time(hours=2)
    assert client.post(link).status_code == 404
    assert place.signing_up.sweep() == 0

    place.house.clock.pass_time(days=14)
    assert place.signing_up.sweep() == 1
    for table in ("signup", "asking", "subscriber"):
        assert place.rows(f"SELECT * FROM {table}") == []


def test_forged_cut_swapped_and_expired_links_are_refused_alike(
    place: SignUpHouse, client: Client, ask: Ask
):
    ask()
    good = place.link()
    ask("other@example.org")
    other = place.link("other@example.org")
    forged = [
        good[:-1],
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good[:11] + other[11:],
        "/a" + good[2:],
        "/c/" + "A" * 28,
        "/c/x",
        "/a/" + "A" * 28,
    ]
    place.house.clock.pass_time(hours=73)
    answers = {
        (client.ask(m, link).status_code, client.ask(m, link).text)
        for m in ("GET", "POST")
        for link in (*forged, good)
    }
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    assert place.mailable() == []


def test_who_called_it_spam_gets_nothing_at_all(place: SignUpHouse, client: Client, ask: Ask):
    ask()
    client.post(place.link())
    place.suppress(SuppressionReason.COMPLAINT)
    place.house.clock.pass_time(days=2)
    ask()
    assert len(place.deliver()) == 1  # the welcome that waited did not leave either
    assert place.rows("SELECT * FROM signup") == []
    assert place.mailable() == []
