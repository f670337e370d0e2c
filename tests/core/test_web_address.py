"""Addresses a reader can be sent to, and those that are the same page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.web_address import is_web_address, same_page, web_url, why_unfit


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://www.example.org:8080/a?b=c#d",
        "HTTPS://Example.COM/ü",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
        "https://bücher.example.net/",
        "https://例え-news.jp/",
        "https://пример.рф/",
    ],
)
def test_public_web_addresses_are_fit(url: str) -> None:
    assert why_unfit(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/a",
        "/relative",
        "//example.com/a",
        "ftp://example.com/a",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:a@example.com",
        "https://",
        "https:///a",
        "https://user:secret@example.com/",
        "https://@example.com/",
        "https://example.com:port/",
        "https://exam ple.com/",
        "https://example.com\\@other.example/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://printer.local/",
        "https://router.home.arpa/",
        "https://intranet/",
        "https://a..example.com/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f.0x1/",
        "https://10.0.0.8/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[oops/",
        "https://１２７.0.0.1/",
        "https://example.com:0/",
        "https://i❤.example.com/",
        "https://\u0430pple.example.com/",  # Cyrillic a
        "https://xn--pple-43d.example.com/",  # the same
        "https://\u0430\u0440\u0440\u04cf\u0435.com/",  # Cyrillic throughout
        "https://example.com/" + "a" * 2_000,
    ],
)
def test_other_addresses_are_unfit_and_a_reason_is_given(url: str) -> None:
    assert why_unfit(url)


@given(st.text())
def test_any_text_is_judged_without_an_error(text: str) -> None:
    for url in (text, f"https://{text}", f"https://example.com/{text}"):
        assert is_web_address(url) or why_unfit(url)
        assert same_page(url, url) == bool(url)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("http://www.example.com/a/", True),
        ("https://EXAMPLE.com/a?utm_source=x&fbclid=y#top", True),
        ("https://example.com/b", False),
        ("https://example.com/a?id=2", False),
        ("https://example.org/a", False),
        ("", False),
    ],
)
def test_the_same_page_is_known_under_its_other_addresses(other: str, same: bool) -> None:
    assert same_page("https://example.com/a", other) is same
    assert same_page(other, "https://example.com/a") is same


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        (
            "https://bücher.example.net/straße/日本?q=ü",
            "https://xn--bcher-kva.example.net/stra%C3%9Fe/%E6%97%A5%E6%9C%AC?q=%C3%BC",
        ),
        ("https://straße.example:8080", "https://xn--strae-oqa.example:8080"),
        ("https://a.example/100%/x%zz%41", "https://a.example/100%25/x%25zz%41"),
        ("https://a.example?q=[1]#a#b", "https://a.example?q=%5B1%5D#a%23b"),
        ("https://[2606:4700::1]:80/a?b=c&d#e", "https://[2606:4700::1]:80/a?b=c&d#e"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
    ],
)
def test_a_link_is_printed_as_every_program_understands_it(url: str, printed: str) -> None:
    assert web_url(url) == printed
    assert not printed or same_page(url, printed)


def test_the_order_of_a_query_does_not_matter() -> None:
    assert same_page("https://example.com/?a=1&b=2", "https://example.com/?b=2&a=1")
