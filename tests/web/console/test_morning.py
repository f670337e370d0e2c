"""A marketer's whole morning in Chromium: by keyboard alone, and with script switched off."""

import re
import socket
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy import Engine

from tests.container import TestContainer
from tests.staff import SHELL
from tests.web.console.day import (
    HELD,
    ISSUE,
    MARKETER,
    READERS,
    StaffMailerDouble,
    day_of_practice,
    send_batches,
    state,
    titles,
)
from tests.web.console.serving import OWN_SLUG, sign_in, url_of

pytestmark = [pytest.mark.postgres, pytest.mark.browser]

EMAIL = "ada@example.org"
LINK = "https://example.org/a-court-asks"
VIEWS = (
    "Phone",
    "Desktop",
    "Dark",
    "Repainted",
    "No pictures",
    "Plain text",
    "Inbox line",
    "Message",
    "Changes",
)


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    return day_of_practice(engine, url_of(listener), tmp_path)


@pytest.fixture
def link(container: TestContainer, served_console: str) -> str:
    """The one-time link that the command line prints."""
    sign_in(container, EMAIL, *MARKETER, name="Ada")
    return f"{served_console}/sign-in/link/{container.staff_accounts.link(EMAIL, by=SHELL)}"


_DARK = re.compile(r"rgb\((\d{1,2}), (\d{1,2}), (\d{1,2})\)")  #: each below 100


