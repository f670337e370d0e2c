"""A reader's walk without JavaScript: the page, the letter, its button, the welcome."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from newsletter.core.signup import SignUpForm
from newsletter.core.transactional import TransactionalKind
from subscribers.model import Purpose
from subscribers.signup.model import ConsentProof
from subscribers.tokens import make_token
from tests.accessibility import Scheme, faults_of, too_wide
from tests.chromium import CONTRASTS
from tests.settings import BASE_URL
from tests.web.conftest import choices_path, leave_path
from tests.web.signup.helpers import READER, SignUpContainer

_PUBLIC = (
    "/",
    "/technology",
    "/technology/subscribe",
    "/technology/embed",
    "/new-link",
    "/u/x",
    "/no",
)
pytestmark = [pytest.mark.postgres, pytest.mark.browser]


@pytest.fixture
def served(container: SignUpContainer) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(container.app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    phone = {"width": 390, "height": 844}
    options = {"java_script_enabled": False, "locale": "de-AT", "viewport": phone}
    with browser.new_context(**options) as context:
        context.set_default_timeout(20_000)
        yield context.new_page()


def test_from_the_page_to_the_welcome(
    page: Page, container: SignUpContainer, served: str, tmp_path: Path
) -> None:
    page.goto(f"{served}/technology")
    page.get_by_role("link", name="Subscribe").click()
    expect(page.get_by_role("heading", name="Stay ahead on Technology")).to_be_visible()
    expect(page.get_by_label("Your time zone")).to_have_value("Europe/Vienna")
    expect(page.get_by_role("textbox")).to_have_count(2)  # the trap is hidden
    page.get_by_label("Your email address").fill("reader@example")
    page.get_by_text("Policy & law").click()
    container.clock.pass_time(seconds=20)
    page.get_by_role("button", name="Subscribe").click()

    expect(page.get_by_role("alert")).to_contain_text("check the fields marked below")
    expect(page.get_by_label("Policy & law")).not_to_be_checked()
    page.get_by_label("Your email address").fill(READER)
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", name="Check your inbox.")).to_be_visible()
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_role("heading", name="Check your inbox.")).to_be_visible()

    letters = container.deliver()
    assert len(letters) == 1  # the first one was still waiting
    opened = tmp_path / "letter.html"
    opened.write_text(letters[0]["html"].replace(BASE_URL, served))
    page.goto(opened.as_uri())
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Yes, it was me").click()
    page = popup.value
    assert container.mailable() == []
    page.get_by_role("button", name="Yes, subscribe me").click()
    expect(page.get_by_role("status")).to_have_text("You are subscribed to Technology Daily.")
    assert container.mailable() == [READER]

    page.get_by_role("link", name="Change your preferences").click()
    expect(page.get_by_label("Policy & law")).not_to_be_checked()
    expect(page.get_by_label("Chips & compute")).to_be_checked()


class Look:
    """A page that goes from one to the next, and what was wrong where it was."""

    def __init__(self, page: Page, served: str) -> None:
        self.page, self.served = page, served
        self.faults, self.asked, self.complaints = list[str](), list[str](), list[str]()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))

    def see(self, url: str) -> None:
        self.asked.clear()
        self.page.goto(url)
        fetched = [one for one in self.asked if not one.startswith("data:")]
        self.faults += [f"{url} fetches {one}" for one in fetched if one != url]
        find = faults_of if url.startswith(self.served) else _letter_faults
        self.faults += find(self.page, url)

    def press(self, button: str, heading: str) -> None:
        """Press a button of the page, and look at what answers it."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button, exact=True).click()
        expect(self.page.locator("main")).to_contain_text(heading)
        self.faults += faults_of(self.page, f"after {button}")


def test_every_page_and_letter_is_accessible_fits_and_fetches_nothing_else(
    browser: Browser, container: SignUpContainer, served: str, tmp_path: Path
) -> None:
    urls = _pages(container, served, tmp_path)
    with browser.new_context(reduced_motion="reduce") as context:
        look = Look(context.new_page(), served)
        for url in urls:
            look.see(url)
        _sign_up(look, container)
        _choose(look, container)
        _leave(look, container)
    assert look.faults == [], "\n".join(look.faults)
    assert [one for one in look.complaints if "status of 4" not in one] == []


