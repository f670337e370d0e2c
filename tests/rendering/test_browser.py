"""The letter in a real browser: widths, both colour schemes, contrast, and no network."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from newsletter.core.edition import ADDRESS_HTML, Letter
from tests.chromium import CONTRASTS

pytestmark = pytest.mark.browser


@pytest.fixture(params=[(390, "light"), (390, "dark"), (700, "light"), (700, "dark")], ids=str)
def page(
    browser: Browser, letter: Letter, request: pytest.FixtureRequest
) -> Iterator[tuple[Page, int, str, list[str]]]:
    """The letter opened at a width and in a colour scheme, and all that it asked the network."""
    width, scheme = request.param
    requested: list[str] = []

    def refuse(route: Route) -> None:
        requested.append(route.request.url)
        route.abort()

    opened = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    opened.route("**/*", refuse)
    opened.set_content(letter.html.replace(ADDRESS_HTML, "a.rather.long.address@mail.example.org"))
    yield opened, width, scheme, requested
    opened.close()


def test_the_letter_fits_reads_and_fetches_nothing(
    page: tuple[Page, int, str, list[str]],
) -> None:
    opened, width, scheme, requested = page
    assert opened.evaluate("document.compatMode") == "CSS1Compat"
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert requested == []

    contrasts = opened.evaluate(CONTRASTS)
    assert len(contrasts) > 60
    assert [found for found in contrasts if found[1] < 4.5] == []

    background = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(15, 17, 20)" if scheme == "dark" else "rgb(243, 241, 236)")


def test_a_thumb_finds_the_links_of_the_footer(page: tuple[Page, int, str, list[str]]) -> None:
    opened = page[0]
    heights = [link.bounding_box()["height"] for link in opened.locator("a.block-link").all()]
    assert len(heights) == 3
    assert min(heights) >= 24  # WCAG 2.2, 2.5.8
    sizes = opened.evaluate(
        "[...document.querySelectorAll('p, li, a, span, h2, h3')]"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 14
