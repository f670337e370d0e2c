"""Marks on links: what was there stays, and nothing is marked unless a newsletter says so."""

from dataclasses import replace
from datetime import date

import pytest

from newsletter.core.newsletter_checks import newsletter_faults
from newsletter.core.tracking import Tracking, marked_url
from subscribers.model import SunsetPolicy
from tests.settings import TECHNOLOGY

ON = date(2026, 11, 27)
MARKS = (("utm_source", "daily news"), ("utm_medium", "email"))


@pytest.mark.parametrize(
    ("url", "marked"),
    [
        ("https://a.example", "https://a.example?{}"),
        ("https://a.example/x#end", "https://a.example/x?{}#end"),
        ("https://a.example/x?id=7&a%20b=%2F#end", "https://a.example/x?id=7&a%20b=%2F&{}#end"),
        ("https://a.example/x?#/route?y=1", "https://a.example/x?{}#/route?y=1"),
        ("https://a.example/x?flag&", "https://a.example/x?flag&{}"),
    ],
)
def test_marks_come_after_a_query_and_before_a_fragment(url: str, marked: str) -> None:
    assert marked_url(url, MARKS) == marked.format("utm_source=daily%20news&utm_medium=email")


def test_marks_that_are_there_stay_as_they_are() -> None:
    url = "https://a.example/?utm_source=theirs"
    assert marked_url(url, MARKS) == f"{url}&utm_medium=email"
    assert marked_url("", MARKS) == ""
    assert marked_url(url, ()) == url


def test_links_are_marked_only_where_a_source_is_named() -> None:
    assert Tracking().marks("technology", ON) == ()
    assert Tracking(utm_source="daily").marks("technology", ON) == (
        ("utm_source", "daily"),
        ("utm_medium", "email"),
        ("utm_campaign", "technology-2026-11-27"),
    )


def test_a_sunset_needs_something_that_is_counted() -> None:
    blind = replace(
        TECHNOLOGY,
        sunset=SunsetPolicy(after_days=180, answer_days=14, letters=5),
        tracking=Tracking(opens=False, clicks=False),
    )
    assert [key for key, _ in newsletter_faults(blind)] == ["sunset"]
