"""Takes the console's pictures from a running `newsletter demo --look`, and mends nothing there.

Run it as `python -m tests.docs.console_pictures SIGN_IN_LINK`, with the link that the demo prints;
it is good once.
"""

import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

from tests.chromium import ARGUMENTS, find_chromium
from tests.docs.pictures import save

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}
#: What the end of the stories leaves of a phone, where the letter was scrolled to.
BELOW = FloatRect(x=0, y=44, width=390, height=736)


def main(link: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = _signed_in(browser, link)
        for name, picture in _pictures(page):
            save(name, picture)
        browser.close()


def _signed_in(browser: Browser, link: str) -> Page:
    """Return the page that the sign-in link leads to, Today of the first newsletter."""
    page = browser.new_page(viewport=DESKTOP, color_scheme="light")
    page.goto(link)
    page.locator("main button").click()
    page.goto("{0.scheme}://{0.netloc}/".format(urlsplit(link)))
    page.wait_for_url("**/today*")
    return page


def _pictures(page: Page) -> Iterator[tuple[str, bytes]]:
    today = page.url
    issue = page.locator(".lead .acts a").first.evaluate("link => link.href")
    results = page.get_by_role("link", name="Results").last.evaluate("link => link.href")
    yield "console-today", page.screenshot()
    page.goto(issue)
    _letter_is_there(page)
    yield "console-issue", page.screenshot()
    page.goto(f"{issue}?view=dark")
    _letter_is_there(page)
    page.locator("#letter").scroll_into_view_if_needed()
    yield "console-dark", page.locator("#letter").screenshot()
    page.goto(results)
    yield "console-results", page.screenshot()
    page.set_viewport_size(PHONE)
    page.goto(today)
    yield "console-today-phone", page.screenshot()
    page.goto(f"{issue}?view=phone")
    _letter_is_there(page)
    page.locator("#letter").evaluate("letter => letter.scrollIntoView()")
    yield "console-preview-phone", page.screenshot(clip=BELOW)


def _letter_is_there(page: Page) -> None:
    page.frame_locator("#letter iframe").locator("body").wait_for()


if __name__ == "__main__":
    main(sys.argv[1])
