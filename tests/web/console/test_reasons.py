"""A form that needs a reason and came without one asks for it, and loses nothing else."""

import re
import socket
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.container import TODAY, TestContainer
from tests.web.console.day import ISSUE, MARKETER, day_of_practice, go_to, state
from tests.web.console.serving import OWN_SLUG, ConsoleClient, sign_in, url_of

pytestmark = pytest.mark.postgres

SKIP = f"/{OWN_SLUG}/days/{TODAY}/skip"


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    return day_of_practice(engine, url_of(listener), tmp_path)


@pytest.fixture
def ada(container: TestContainer, console: ConsoleClient) -> ConsoleClient:
    console.token = sign_in(container, "ada@example.org", *MARKETER)
    return console


@pytest.mark.parametrize("said", [{}, {"because": ""}, {"because": " \n"}])
def test_a_day_is_not_skipped_without_a_reason_which_is_asked_for_at_its_field(
    said: dict[str, str], container: TestContainer, ada: ConsoleClient
) -> None:
    answer = ada.post(SKIP, **said)
    assert answer.status_code == 422
    assert "It was not done yet: it needs a reason." in answer.text
    [field] = re.findall(r"<input id=\"reason\"[^>]*>", answer.text)
    assert 'aria-invalid="true" aria-describedby="said' in field
    assert f'action="{SKIP}"' in answer.text
    assert "--because" not in answer.text  # the command line's word for it
    assert state(container) == "draft"


def test_too_long_a_reason_stays_in_the_field(ada: ConsoleClient) -> None:
    answer = ada.post(SKIP, because="<b>" + "x" * 498)
    assert answer.status_code == 422
    assert "has 501 characters, and may have 500" in answer.text
    assert 'value="&lt;b&gt;xxx' in answer.text


@pytest.mark.parametrize("act", ["continue", "cancel", "why-stopped"])
def test_the_rest_of_the_form_waits_for_the_reason(
    act: str, container: TestContainer, ada: ConsoleClient
) -> None:
    go_to("stopped", container)
    fields = {"form_key": "k1", "typed": str(TODAY)}
    page = ada.post(f"{ISSUE}/{act}", because="", **fields).text
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    hidden = {name: unescape(value) for name, value in found}
    assert hidden == fields
    assert ada.post(f"{ISSUE}/{act}", because="a reason", **hidden).status_code == 303
    assert state(container) == {"continue": "sending", "cancel": "cancelled"}.get(act, "paused")


def test_a_draft_is_sent_back_with_what_is_to_change(
    container: TestContainer, ada: ConsoleClient
) -> None:
    page = ada.post(f"{ISSUE}/send-back", form_key="k", note=" ").text
    assert '<input id="reason" name="note" value=" "' in page
    assert (
        container.approval_requests.of(container.publishing.issue(container.newsletter, TODAY))
        is None
    )
