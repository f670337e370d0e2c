"""One's own account: ways to sign in, and sessions."""

import html
import json
import re

import pytest

from tests.authenticator import Authenticator
from tests.container import TestContainer
from tests.staff import HERE, PASSWORD, session_of
from tests.staff import code as code_of
from tests.web.console.serving import ConsoleClient

pytestmark = pytest.mark.postgres

NOT_YET = "You cannot sign in again yet."


@pytest.fixture
def editor(members: dict[str, ConsoleClient]) -> ConsoleClient:
    return members["edit"]


def set_up_app(client: ConsoleClient, container: TestContainer) -> str:
    """Return the secret of an app that counts from now on."""
    assert client.post("/account/app").headers["location"] == "/account/app"
    secret = secret_on(client.get("/account/app").text)
    code = code_of(container, secret)
    assert client.post("/account/app/confirm", code=code).status_code == 200
    return secret


def secret_on(page: str) -> str:
    found = re.search(r'secret">([A-Z2-7 ]+)<', page)
    assert found
    return found[1].replace(" ", "")


def add_passkey(client: ConsoleClient, name: str) -> Authenticator:
    device = Authenticator(client.url)
    asked = client.post("/account/passkeys/options").json()
    answer = device.create(json.dumps(asked["options"]))
    added = client.post("/account/passkeys", ticket=asked["ticket"], answer=answer, name=name)
    assert added.headers["location"] == "/account?said=passkey_added#passkeys"
    return device


def test_until_there_is_a_way_to_sign_in_again_the_page_says_so(
    editor: ConsoleClient, container: TestContainer
):
    assert NOT_YET in editor.get("/account?new=1").text
    assert "Welcome, edit." in editor.get("/account?new=1").text

    editor.post("/account/password", password=PASSWORD)
    assert NOT_YET in editor.get("/account").text
    set_up_app(editor, container)
    assert NOT_YET not in editor.get("/account").text


def test_a_way_can_be_added_only_soon_after_coming_in(
    editor: ConsoleClient, container: TestContainer
):
    container.clock.pass_time(minutes=16)
    page = editor.get("/account?new=1").text
    assert "newsletter staff link edit@example.org" in page
    assert "/account/password" not in page


def test_a_weak_password_is_refused_beside_its_field(editor: ConsoleClient):
    refused = editor.post("/account/password", password="123456789012")
    assert refused.status_code == 422
    assert "This is one of the passwords that are tried first; choose another one." in refused.text
    assert "123456789012" not in refused.text


def test_a_wrong_code_leaves_the_secret_as_it_was_shown(
    editor: ConsoleClient, container: TestContainer
):
    editor.post("/account/app")
    secret = secret_on(editor.get("/account/app").text)
    refused = editor.post("/account/app/confirm", code="000000")
    assert refused.status_code == 422
    assert secret_on(refused.text) == secret
    picture = re.search(r'src="(data:image/svg[^"]+)"', html.unescape(refused.text))
    assert picture

    code = code_of(container, secret)
    shown = editor.post("/account/app/confirm", code=code)
    codes = re.findall(r"<li>([0-9a-f-]{23})</li>", shown.text)
    assert len(codes) == 10
    assert codes[0] not in editor.get("/account").text
    assert "10 recovery codes are left." in editor.get("/account").text
    assert editor.get("/account/app").headers["location"] == "/account#app"


def test_new_recovery_codes_void_the_old_ones(editor: ConsoleClient, container: TestContainer):
    set_up_app(editor, container)
    first, second = (
        re.findall(r"<li>([0-9a-f-]{23})</li>", editor.post("/account/codes").text)
        for _ in range(2)
    )
    assert not set(first) & set(second)


def test_the_only_way_to_sign_in_stays(editor: ConsoleClient):
    add_passkey(editor, "laptop")
    page = editor.get("/account").text
    assert "Your only way to sign in" in page
    refused = editor.post("/account/passkeys/1/remove")
    assert refused.status_code == 409
    assert "This is your only way to sign in: add another one first" in refused.text

    add_passkey(editor, "<phone>")
    assert "&lt;phone&gt;" in editor.get("/account").text
    assert editor.post("/account/passkeys/1/remove").status_code == 303
    assert "laptop" not in editor.get("/account").text


def test_nobody_removes_a_passkey_of_somebody_else(members: dict[str, ConsoleClient]):
    add_passkey(members["own"], "laptop")
    add_passkey(members["own"], "phone")
    add_passkey(members["edit"], "key")
    members["edit"].post("/account/password", password=PASSWORD)
    assert members["edit"].post("/account/passkeys/1/remove").status_code in {404, 409}
    assert "laptop" in members["own"].get("/account").text


def test_a_passkey_of_another_origin_is_refused(editor: ConsoleClient):
    asked = editor.post("/account/passkeys/options").json()
    device = Authenticator("http://localhost.elsewhere.example")
    answer = device.create(json.dumps(asked["options"]))
    refused = editor.post("/account/passkeys", ticket=asked["ticket"], answer=answer)
    assert refused.status_code == 422
    assert "was not added" in refused.text


def test_one_session_ends_and_the_others_go_on(editor: ConsoleClient, container: TestContainer):
    member = session_of(container, editor.token).member
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) AppleWebKit/605 Mobile Safari/604"
    other = container.staff_sessions.start(member, address="203.0.113.9", device=iphone)
    page = editor.get("/account").text
    assert "Safari, iPhone" in page
    assert "203.0.113.9" in page

    number = session_of(container, other).id
    ended = editor.post(f"/account/sessions/{number}/end")
    assert ended.headers["location"] == "/account?said=session_ended#sessions"
    assert container.staff_sessions.find(other, container.clock.now()) is None
    assert editor.get("/account").status_code == 200
    assert editor.post(f"/account/sessions/{number}/end").status_code == 404


def test_nobody_ends_a_session_of_somebody_else(
    members: dict[str, ConsoleClient], container: TestContainer
):
    number = session_of(container, members["own"].token).id
    assert members["edit"].post(f"/account/sessions/{number}/end").status_code == 404
    assert members["own"].get("/account").status_code == 200


def test_signing_out_everywhere_ends_this_session_too(
    editor: ConsoleClient, container: TestContainer
):
    member = session_of(container, editor.token).member
    other, own = container.staff_sessions.start(member, address=HERE, device=""), editor.token
    assert editor.post("/account/sign-out-everywhere").headers["location"] == "/sign-in"
    for token in (own, other):
        assert container.staff_sessions.find(token, container.clock.now()) is None


def test_ones_own_name_is_changed_and_logged(editor: ConsoleClient, container: TestContainer):
    led = editor.post("/account/name", name="  Grace   Example ").headers["location"]
    page = editor.get(led).text
    assert "Your name is changed." in page
    assert "<h1>Grace Example</h1>" in page
    last = container.decisions.recent().decisions[0]
    assert (last.verb, last.before, last.after) == (
        "renamed",
        {"name": "edit"},
        {"name": "Grace Example"},
    )
    assert last.actor == "edit@example.org"
    editor.post("/account/name", name="Grace Example")
    assert container.decisions.recent().decisions[0].id == last.id
    assert editor.post("/account/name", name="   ").status_code == 409
    assert editor.post("/account/name", name="x" * 101).status_code == 422
