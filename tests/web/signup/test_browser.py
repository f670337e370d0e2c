"""A reader's walk without JavaScript: the page, the letter, its button, the welcome."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from newsletter.core.signup import SignUpForm
from newsletter.core.transactional import TransactionalKind
from subscribers.signup.model import ConsentProof
from tests.chromium import CONTRASTS
from tests.settings import BASE_URL
from tests.web.conftest import choices_path
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
_VIOLATIONS = """() => axe.run(document, {resultTypes: ['violations']}).then(found =>
  found.violations.map(one => `${one.id} ${one.nodes[0].html.slice(0, 160)}`))"""

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_and_letter_fits_reads_and_fetches_nothing_else(
    browser: Browser, container: SignUpContainer, served: str, tmp_path: Path, scheme: str
) -> None:
    urls = _pages(container, served, tmp_path)
    with browser.new_context(color_scheme=scheme) as context:  # type: ignore[arg-type]
        page, asked, complaints = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        for url in urls:
            asked.clear()
            page.goto(url)
            assert [one for one in asked if not one.startswith("data:")] == [url]
            for width in (390, 700, 1000):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, url
            assert [found for found in page.evaluate(CONTRASTS) if found[1] < 4.5] == [], url
            if url.startswith(served):
                page.evaluate(AXE_SCRIPT)
                assert page.evaluate(_VIOLATIONS) == [], url
    assert [one for one in complaints if "404" not in one] == []  # two of them are about errors


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
