"""A reader's walk in a real browser: from the letter's links to what the pages say."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.core.mailing import personal, personalized
from subscribers.model import SubscriptionStatus
from tests.chromium import CONTRASTS
from tests.house import BASE_URL, TODAY, TestHouse
from tests.web.conftest import READER

pytestmark = [pytest.mark.postgres, pytest.mark.browser]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        context.set_default_timeout(5_000)
        yield context.new_page()


@pytest.fixture
def letter(house: TestHouse, served: str, tmp_path: Path) -> str:
    """The reader's letter as it arrived, opened from a file; its links lead to this machine."""
    house.post()
    envelope, letter, claim = next(
        asked for asked in house.mailer.asked if asked[2].recipients[0].email == READER
    )
    path = tmp_path / "letter.html"
    html = personalized(letter, personal(envelope, claim.recipients[0])).html
    path.write_text(html.replace(BASE_URL, served))
    return path.as_uri()


def test_from_the_letter_to_a_goodbye(page: Page, letter: str, house: TestHouse) -> None:
    page.goto(letter)
    page.get_by_role("link", name="Unsubscribe").click()
    expect(page).to_have_title("Leave Technology Daily")
    assert house.subscriptions.by_email(READER)[0].status is SubscriptionStatus.ACTIVE

    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You have left.")).to_be_visible()
    assert house.subscriptions.by_email(READER)[0].status is SubscriptionStatus.ENDED


def test_from_the_letter_to_other_topics(page: Page, letter: str) -> None:
    page.goto(letter)
    page.get_by_role("link", name="Change your topics").click()
    chips, policy = (page.get_by_label(name) for name in ("Chips & compute", "Policy & law"))
    expect(chips).to_be_checked()
    expect(policy).not_to_be_checked()

    page.get_by_text("Policy & law").click()  # the whole row is the box's label
    chips.uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved. It counts from the next issue.")

    page.goto(page.url)
    expect(chips).not_to_be_checked()
    expect(policy).to_be_checked()


def test_from_the_letter_to_the_web_and_the_archive(page: Page, letter: str, served: str) -> None:
    page.goto(letter)
    page.get_by_role("link", name="Read on the web").first.click()
    expect(page.get_by_role("heading", name="Technology Daily")).to_be_visible()
    expect(page.get_by_role("link", name="Unsubscribe")).to_have_count(0)

    page.goto(served)
    page.get_by_role("link", name="Technology Daily").click()
    page.get_by_role("link", name="A foundry halves the water it needs for a wafer").click()
    assert page.url == f"{served}/technology/{TODAY}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_reads_and_fetches_nothing_else(
    page: Page, letter: str, served: str, scheme: str
) -> None:
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))  # of the policy, too
    page.emulate_media(color_scheme=scheme)
    page.goto(letter)
    doors = [door.get_attribute("href") for door in page.locator("a.door").all()]

    for url in (*doors, f"{served}/", f"{served}/technology", f"{served}/u/cut"):
        asked.clear()
        page.goto(url)
        assert [one for one in asked if not one.startswith("data:")] == [url]
        for width in (390, 1000):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert [found for found in page.evaluate(CONTRASTS) if found[1] < 4.5] == []
    assert [said for said in complaints if "404 (Not Found)" not in said] == []
