"""Files as people really hand them in: each ends as its author, or an operator, would expect."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.adapters.sources.files import read_file
from newsletter.core.brief import Brief, Verification
from newsletter.core.keywords import named_topics, suggest_topics
from newsletter.core.verification import CheckContext, Ruling, Verdict, verify
from newsletter.core.web_address import web_url
from newsletter.errors import InvalidBrief
from tests.settings import TECHNOLOGY

CASES = Path(__file__).parents[2] / "cases" / "briefs"
NOW = datetime(2026, 11, 27, 5, tzinfo=UTC)


def judged(brief: Brief) -> Verdict:
    brief = replace(brief, topics=named_topics(TECHNOLOGY, brief.topics))
    topics = suggest_topics(TECHNOLOGY, brief)
    return verify(brief, CheckContext(newsletter=TECHNOLOGY, now=NOW, topics=topics, others=()))


def one(name: str) -> tuple[Brief, Verdict]:
    [brief] = read_file(CASES / name)
    return brief, judged(brief)


def test_two_briefs_in_a_file_are_both_read_each_with_its_own_label() -> None:
    for name in ("g08-multidoc.md", "j05-twopages.txt"):
        first, second = read_file(CASES / name)
        assert (first.verification, second.verification) == (
            Verification.VERIFIED,
            Verification.UNVERIFIED,
        )
        assert "first of two" in first.title
        assert "econd" in second.title
        assert judged(second).ruling is Ruling.REJECTED


def test_a_story_without_a_label_beside_a_card_with_one_is_rejected() -> None:
    brief, verdict = one("m06-main-nolabel-related.html")
    assert "main story without a label" in brief.title
    assert (brief.verification, verdict.ruling) == (Verification.UNVERIFIED, Ruling.REJECTED)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("m01-hash.md", r'line 2: .* in quotes: title: "Foundry calls its new chips #1 in the'),
        ("g04-colon.md", r'line 2: .* in quotes: title: "Chips: a colon in the title"'),
        ("m04-onebadbyte.md", r"line 10: the byte 0xf4 is not UTF-8"),
    ],
)
def test_what_is_slightly_wrong_is_refused_with_line_and_cure(name: str, reason: str) -> None:
    with pytest.raises(InvalidBrief, match=reason):
        read_file(CASES / name)


def test_a_page_in_another_encoding_has_its_names_right() -> None:
    brief, _ = one("m03-8859-2.html")
    assert brief.title == "HTML m03 chips Łódź zakład żółty declared"


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        (
            "c02-unicode.md",
            "https://xn--bcher-kva.example.net/stra%C3%9Fe/%E6%97%A5%E6%9C%AC?q=%C3%BC",
        ),
        ("c19-pct.md", "https://wire.example.net/100%25/x%25zz"),
    ],
)
def test_an_odd_link_is_printed_as_browsers_write_it(name: str, printed: str) -> None:
    brief, verdict = one(name)
    assert verdict.ruling is Ruling.ACCEPTED
    assert web_url(brief.source.url) == printed


@pytest.mark.parametrize("name", ["m25-topictitle.md", "i03-label.md", "today.md"])
def test_what_a_person_would_understand_is_accepted(name: str) -> None:
    brief, verdict = one(name)
    assert (verdict.ruling, verdict.topics) == (Ruling.ACCEPTED, ("chips",))
    assert not any("Not a topic" in finding.reason for finding in verdict.findings)
    partial = name == "i03-label.md"
    assert brief.verification is (Verification.PARTIAL if partial else Verification.VERIFIED)
