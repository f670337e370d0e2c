"""The console answers: a client, its members, and a browser."""

import pytest
from playwright.sync_api import BrowserContext, expect

from newsletter.core.staff import Grant, Permission
from tests.container import TestContainer
from tests.web.console.serving import FOREIGN_SLUG, OWN_SLUG, ConsoleClient, give_session, sign_in

pytestmark = pytest.mark.postgres


def test_each_member_gets_the_first_page_of_their_newsletter(
    members: dict[str, ConsoleClient], console: ConsoleClient
) -> None:
    begins = {name: client.get("/").headers["location"] for name, client in members.items()}

    assert begins.pop("elsewhere") == f"/{FOREIGN_SLUG}/today"
    assert set(begins.values()) == {f"/{OWN_SLUG}/today"}
    assert console.get("/").headers["location"].startswith("/sign-in")


@pytest.mark.browser
def test_a_browser_reaches_the_console(
    context: BrowserContext, served_console: str, container: TestContainer
) -> None:
    token = sign_in(container, "o@example.org", Grant(permission=Permission.OWN))
    assert container.settings.console_url == served_console
    give_session(context, served_console, token)
    page = context.new_page()
    page.goto(served_console)
    expect(page.get_by_role("link", name="Today")).to_have_attribute("aria-current", "page")
