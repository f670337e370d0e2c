"""Passkeys in Chromium, made by a device of software: from the invitation to the confirmation."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.container import TestContainer
from tests.staff import SHELL
from tests.web.console.serving import GRANTS, OWN_SLUG, give_session, sign_in

pytestmark = [pytest.mark.postgres, pytest.mark.browser]

Scheme = Literal["light", "dark"]
_SCHEMES: tuple[Scheme, ...] = ("light", "dark")

_DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on a computer with a fingerprint reader; it reports every fault of the script."""
    made = context.new_page()
    faults: list[str] = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on(
        "console",
        lambda line: faults.append(line.text) if "Content Security" in line.text else None,
    )
    session: Any = context.new_cdp_session(made)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": _DEVICE})
    yield made
    assert faults == []


@pytest.fixture
def owner(page: Page, served_console: str, container: TestContainer) -> Page:
    """The page of an owner who has accepted an invitation and added a passkey."""
    token = container.staff_accounts.invite("ada@example.org", GRANTS["own"], by=SHELL)
    page.goto(f"{served_console}/invitation/{token}")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Welcome, Ada.")
    expect(page.get_by_role("status")).to_contain_text("You cannot sign in again yet.")
    page.get_by_label("Name of this device").fill("Ada’s laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey is added")
    return page


def test_from_the_invitation_to_a_confirmation_by_passkey(
    owner: Page, served_console: str, container: TestContainer
) -> None:
    page = owner
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    expect(page).to_have_url(f"{served_console}/sign-in")

    page.goto(f"{served_console}/{OWN_SLUG}/settings")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{served_console}/{OWN_SLUG}/settings")

    container.clock.pass_time(minutes=16)
    page.locator("#email").fill("bea@example.org")
    page.locator("#invite").get_by_label("Edit").first.check()
    page.get_by_role("button", name="Make the invitation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it still you?")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{served_console}/{OWN_SLUG}/settings")

    page.goto(f"{served_console}/account")
    expect(page.locator("#passkeys")).to_contain_text("Ada’s laptop")
    expect(page.locator("#passkeys")).to_contain_text("Last used")


def test_a_page_that_was_open_for_long_asks_for_a_confirmation_and_returns(
    owner: Page, served_console: str, container: TestContainer
) -> None:
    page = owner
    container.clock.pass_time(minutes=16)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it still you?")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{served_console}/account")


def test_a_device_that_is_registered_is_not_added_twice(owner: Page) -> None:
    owner.get_by_role("button", name="Add a passkey").click()
    expect(owner.locator("#passkeys [role=alert]")).to_contain_text("No passkey was made.")


def test_keys_go_about_and_can_be_switched_off(owner: Page, served_console: str) -> None:
    page = owner
    page.goto(f"{served_console}/{OWN_SLUG}/settings")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page).to_have_url(f"{served_console}/{OWN_SLUG}/sources")

    page.goto(f"{served_console}/account")
    page.get_by_label("Keys work in this browser").uncheck()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.reload()
    expect(page.get_by_label("Keys work in this browser")).not_to_be_checked()


@pytest.mark.parametrize("scheme", _SCHEMES)
@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_of_people_are_accessible_and_fit(
    width: int, scheme: Scheme, browser: Browser, served_console: str, container: TestContainer
) -> None:
    token = sign_in(container, "o@example.org", *GRANTS["own"], name="Ada")
    sign_in(container, "e@example.org", *GRANTS["edit"], name="Bea")
    [session] = container.staff_sessions.listed(
        container.staff_accounts.by_email("o@example.org").id
    )
    container.staff_credentials.offer_totp(session)
    axe: Any = Axe()
    with browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme
    ) as context:
        give_session(context, served_console, token)
        page = context.new_page()
        for path in ("account?new=1", "account/app", f"{OWN_SLUG}/settings", f"{OWN_SLUG}/more"):
            page.goto(f"{served_console}/{path}")
            page.evaluate(
                "document.querySelectorAll('details').forEach(one => { one.open = true })"
            )
            violations = axe.run(page).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in violations] == [], path
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_without_script_a_password_and_an_app_are_set_up(
    browser: Browser, served_console: str, container: TestContainer
) -> None:
    token = sign_in(container, "o@example.org", *GRANTS["own"])
    with browser.new_context(java_script_enabled=False) as context:
        give_session(context, served_console, token)
        page = context.new_page()
        page.goto(f"{served_console}/account")
        expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()
        page.get_by_text("Set a password").click()
        page.get_by_label("New password").fill("a wafer, a river, a foundry")
        page.get_by_role("button", name="Save the password").click()
        expect(page.locator("#password")).to_contain_text("Half done")
        page.get_by_role("button", name="Set up an app").click()
        expect(page.get_by_role("img", name="QR code")).to_be_visible()
