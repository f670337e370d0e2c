"""The form: it shows what was typed again, stops machines, and never shows who is known."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from newsletter.core.publication import Weekday, WeeklyDigest
from newsletter.sandbox.server import Sandbox
from newsletter.web.form_tokens import FormTokens
from newsletter.web.min_duration import min_duration
from newsletter.web.public.time_zones import zone_guess
from subscribers.model import Frequency, SuppressionReason
from tests.web.conftest import Client
from tests.web.signup.conftest import Ask
from tests.web.signup.helpers import (
    PAGE,
    READER,
    SignUpContainer,
    form_token_in,
    newsletter,
    open_signups,
)

pytestmark = pytest.mark.postgres

_HIDDEN = re.compile(r'type="hidden" name="([^"]+)" value="([^"]*)"')
_AS_LONG = "nobody@example.com"


def test_the_page_says_what_there_is_and_ticks_it_all(client: Client):
    page = client.get(PAGE)
    assert page.status_code == 200
    for said in (
        "Stay ahead on Technology",
        "Flaws, breaches, and the people who mend them.",
        "Send me Technology Daily by email. I can leave at any time, with one click in any letter.",
    ):
        assert said in page.text
    assert page.text.count(" checked") == 6
    assert "<script" not in page.text
    assert 'value="America/New_York" selected' in page.text
    assert "How often?" not in page.text  # there is no digest


@pytest.mark.parametrize(
    "languages, zone",
    [
        ("de-AT,de;q=0.9,en-US;q=0.8", "Europe/Vienna"),
        ("zh-Hant-TW", "Asia/Taipei"),
        ("en-US,en;q=0.5", "Etc/Mine"),  # that country has many
        ("de,en", "Etc/Mine"),
        ("x" * 5000 + ",,;;=", "Etc/Mine"),
        ("", "Etc/Mine"),
    ],
)
def test_a_zone_is_guessed_where_there_is_no_doubt(languages: str, zone: str):
    assert zone_guess(languages, "Etc/Mine") == zone


def test_what_was_typed_wrong_is_said_and_what_was_typed_is_kept(
    ask: Ask, container: SignUpContainer
):
    answer = ask("reader@example", name="Robin", topic=["policy"])
    assert answer.status_code == 422
    assert 'value="reader@example"' in answer.text
    assert 'value="Robin"' in answer.text
    assert answer.text.count(" checked") == 1
    assert 'value="Europe/Berlin" selected' in answer.text
    assert 'aria-describedby="email-wrong"' in answer.text

    assert "Please choose at least one topic." in ask(topic=[]).text
    assert "There is no such topic." in ask(topic=["gardening"]).text
    assert "There is no such time zone." in ask(timezone="Mars/Base").text
    assert "on one line" in ask(name="a\nb").text
    assert ask(email="a\x00b@example.com", name="\x00").status_code == 422
    assert container.select("SELECT * FROM signup_request") == []


def _known(container: SignUpContainer, client: Client, ask: Ask) -> None:
    ask()
    client.post(container.link())


def _left(container: SignUpContainer, client: Client, ask: Ask) -> None:
    _known(container, client, ask)
    container.unsubscribe(READER)


def _waiting(container: SignUpContainer, client: Client, ask: Ask) -> None:
    ask()


def _mailed_enough(container: SignUpContainer, client: Client, ask: Ask) -> None:
    for _ in range(4):
        ask()
        container.clock.pass_time(minutes=20)


def _new(container: SignUpContainer, client: Client, ask: Ask) -> None:
    pass


def _suppressed(reason: SuppressionReason) -> Callable[[SignUpContainer, Client, Ask], None]:
    return lambda container, _client, _ask: container.suppress(reason)


@pytest.mark.parametrize(
    "before",
    [_known, _left, _waiting, _mailed_enough, *map(_suppressed, SuppressionReason)],
)
def test_no_answer_hints_whether_an_address_is_known(
    container: SignUpContainer, client: Client, ask: Ask, before: Callable[..., None]
):
    now = container.clock.now()
    container.clock.pass_time(days=-2)
    before(container, client, ask)
    container.clock.time = now
    answers = [ask(READER), ask(_AS_LONG), ask(READER, website="https://spam.example")]
    seen = {(one.status_code, _impersonal(one), tuple(one.headers.items())) for one in answers}
    assert len(seen) == 1


def _impersonal(answer: httpx.Response) -> str:
    """Return an answer without what its asker typed, and when."""
    return answer.text.replace(_AS_LONG, READER).replace(form_token_in(answer.text), "")


def test_a_filled_trap_keeps_nothing(ask: Ask, container: SignUpContainer):
    assert ask(website="https://spam.example").status_code == 200
    assert container.select("SELECT * FROM signup_request") == []
    assert container.select("SELECT * FROM signup") == []


def test_a_form_filled_in_at_once_or_long_ago_is_to_be_pressed_again(
    client: Client, container: SignUpContainer
):
    clock = container.clock
    sheet = {"email": READER, "topic": "chips"}
    token = form_token_in(client.get(PAGE).text)

    quick = client.post(PAGE, data={**sheet, "form_token": token})
    assert "press the button once more" in quick.text
    clock.pass_time(hours=25)
    late = client.post(PAGE, data={**sheet, "form_token": token})
    forged = client.post(PAGE, data={**sheet, "form_token": token[:-1] + "_"})
    none = client.post(PAGE, data=sheet)
    assert late.text == forged.text == none.text
    assert container.select("SELECT * FROM signup") == []

    again = client.post(PAGE, data={**sheet, "form_token": form_token_in(late.text)})
    assert "Check your inbox" in again.text
    assert len(container.select("SELECT * FROM signup")) == 1


def test_send_it_again_sends_one_more(client: Client, ask: Ask, container: SignUpContainer):
    sent = ask()
    sheet = {"email": READER, "form_token": form_token_in(sent.text)}
    assert len(container.deliver()) == 1
    answers = [client.post(PAGE + "/again", data=sheet) for _ in range(3)]
    assert len(container.deliver()) == 2
    assert len({one.text for one in answers}) == 1

    unknown = {"email": "nobody@example.com", "form_token": sheet["form_token"]}
    assert client.post(PAGE + "/again", data=unknown).status_code == 200
    assert len(container.select("SELECT * FROM transactional_email")) == 2


def test_only_who_asked_may_have_it_sent_again(
    client: Client, ask: Ask, container: SignUpContainer
):
    ask()
    client.post(container.link())
    container.clock.pass_time(hours=1)
    before = len(container.deliver())

    trapped = ask(website="https://spam.example")
    strange = client.post(PAGE + "/again", data={"email": READER, "form_token": "x"})
    for answer in (trapped, strange):
        token = form_token_in(answer.text)
        client.post(PAGE + "/again", data={"email": READER, "form_token": token})
    assert len(container.deliver()) == before


def test_sending_again_counts_for_the_network(client: Client, ask: Ask, container: SignUpContainer):
    sent = ask()
    for number in range(19):
        ask(f"reader{number}@example.com")
    container.clock.pass_time(minutes=15)
    sheet = {"email": READER, "form_token": form_token_in(sent.text)}
    assert client.post(PAGE + "/again", data=sheet).status_code == 429
    assert len(container.deliver()) == 1

    container.clock.pass_time(hours=1)
    assert client.post(PAGE + "/again", data=sheet).status_code == 200
    assert len(container.deliver()) == 2


def test_what_is_no_address_is_answered_like_any_other(client: Client, container: SignUpContainer):
    form_tokens = FormTokens(lambda: container.signups.forms_key, container.clock.now)
    for wrong in ("not an address", ""):
        token = form_tokens.make(f"technology again {wrong}")
        answer = client.post(PAGE + "/again", data={"email": wrong, "form_token": token})
        assert answer.status_code == 200
        assert "Check your inbox" in answer.text


def test_who_is_subscribed_learns_so_only_by_email(
    client: Client, ask: Ask, container: SignUpContainer
):
    ask()
    client.post(container.link())
    container.clock.pass_time(hours=1)
    ask(topic=["policy"])
    letter = container.deliver()[0]
    assert letter["subject"] == "You are already subscribed to Technology Daily"
    assert "List-Unsubscribe" in letter["headers"]
    assert sorted(container.subscription().topics.slugs) == ["chips", "security"]


def test_an_address_is_mailed_three_times_a_day_and_not_within_ten_minutes(
    ask: Ask, container: SignUpContainer
):
    for minutes in (0, 9, 2, 11, 11, 600):
        container.clock.pass_time(minutes=minutes)
        ask(READER.upper() if minutes == 9 else READER)
        container.transactional.send_waiting()
    assert len(container.deliver()) == 3
    container.clock.pass_time(hours=25)
    ask()
    assert len(container.deliver()) == 4


def test_a_network_signs_up_twenty_times_an_hour(ask: Ask, container: SignUpContainer):
    statuses = [ask(f"reader{number}@example.com").status_code for number in range(22)]
    assert statuses == [200] * 20 + [429] * 2
    assert len(container.select("SELECT * FROM signup")) == 20
    container.clock.pass_time(hours=1)
    ask("late@example.com")
    assert len(container.select("SELECT * FROM signup")) == 21


def test_counts_hold_no_address(ask: Ask, container: SignUpContainer):
    ask()
    [*counted] = container.select("SELECT counted_as FROM signup_request")
    assert len(counted) == 2
    assert all(b"example" not in bytes(one["counted_as"]) for one in counted)


def test_the_embedded_form_needs_no_token_and_asks_for_everything(
    client: Client, container: SignUpContainer
):
    page = client.get("/technology/embed").text
    assert "https://news.example.com/technology/subscribe" in page
    assert "&lt;script" not in page
    sheet = {"email": READER, "form": "embed"}
    site = {"Referer": "https://www.example.org/about"}
    assert client.post(PAGE, data=sheet, headers=site).status_code == 200
    client.post(container.link())
    assert container.subscription().source == "embedded form"
    assert (
        container.select("SELECT detail FROM consent LIMIT 1")[0]["detail"]["form"]
        == site["Referer"]
    )

    wrong = client.post(PAGE, data={**sheet, "email": "nobody"})
    assert wrong.status_code == 422
    assert wrong.text.count(" checked") == 6
    corrected = {"email": READER, "topic": "chips", "form_token": form_token_in(wrong.text)}
    assert client.post(PAGE, data=corrected).status_code == 200


def test_a_closed_newsletter_has_no_sign_up(engine: Engine, sandbox: Sandbox, client: Client):
    closed = open_signups(engine, sandbox, newsletter(open=False))
    shut = Client(closed.app, client._portal)
    for path in (PAGE, "/technology/embed", "/nothing/subscribe"):
        assert shut.get(path).status_code == 404
    assert shut.post(PAGE, data={}).status_code == 404
    assert shut.post(PAGE + ".json", json={}).status_code == 404


def test_a_weekly_digest_can_be_chosen_where_there_is_one(
    engine: Engine, sandbox: Sandbox, client: Client
):
    which = replace(newsletter(), weekly=WeeklyDigest(day=Weekday.SUN))
    container = open_signups(engine, sandbox, which)
    weekly = Client(container.app, client._portal)
    assert "How often?" in weekly.get(PAGE).text
    sheet = {"email": READER, "form": "embed", "frequency": "weekly"}
    weekly.post(PAGE, data=sheet)
    assert "once a week" in container.deliver()[0]["text"]
    weekly.post(container.link())
    assert container.subscription().frequency is Frequency.WEEKLY


def test_thrown_away_addresses_are_refused_where_that_is_wanted(
    engine: Engine, sandbox: Sandbox, client: Client
):
    strict = open_signups(engine, sandbox, newsletter(refuse_disposable=True))
    sheet = {"email": "someone@mailinator.com", "form": "embed"}
    refused = Client(strict.app, client._portal).post(PAGE, data=sheet)
    assert refused.status_code == 422
    assert "a permanent address, not a disposable one" in refused.text
    assert client.post(PAGE, data=sheet).status_code == 200


def test_an_import_meanwhile_and_a_confirmation_make_one_subscription(
    client: Client, ask: Ask, container: SignUpContainer, tmp_path: Path
):
    ask()
    container.subscribe(tmp_path, {READER: ""})
    client.post(container.link())
    assert container.mailable() == [READER]


def test_an_answer_takes_its_time_whoever_is_asked_about():
    began = time.monotonic()
    with min_duration(0.05):
        pass
    assert time.monotonic() - began >= 0.05


def test_an_obvious_slip_is_asked_about_once_and_never_refused(
    client: Client, ask: Ask, container: SignUpContainer
):
    asked = ask("reader@gmial.com", name="Robin")
    assert asked.status_code == 200
    assert "Did you mean reader@gmail.com?" in asked.text
    assert container.select("SELECT * FROM signup_request") == []

    for right in ("gmail.com", "gmial.com"):  # either button
        sheet = dict(_HIDDEN.findall(asked.text.split("<form")[1]))
        client.post(PAGE, data=sheet | {"email": f"reader@{right}", "topic": ["chips", "policy"]})
    stored = container.select("SELECT email, name, topics, zone FROM signup ORDER BY id")
    assert [one["email"] for one in stored] == ["reader@gmail.com", "reader@gmial.com"]
    assert {one["name"] for one in stored} == {"Robin"}
    assert {one["zone"] for one in stored} == {"Europe/Berlin"}

    program = client.post(PAGE + ".json", json={"email": "other@gmial.com"})
    assert program.status_code == 202
    assert program.json()["did_you_mean"] == "other@gmail.com"


def test_every_topic_is_selected_without_a_script(
    client: Client, ask: Ask, container: SignUpContainer
):
    answer = ask("reader@exam", topic=["chips"], select="all")
    assert answer.status_code == 200
    assert answer.text.count(" checked") == 6
    assert 'value="reader@exam"' in answer.text
    assert container.select("SELECT * FROM signup") == []


def test_the_page_says_how_often_and_what_came_last(client: Client, container: SignUpContainer):
    container.receive("chips")
    container.plan_issue()
    page = client.get(PAGE).text
    assert "Monday to Friday, about" in page
    assert "A foundry halves the water it needs for a wafer" in page
