"""The company's own sign-in at the console: the button, the way there, and the way back."""

import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import BrowserContext
from pydantic import SecretStr, ValidationError

from newsletter.core.staff import Grant, Permission
from newsletter.errors import ConfigurationError
from newsletter.settings import OidcSettings, Settings
from tests.container import TestContainer
from tests.oidc_provider import CLIENT, SECRET, Provider, serving_provider
from tests.staff import SHELL
from tests.web.console.serving import GRANTS, ConsoleClient

pytestmark = pytest.mark.postgres

NAME = "Example login"


@pytest.fixture
def provider(container: TestContainer) -> Iterator[Provider]:
    with serving_provider(container.clock.now) as found:
        container.settings = configured(container.settings, found.url)
        yield found


def configured(settings: Settings, issuer: str) -> Settings:
    oidc = OidcSettings(issuer=issuer, client_id=CLIENT, name=NAME)
    web = settings.service.web.model_copy(update={"oidc": oidc})
    environment = settings.environment.model_copy(update={"oidc_secret": SecretStr(SECRET)})
    service = settings.service.model_copy(update={"web": web})
    return replace(settings, service=service, environment=environment)


def back_from(
    provider: Provider, console: ConsoleClient, then: str = "/"
) -> tuple[dict[str, str], dict[str, str]]:
    """Press the button; return what the provider sends back, and the browser's cookies."""
    left = console.post("/sign-in/provider", then=then)
    url = left.headers["refresh"].removeprefix("0; url=")
    assert url.startswith(f"{provider.url}/authorize?")
    return provider.sign_in(url), dict(left.cookies)


def post_back(console: ConsoleClient, answer: dict[str, str], cookies: dict[str, str]):
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    headers = {"Sec-Fetch-Site": "same-origin", "Cookie": cookie}
    return console.ask("POST", "/sign-in/provider/answer", data=answer, headers=headers)


def test_without_a_provider_there_is_no_button_and_nothing_behind_it(console: ConsoleClient):
    assert "/sign-in/provider" not in console.get("/sign-in").text
    assert console.post("/sign-in/provider").status_code == 404


@pytest.mark.parametrize(
    ("then", "leads"),
    [
        ("/technology/today", "/technology/today"),
        ("//elsewhere.example.org", "/"),
        ("https://elsewhere.example.org/", "/"),
        ("/\\elsewhere.example.org", "/"),
    ],
)
def test_the_way_back_leads_to_a_page_of_ours(
    then: str, leads: str, container: TestContainer, provider: Provider, console: ConsoleClient
):
    container.staff_accounts.invite("o@example.org", GRANTS["see"], by=SHELL)
    answer, cookies = back_from(provider, console, then)
    done = post_back(console, answer, cookies)
    assert done.headers["location"] == leads
    assert console.get("/account").status_code == 200
    assert "provider=" in done.headers["set-cookie"]  # taken from the browser


def test_an_answer_in_another_browser_or_a_second_time_signs_nobody_in(
    container: TestContainer, provider: Provider, console: ConsoleClient
):
    container.staff_accounts.invite("o@example.org", GRANTS["see"], by=SHELL)
    answer, cookies = back_from(provider, console)
    assert post_back(console, answer, {}).status_code == 422
    assert post_back(console, answer, cookies).status_code == 303
    console.token = ""
    again = post_back(console, answer, cookies)
    assert again.status_code == 422
    assert "That did not match" in again.text


def test_the_page_on_the_way_back_does_nothing_by_itself(
    container: TestContainer, provider: Provider, console: ConsoleClient
):
    container.staff_accounts.invite("o@example.org", GRANTS["see"], by=SHELL)
    answer, cookies = back_from(provider, console)
    page = console.get("/sign-in/provider/answer", params=answer)
    assert answer["code"] in page.text
    assert "set-cookie" not in page.headers
    assert post_back(console, answer, cookies).status_code == 303


def test_whoever_turns_back_at_the_provider_is_offered_the_other_ways(
    provider: Provider, console: ConsoleClient
):
    refused = console.get("/sign-in/provider/answer", params={"error": "access_denied"})
    assert refused.status_code == 422
    assert "You were not signed in there." in refused.text
    provider.status = 503
    unavailable = console.post("/sign-in/provider")
    assert unavailable.status_code == 503
    assert "does not answer" in unavailable.text
    assert 'action="/sign-in/password"' in unavailable.text


@pytest.mark.browser
def test_in_a_browser_from_the_button_to_a_dangerous_deed(
    container: TestContainer, provider: Provider, served_console: str, context: BrowserContext
):
    container.staff_accounts.invite("o@example.org", [Grant(permission=Permission.OWN)], by=SHELL)
    page = context.new_page()
    page.goto(f"{served_console}/technology/settings")
    page.get_by_role("button", name=f"Sign in with {NAME}").click()
    page.wait_for_url(f"{served_console}/technology/settings")
    container.clock.pass_time(minutes=20)
    page.goto(f"{served_console}/account")
    assert "Linked" in page.inner_text("#provider")
    page.get_by_role("link", name="Confirm").click()
    page.get_by_role("button", name=f"Sign in with {NAME}").click()
    page.wait_for_url(f"{served_console}/account")
    assert provider.asked[-1]["prompt"] == "login"
    assert page.get_by_role("button", name="Set up an app").is_visible()


def test_without_the_extra_a_configured_provider_is_a_clear_error(
    container: TestContainer, monkeypatch: pytest.MonkeyPatch
):
    container.settings = configured(container.settings, "https://login.example.org")
    monkeypatch.delitem(sys.modules, "newsletter.adapters.staff.oidc", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == "authlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigurationError, match=r"pip install 'newsletter\[oidc\]'"):
        _ = container.console


@pytest.mark.parametrize(
    "issuer",
    ["http://login.example.org", "https://login.example.org/?tenant=1", "https://u@example.org"],
)
def test_an_issuer_that_others_could_read_is_refused(issuer: str):
    with pytest.raises(ValidationError, match="issuer"):
        OidcSettings(issuer=issuer, client_id=CLIENT)