class Keyboard:
    """Uses a page by its keys alone, as somebody without a pointer does."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, target: Locator) -> None:
        """Press Tab until the focus is there; it must be to be seen."""
        expect(target).to_be_visible()
        for _ in range(150):
            if target.evaluate("one => one === document.activeElement"):
                outline = target.evaluate("one => getComputedStyle(one).outlineStyle")
                assert outline != "none", target
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {target}")

    def press(self, target: Locator, key: str = "Enter") -> None:
        self.reach(target)
        self.page.keyboard.press(key)

    def type(self, target: Locator, text: str) -> None:
        self.reach(target)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(text)


def test_by_keyboard_alone(context: BrowserContext, link: str, container: TestContainer) -> None:
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    keys = Keyboard(page)

    page.goto(link)
    keys.press(button(page, "Sign in"))
    heading(page, "leaves in 70 minutes, at 06:10 New York, to")
    expect(page.get_by_text("Practice: nothing leaves this machine")).to_be_visible()

    mend_by_keyboard(page, keys)
    look_by_keyboard(page, keys, container)
    approve_by_keyboard(page, keys, container)
    watch_by_keyboard(page, keys, container)
    assert [one for one in faults if "409 (Conflict)" not in one] == []  # the one that is refused


def mend_by_keyboard(page: Page, keys: Keyboard) -> None:
    """Mend the held brief in place: the gate answers, and the focus stays."""
    row = page.locator("[data-row]").filter(has_text=HELD.title)
    keys.press(row.get_by_role("link", name="Mend it"))
    heading(page, HELD.title)
    expect(page.get_by_role("status").first).to_contain_text("Held")
    keys.keys("e")
    expect(page.get_by_label("Title")).to_be_focused()
    keys.type(page.get_by_label("Link to the source"), LINK)
    keys.press(button(page, "Save and check"))
    expect(page.get_by_role("status").first).to_contain_text("Accepted: every check passed")
    expect(button(page, "Save and check")).to_be_focused()


def look_by_keyboard(page: Page, keys: Keyboard, container: TestContainer) -> None:
    """Move a story, look at the letter in every way, and as a reader in the dark; send a test."""
    page.keyboard.press("Tab")  # out of the fields, where keys are letters
    keys.keys("g", "t")
    keys.press(page.get_by_role("link", name="Look and approve"))
    heading(page, "4 stories for 12 people")
    first = titles(container)[0]
    keys.reach(page.get_by_role("link", name=first))
    keys.keys("Alt+ArrowDown")
    expect(page.locator("#moved")).to_have_text("Story moved: it is 2 of 4 now.")
    assert titles(container)[1] == first

    for number, name in enumerate(VIEWS, start=1):
        keys.keys(str(number))
        expect(page.locator(f"[data-key='{number}']")).to_have_attribute("aria-current", "true")
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    keys.type(page.get_by_label("As the reader of"), "r0@example.com")
    keys.keys("Enter")
    expect(page.get_by_label("As", exact=True)).to_have_value(re.compile("reader:"))
    keys.press(page.get_by_role("link", name="Dark", exact=True))
    frame = page.frame_locator("iframe")
    expect(frame.locator("body")).to_contain_text("r0@example.com")
    expect(frame.locator("body")).to_have_css("background-color", _DARK)

    keys.press(button(page, "Send a test"))
    expect(page.get_by_text(f"The last one, to {EMAIL} at 05:00: accepted.")).to_be_visible()
    mailer = container.staff_mailer
    assert isinstance(mailer, StaffMailerDouble)
    assert [one.email for one in mailer.asked] == [EMAIL]
    assert mailer.asked[0].letter.subject.startswith("[Test] ")


def approve_by_keyboard(page: Page, keys: Keyboard, container: TestContainer) -> None:
    keys.press(button(page, "Approve"))
    expect(page.get_by_role("alert")).to_contain_text("Look at this first, and tick it")
    assert state(container) == "draft"
    tick = page.get_by_role("checkbox").first
    for _ in range(page.get_by_role("checkbox").count()):
        keys.press(tick, "Space")
        tick = page.get_by_role("checkbox", checked=False).first
    keys.press(button(page, "Approve"))
    expect(page.get_by_text("Until it leaves")).to_be_attached()
    assert state(container) == "approved"
    keys.press(page.get_by_text("Send it now instead"))
    keys.press(button(page, "Send it now"))
    heading(page, "0 of 12")


def watch_by_keyboard(page: Page, keys: Keyboard, container: TestContainer) -> None:
    """Watch it leave, stop it, say why, continue, and read the results."""
    send_batches(container, 2)
    figures = page.locator("#figures")
    expect(figures).to_contain_text("of 12")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("0 of 12")
    keys.press(button(page, "Stop it now"))
    expect(page.get_by_role("heading", name="Why did you stop it?")).to_be_visible()
    assert state(container) == "paused"
    sent = len(container.mailer.asked)
    container.queue.work(until_empty=True)
    assert len(container.mailer.asked) == sent
    keys.type(page.locator("#why"), "a figure looked wrong")
    keys.keys("Enter")
    expect(figures).to_contain_text("a figure looked wrong")
    keys.type(page.locator("#because"), "it was right")
    keys.keys("Enter")
    heading(page, "of 12")
    container.queue.work(until_empty=True)
    assert sorted(container.mailer.addresses) == sorted(READERS)
    heading(page, "12")
    keys.press(page.get_by_role("link", name="Results").last)
    expect(page).to_have_url(re.compile(f"{ISSUE}/results$"))


def test_with_script_off(browser: Browser, link: str, container: TestContainer) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.goto(link)
        button(page, "Sign in").click()
        _counted(page)
        heading(page, "leaves in 70 minutes")
        page.get_by_role("link", name="Mend it").click()
        page.get_by_label("Link to the source").fill(LINK)
        button(page, "Save and check").click()
        expect(page.get_by_role("status").first).to_contain_text("Accepted")
        page.goto(page.url.partition(OWN_SLUG)[0].rstrip("/") + ISSUE)
        _counted(page)
        look_by_clicks(page, container)
        leave_by_clicks(page, container)


def _counted(page: Page) -> None:
    """Follow the link that the page of the count has where there is no script."""
    link = page.get_by_role("link", name="Show the page")
    if link.is_visible():
        link.click()


def look_by_clicks(page: Page, container: TestContainer) -> None:
    first = titles(container)[0]
    button(page, "Move story 1 down").click()
    expect(page.locator(".stories h3").first).not_to_have_text(first)
    assert titles(container)[1] == first
    for name in VIEWS:
        chosen = page.get_by_role("link", name=name, exact=True)
        chosen.click()
        expect(chosen).to_have_attribute("aria-current", "true")
    page.get_by_label("As the reader of").fill("r0@example.com")
    page.locator("form[action$='as-reader'] button").click()
    page.get_by_role("link", name="Dark", exact=True).click()
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("r0@example.com")
    button(page, "Send a test").click()
    expect(page.get_by_text(f"The last one, to {EMAIL}")).to_be_visible()


def leave_by_clicks(page: Page, container: TestContainer) -> None:
    for tick in page.get_by_role("checkbox").all():
        tick.check()
    button(page, "Approve").click()
    expect(page.get_by_text("Until it leaves")).to_be_attached()
    assert state(container) == "approved"
    page.get_by_text("Send it now instead").click()
    button(page, "Send it now").click()
    heading(page, "0 of 12")
    send_batches(container, 1)
    page.reload()
    button(page, "Stop it now").click()
    expect(page.locator("#why")).to_be_visible()
    assert state(container) == "paused"
    page.locator("#why").fill("a figure looked wrong")
    page.locator("#why").press("Enter")
    expect(page.locator("#figures")).to_contain_text("a figure looked wrong")
    page.locator("#because").fill("it was right")
    page.locator("#because").press("Enter")
    heading(page, "of 12")
    container.queue.work(until_empty=True)
    assert state(container) == "sent"
    page.reload()
    page.get_by_role("link", name="Results").last.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
