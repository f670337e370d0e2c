"""A reader's walk in a real browser: from the letter's links to what the pages say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.core.mailing import personal, personalized
from subscribers.model import SubscriptionStatus
from tests.accessibility import faults_of
from tests.container import TODAY, TestContainer
from tests.settings import BASE_URL
from tests.web.conftest import READER, choices_path, now_of

pytestmark = [pytest.mark.postgres, pytest.mark.browser]

#: What the focused element is called; its name where it is a field, its words where it is not.
FOCUSED = "document.activeElement.name || document.activeElement.textContent.trim()"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        context.set_default_timeout(20_000)
        yield context.new_page()


@pytest.fixture
def letter(container: TestContainer, served: str, tmp_path: Path) -> str:
    """The reader's letter as it arrived, opened from a file; its links lead to this machine."""
    container.send_issue()
    envelope, letter, claim = next(
        asked for asked in container.mailer.asked if asked[2].recipients[0].email == READER
    )
    path = tmp_path / "letter.html"
    html = personalized(letter, personal(envelope, claim.recipients[0])).html
    path.write_text(html.replace(BASE_URL, served))
    return path.as_uri()


def test_from_the_letter_to_unsubscribed_and_back(
    page: Page, letter: str, container: TestContainer
) -> None:
    page.goto(letter)
    page.get_by_role("link", name="Unsubscribe").click()
    expect(page).to_have_title("Unsubscribe from Technology Daily")
    assert now_of(container).status is SubscriptionStatus.ACTIVE

    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You have unsubscribed.")).to_be_visible()
    assert now_of(container).status is SubscriptionStatus.ENDED

    page.get_by_label("I get too many emails").check()
    page.get_by_label("In your own words").fill("Once a week would do.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_have_text("Thank you for telling us.")

    page.get_by_role("button", name="That was a mistake: subscribe again").click()
    expect(page.get_by_role("heading", name="Welcome back.")).to_be_visible()
    assert now_of(container).status is SubscriptionStatus.ACTIVE


def test_from_the_letter_to_fewer_mails(page: Page, letter: str, container: TestContainer) -> None:
    page.goto(letter)
    page.get_by_role("link", name="Unsubscribe").click()
    page.get_by_role("button", name="Pause for a month").click()
    expect(page.get_by_role("status")).to_contain_text("No emails until 23 December 2026.")
    page.get_by_role("link", name="Your topics and other preferences").click()
    page.get_by_role("button", name="End the pause").click()
    expect(page.get_by_role("status")).to_have_text("Saved. You get emails again.")
    assert now_of(container).paused_at is None


def test_from_the_letter_to_other_choices(
    page: Page, letter: str, container: TestContainer
) -> None:
    page.goto(letter)
    page.get_by_role("link", name="Change your topics").click()
    chips, policy = (page.get_by_label(name) for name in ("Chips & compute", "Policy & law"))
    expect(chips).to_be_checked()
    expect(policy).not_to_be_checked()

    page.get_by_text("Policy & law").click()  # the whole row is the box's label
    chips.uncheck()
    page.get_by_label("Weekly").check()
    page.get_by_label("Your name").fill("Ann Example")
    page.get_by_label("Your time zone").select_option("Tokyo")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text(
        "Saved. Your choices apply from the next issue."
    )

    page.goto(page.url)
    expect(chips).not_to_be_checked()
    expect(policy).to_be_checked()
    stands = now_of(container)
    assert (stands.name, stands.zone, stands.frequency) == ("Ann Example", "Asia/Tokyo", "weekly")


def test_from_the_choices_to_a_download_and_an_erasure(
    page: Page, served: str, container: TestContainer
) -> None:
    page.goto(served + choices_path(now_of(container)))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all your data").click()
    assert READER in download.value.path().read_text()

    page.get_by_role("link", name="Erase all your data").click()
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("heading", name="Your data is erased.")).to_be_visible()
    page.go_back()
    page.reload()
    expect(page.get_by_role("heading", name="This link does not work.")).to_be_visible()


def test_a_wrong_field_says_so_to_who_cannot_see(
    page: Page, served: str, container: TestContainer
) -> None:
    page.goto(served + choices_path(now_of(container)))
    page.get_by_label("Your name").fill("x" * 201)
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed yet")
    name = page.get_by_label("Your name")
    expect(name).to_have_accessible_description(re.compile("at most 200 characters"))
    expect(name).to_have_value("x" * 201)


def test_the_keyboard_reaches_every_choice_in_the_order_of_the_page(
    page: Page, served: str, container: TestContainer
) -> None:
    page.goto(served + choices_path(now_of(container)))
    reached: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    order = ["topic", "frequency", "name", "zone", "Save", "until", "Pause", "email"]
    assert [each for each in dict.fromkeys(reached) if each in order] == order


def test_from_the_letter_to_the_web_and_the_archive(page: Page, letter: str, served: str) -> None:
    page.goto(letter)
    page.get_by_role("link", name="Read on the web").first.click()
    expect(page.get_by_role("heading", name="Technology Daily")).to_be_visible()
    expect(page.get_by_role("link", name="Unsubscribe")).to_have_count(0)

    page.goto(served)
    page.get_by_role("link", name="Technology Daily", exact=True).click()
    page.get_by_role("link", name="A foundry halves the water it needs for a wafer").click()
    assert page.url == f"{served}/technology/{TODAY}"


def test_every_page_fits_reads_and_fetches_nothing_else(
    page: Page, letter: str, served: str, container: TestContainer
) -> None:
    asked, complaints, faults = list[str](), list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))  # of the policy, too
    page.goto(letter)
    linked = [str(link.get_attribute("href")) for link in page.locator("a.block-link").all()]

    own = served + choices_path(now_of(container))
    story = "/technology/briefs/1-a-foundry-halves-the-water-it-needs-for-a-wafer"
    more = ["/", "/technology", "/u/cut", f"/technology/{TODAY}", story]
    for url in (*linked, own + "/erase", *(served + path for path in more)):
        asked.clear()
        page.goto(url)
        assert [one for one in asked if not one.startswith("data:")] == [url]
        # An issue on the web is the letter: an article, without landmarks around it.
        part = "[role=article]" if page.locator("[role=article]").count() else None
        faults += faults_of(page, url, part)
    assert faults == [], "\n".join(faults)
    assert [said for said in complaints if "404 (Not Found)" not in said] == []
