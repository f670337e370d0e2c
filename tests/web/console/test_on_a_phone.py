"""From a phone each approval is confirmed anew, whatever the time since the sign-in."""

import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.core.publication import ApprovalPolicy
from newsletter.web.console.devices import is_phone
from tests.container import TODAY, TestContainer
from tests.settings import TECHNOLOGY
from tests.web.console.day import ISSUE, MARKETER, state
from tests.web.console.serving import OURS, ConsoleClient, console_container, sign_in, url_of

pytestmark = pytest.mark.postgres

PHONE = OURS | {"User-Agent": "Mozilla/5.0 (iPhone) AppleWebKit/605 Mobile/15E148 Safari/604"}


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    by_person = replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON)
    made = console_container(engine, url_of(listener), newsletter=by_person)
    made.receive("chips", "security", "policy")
    made.subscribe(tmp_path, {"reader@example.com": "chips", "robot@example.com": "robotics"})
    made.publishing.assemble(by_person, TODAY)
    return made


@pytest.fixture
def ada(container: TestContainer, console: ConsoleClient) -> ConsoleClient:
    """Ada, who has just signed in; the sample's sender stops nothing."""
    console.app.state.services.preflight.obstacles = lambda _newsletter: ()
    console.token = sign_in(container, "ada@example.org", *MARKETER)
    return console


def press(ada: ConsoleClient, act: str, **more: object) -> str:
    """Press a button of the issue's page on a phone, and return where it leads."""
    page = ada.get(f"{ISSUE}?count=1").text
    names = ("content_hash", "people", "approved_hash")
    found = {one: re.findall(rf'name="{one}" value="([^"]*)"', page)[-1:] for one in names}
    data = {name: value[0] for name, value in found.items() if value} | more
    data |= {"seen": re.findall(r'name="seen" value="([^"]*)"', page)}
    answer = ada.ask("POST", f"{ISSUE}/{act}", data=data, headers=PHONE)
    return answer.headers.get("location", answer.text)


def confirm(container: TestContainer, ada: ConsoleClient) -> None:
    container.clock.pass_time(seconds=20)
    ada.token = container.staff_sessions.confirm(ada.token)


def test_each_approval_from_a_phone_is_confirmed_and_the_ticks_stay(
    container: TestContainer, ada: ConsoleClient
) -> None:
    assert press(ada, "approve", form_key="a").startswith("/confirm?then=")
    assert state(container) == "draft"
    assert 'name="seen"' in ada.get(f"{ISSUE}?count=1").text
    assert not re.findall(r'name="seen" value="[^"]*">', ada.get(f"{ISSUE}?count=1").text)
    confirm(container, ada)
    assert press(ada, "approve", form_key="a") == f"{ISSUE}#approval"
    assert press(ada, "send-now", form_key="b").startswith("/confirm?then=")
    assert state(container) == "approved"


def test_a_confirmation_counts_for_some_minutes(
    container: TestContainer, ada: ConsoleClient
) -> None:
    confirm(container, ada)
    container.clock.pass_time(minutes=5)
    assert press(ada, "approve", form_key="a").startswith("/confirm?then=")


@pytest.mark.parametrize("agent", [PHONE["User-Agent"], "Mozilla/5.0 (X11) Firefox/140.0"])
def test_after_an_older_sign_in_the_ticks_stay_and_one_confirmation_is_enough(
    container: TestContainer,
    ada: ConsoleClient,
    monkeypatch: pytest.MonkeyPatch,
    agent: str,
) -> None:
    monkeypatch.setitem(PHONE, "User-Agent", agent)
    container.clock.pass_time(minutes=16)
    assert press(ada, "approve", form_key="a").startswith("/confirm?then=")
    assert state(container) == "draft"
    assert not re.findall(r'name="seen" value="[^"]*">', ada.get(f"{ISSUE}?count=1").text)
    confirm(container, ada)
    assert press(ada, "approve", form_key="a") == f"{ISSUE}#approval"
    assert state(container) == "approved"


def test_elsewhere_a_sign_in_of_the_last_minutes_suffices(
    container: TestContainer, ada: ConsoleClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PHONE, "User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    press(ada, "approve", form_key="a")
    assert state(container) == "approved"


def test_a_phone_is_what_says_so() -> None:
    assert is_phone({"sec-ch-ua-mobile": "?1"})
    assert is_phone({"user-agent": PHONE["User-Agent"]})
    assert not is_phone({"user-agent": "Mozilla/5.0 (Macintosh)", "sec-ch-ua-mobile": "?0"})