def _sign_up(look: Look, container: SignUpContainer) -> None:
    """Look at what answers a sign-up: a wrong address, one with a slip, and the right one."""
    email = look.page.get_by_label("Your email address")
    look.page.goto(f"{look.served}/technology/subscribe")
    container.clock.pass_time(seconds=20)
    email.fill("reader@example")
    look.press("Subscribe", "check the fields marked below")
    email.fill("somebody@gmial.com")
    look.press("Subscribe", "Did you mean somebody@gmail.com?")
    look.press("No, somebody@gmial.com is right", "Check your inbox.")
    look.press("Send it again", "Check your inbox.")
    look.page.goto(look.served + container.link("somebody@gmial.com"))
    look.press("Yes, subscribe me", "You are subscribed")
    look.page.goto(look.served + "/new-link")
    look.page.get_by_role("textbox").first.fill("a@example.com")
    look.press("Send me a link", "Check your inbox.")


def _choose(look: Look, container: SignUpContainer) -> None:
    """Look at what answers the preferences page, and the question whether it is still wanted."""
    subscription = container.subscription("a@example.com")
    look.page.goto(look.served + choices_path(subscription))
    look.press("Save", "Saved.")
    look.page.get_by_label("Your name").fill("x" * 201)
    look.press("Save", "Nothing was changed yet")
    token = make_token(Purpose.STILL_WANTED, subscription.id, subscription.link_key)
    look.see(f"{look.served}/k/{token}")
    look.press("Yes, keep it coming", "keeps coming to you")


def _leave(look: Look, container: SignUpContainer) -> None:
    """Look at each page of somebody who gets less, leaves, comes back, and is erased."""
    subscription = container.subscription("b@example.com")
    look.see(look.served + leave_path(subscription))
    look.press("Pause for a month", "No emails until")
    look.press("Unsubscribe", "You have unsubscribed.")
    look.page.get_by_label("I get too many emails").check()
    look.press("Send", "Thank you for telling us.")
    look.press("That was a mistake: subscribe again", "Welcome back.")
    look.see(look.served + choices_path(subscription) + "/erase")
    look.press("Erase everything", "Your data is erased.")


def _letter_faults(page: Page, name: str) -> list[str]:
    """Return what is wrong with a letter; a mail program is no window, so axe has no say."""
    found: list[str] = []
    for scheme in get_args(Scheme):
        page.emulate_media(color_scheme=scheme)
        found += [f"{name}: {one}" for one in page.evaluate(CONTRASTS) if one[1] < 4.5]
    for width in (390, 700, 1000):
        page.set_viewport_size({"width": width, "height": 800})
        found += too_wide(page, f"{name} {width}")
    return found


def _pages(container: SignUpContainer, served: str, folder: Path) -> list[str]:
    """Return where each page and each letter can be looked at."""
    container.receive("chips", "security")
    container.subscribe(folder, {"a@example.com": "chips", "b@example.com": ""})
    container.send_issue()
    subscription = container.subscription("a@example.com")
    container.question(subscription.id)
    for kind in ("already", "welcome"):
        container.transactional.queue(TransactionalKind(kind), "technology", subscription.id)
    container.signing_up.request_address_change(subscription, READER)
    moved = container.link()
    container.signing_up.resend_confirmation(container.newsletter, "b@example.com", "127.0.0.1")
    container.signing_up.request(
        container.newsletter, SignUpForm(email="c@example.com"), ConsentProof(via="test")
    )
    paths = [container.link("c@example.com"), moved, choices_path(subscription), *_PUBLIC]
    urls = [f"{served}{path}" for path in paths]
    container.deliver()
    for entry in container.sandbox.messages():
        path = folder / f"{entry['id']}.html"
        path.write_text(container.sandbox.message(entry["id"])["html"])
        urls.append(path.as_uri())
    assert len(urls) == len(paths) + 6
    return urls
