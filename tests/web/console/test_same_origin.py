"""What another site's page makes a browser send is refused; so is a way out of the console."""

import re
from dataclasses import replace
from urllib.parse import quote

import pytest

from newsletter.web.console.app import create_console
from newsletter.web.console.sign_in import own_path
from tests.container import TestContainer
from tests.staff import HERE, PASSWORD, code, pending, with_password
from tests.web.console.serving import OURS, OWN_SLUG, ConsoleClient
from tests.web.console.test_permissions import walk

pytestmark = pytest.mark.postgres

REFUSED = "This was not sent from a page of ours."

ELSEWHERE = {
    "another site's form": {"Sec-Fetch-Site": "cross-site"},
    "another port's form": {"Sec-Fetch-Site": "same-site"},
    "no page's form": {"Sec-Fetch-Site": "none"},
    "another origin": {"Origin": "https://elsewhere.example"},
    "an origin that begins alike": {"Origin": "http://localhost.elsewhere.example"},
    "an origin that is hidden": {"Origin": "null"},
    "a host that is forged to match": {
        "Origin": "https://elsewhere.example",
        "Host": "elsewhere.example",
    },
    "a name that was pointed at this machine": {
        "Sec-Fetch-Site": "same-origin",
        "Origin": "http://elsewhere.example:8081",
        "Host": "elsewhere.example:8081",
    },
    "neither": {},
    "ours by Origin alone, which Sec-Fetch-Site denies": {
        "Sec-Fetch-Site": "cross-site",
        "Origin": "http://localhost",
    },
}


@pytest.mark.parametrize("headers", ELSEWHERE.values(), ids=ELSEWHERE)
def test_no_route_takes_a_post_of_another_page(headers: dict[str, str], console: ConsoleClient):
    posts = [asked for asked in walk(console.app) if asked.method == "POST"]
    assert len(posts) > 20
    for asked in posts:
        answer = console.ask("POST", asked.path, headers=headers)
        assert (answer.status_code, answer.text) == (403, REFUSED), asked


def test_a_browser_without_fetch_metadata_posts_by_its_origin(console: ConsoleClient):
    assert console.ask("POST", "/sign-out", headers={"Origin": console.url}).status_code == 303


OUTSIDE = [
    "https://elsewhere.example/",
    "//elsewhere.example/",
    "/\\elsewhere.example/",
    "\\\\elsewhere.example/",
    "javascript:alert(1)",
    "/\t/elsewhere.example/",
    "/\n/elsewhere.example/",
    "elsewhere",
    "",
]


@pytest.mark.parametrize("then", OUTSIDE)
def test_a_way_on_does_not_lead_out(then: str):
    assert own_path(then) == "/"


@pytest.mark.parametrize("then", ["/", "/technology/today", "/account?new=1#passkeys", "/a//b"])
def test_a_way_on_leads_to_a_page_of_ours(then: str):
    assert own_path(then) == then


@pytest.mark.parametrize("then", OUTSIDE[:5])
def test_signing_in_does_not_lead_out(then: str, container: TestContainer, console: ConsoleClient):
    _, secret = with_password(container)
    page = console.get(f"/sign-in?then={quote(then)}")
    assert set(re.findall(r'name="then" value="([^"]*)"', page.text)) == {"/"}

    fields = {"pending": pending(container), "code": code(container, secret), "then": then}
    assert console.post("/sign-in/code", **fields).headers["location"] == "/"
    container.clock.pass_time(minutes=1)
    fields = {"password": PASSWORD, "code": code(container, secret), "then": then}
    assert console.post("/confirm/password", **fields).headers["location"] == "/"


@pytest.mark.parametrize(
    ("referrer", "then"),
    [
        ("{url}/technology/settings", "/technology/settings"),
        ("{url}/technology/issues?view=dark&said=removed", "/technology/issues?view=dark"),
        ("https://elsewhere.example/technology/settings", "/"),
        ("https://elsewhere.example/{url}/technology/settings", "/"),
        ("{url}//elsewhere.example", "/"),
        ("", "/"),
    ],
)
def test_a_form_of_somebody_signed_out_leads_back_to_its_own_page(
    referrer: str, then: str, console: ConsoleClient
):
    headers = OURS | {"Referer": referrer.format(url=console.url)}
    answer = console.ask("POST", f"/{OWN_SLUG}/settings/staff", headers=headers)
    page = console.get(answer.headers["location"])
    assert f'name="then" value="{then}"' in page.text


def test_the_sessions_cookie_is_for_the_console_alone(
    container: TestContainer, console: ConsoleClient
):
    _, secret = with_password(container)
    plain = _cookie_of(console, container, secret)
    assert plain.startswith("session=")
    assert _flags(plain) == {"httponly", "path=/", "samesite=lax"}

    services = replace(container.console_services, url="https://console.example.com")
    container.clock.pass_time(minutes=1)
    https = ConsoleClient(create_console(services), console.portal, services.url)
    secure = _cookie_of(https, container, secret)
    assert secure.startswith("__Host-session=")
    assert _flags(secure) == {"httponly", "path=/", "samesite=lax", "secure"}
    assert https.get("/account").status_code == 200

    ended = https.post("/sign-out").headers["set-cookie"]
    assert ended.startswith('__Host-session="";')
    assert {"secure", "path=/"} <= _flags(ended)


def test_a_confirmation_changes_the_sessions_token(
    container: TestContainer, console: ConsoleClient
):
    _, secret = with_password(container)
    _cookie_of(console, container, secret)
    before = console.token
    container.clock.pass_time(minutes=1)
    console.post("/confirm/password", password=PASSWORD, code=code(container, secret))

    assert console.token != before
    assert console.get("/account").status_code == 200
    console.token = before
    assert console.get("/account").headers["location"].startswith("/sign-in")


def test_a_session_is_over_after_signing_out(members: dict[str, ConsoleClient]):
    editor = members["edit"]
    token = editor.token
    assert editor.post("/sign-out").headers["location"] == "/sign-in"
    editor.token = token
    assert editor.get("/account").headers["location"].startswith("/sign-in")


def _cookie_of(client: ConsoleClient, container: TestContainer, secret: str) -> str:
    fields = {"pending": pending(container, address=HERE), "code": code(container, secret)}
    return client.post("/sign-in/code", **fields).headers["set-cookie"]


def _flags(cookie: str) -> set[str]:
    return {part.strip().casefold() for part in cookie.split(";")[1:]}
