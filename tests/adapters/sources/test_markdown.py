"""Markdown files: front matter, then paragraphs."""

from datetime import UTC, datetime

import pytest

from newsletter.adapters.sources.markdown import read_markdown
from newsletter.core.brief import Importance, Picture, Source, Verification
from newsletter.errors import InvalidBrief

WHOLE = """\
---
title: "Ports: what is open"
pillar: Technology
source: Example Wire
source_url: https://example.com/a
verification: Verified
importance: high
minutes: 4
topics: [security, Software]
published: 2026-03-31T10:00:00+02:00
why: Because it matters.
id: story-7
---

A summary over
two lines, *stressed*.

One [link](https://example.com/x_(y)?a=1&b=2) and **two *nested* words**, `x < y`.

Two * three * four, a < b.
"""


def with_line(line: str) -> str:
    return WHOLE.replace("minutes: 4", line)


def test_every_field_is_read() -> None:
    brief = read_markdown(WHOLE, "a.md")
    assert brief.key == "story-7"
    assert brief.title == "Ports: what is open"
    assert brief.source == Source(name="Example Wire", url="https://example.com/a")
    assert brief.verification is Verification.VERIFIED
    assert (brief.importance, brief.minutes) == (Importance.HIGH, 4)
    assert brief.topics == ("security", "software")
    assert brief.published == datetime(2026, 3, 31, 8, tzinfo=UTC)
    assert brief.why == "Because it matters."


def test_the_first_paragraph_is_the_summary_and_the_rest_the_body() -> None:
    brief = read_markdown(WHOLE, "a.md")
    assert brief.summary == "A summary over two lines, stressed."
    assert brief.body == (
        (
            'One <a href="https://example.com/x_(y)?a=1&amp;b=2">link</a> and '
            "<strong>two <em>nested</em> words</strong>, <code>x &lt; y</code>."
        ),
        "Two * three * four, a &lt; b.",
    )


def test_a_summary_of_its_own_leaves_every_paragraph_to_the_body() -> None:
    brief = read_markdown(with_line("summary: Said at the top."), "a.md")
    assert brief.summary == "Said at the top."
    assert len(brief.body) == 3


def test_a_summary_keeps_its_ampersands_and_comparisons() -> None:
    text = "---\ntitle: Some title\npillar: P\n---\nR&D: a < b, `c` & [d](https://example.com)"
    assert read_markdown(text, "a.md").summary == "R&D: a < b, c & d"


def test_a_brief_without_a_label_is_unverified() -> None:
    assert (
        read_markdown("---\ntitle: Some title\npillar: P\n---\n", "a.md").verification
        is Verification.UNVERIFIED
    )


def test_a_date_without_zone_is_utc() -> None:
    text = WHOLE.replace("2026-03-31T10:00:00+02:00", "2026-03-31")
    assert read_markdown(text, "a.md").published == datetime(2026, 3, 31, tzinfo=UTC)


def test_scripts_and_handlers_in_a_paragraph_do_not_survive() -> None:
    text = WHOLE + '\n<p onclick="x">Safe<script>alert(1)</script> [x](javascript:alert)</p>\n'
    assert read_markdown(text, "a.md").body[-1] == "Safe x"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", "a.md, line 1", "no front matter"),
        ("Just text", "a.md, line 1", "no front matter"),
        ("---\ntitle: x\n", "a.md, line 1", "never closed"),
        ("---\n---\n", "a.md, line 2", 'no "name: value" lines'),
        ("---\ntitle: Foo: bar\n---\n", "a.md, line 2", "not YAML"),
        ("---\npillar: P\n---\nText.", "a.md, line 1", "title is missing"),
        ("---\ntitle: '!!!'\npillar: P\n---\n", "a.md, line 2", "neither letter nor digit"),
        (with_line("minuets: 4"), "a.md, line 8", "unknown field 'minuets'"),
        (with_line("body: 4"), "a.md, line 8", "unknown field 'body'"),
        (with_line("title: Again"), "a.md, line 8", "title was given before"),
        (with_line("minutes: four"), "a.md, line 8", "must be a whole number"),
        (with_line("minutes: -1"), "a.md, line 8", "must be a whole number"),
        (with_line("minutes: {a: 1}"), "a.md, line 8", "text or a list of texts"),
        (with_line("? [a]\n: 1"), "a.md, line 8", "unknown field"),
        (WHOLE.replace("Verified", "surely"), "a.md, line 6", "must be one of verified"),
        (WHOLE.replace("high", "huge"), "a.md, line 7", "must be one of h, high"),
        (WHOLE.replace("2026-03-31T", "31 March "), "a.md, line 10", "must be a date"),
        (WHOLE.replace("2026-03-31T10:00:00", "0001-01-01T00:00:00"), "a.md, line 10", "a date"),
        (WHOLE.replace("id: story-7", "id: ''"), "a.md, line 12", "id is empty"),
        (with_line("why: " + "x" * 20_000), "a.md, line 1", "front matter over 20,000"),
        (with_line("why2: " + "[" * 5_000), "a.md, line", "not YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, place: str, reason: str) -> None:
    with pytest.raises(InvalidBrief) as caught:
        read_markdown(text, "a.md")
    assert caught.value.place.startswith(place)
    assert reason in caught.value.reason


def test_a_picture_and_the_shorter_texts_are_read() -> None:
    lines = """\
short: Ports, open
line: One sentence about ports.
unconfirmed: how many there are
picture: https://img.example.com/ports.png
picture_alt: A harbour at night
picture_width: 1088"""
    brief = read_markdown(with_line(lines), "a.md")
    assert (brief.short, brief.line) == ("Ports, open", "One sentence about ports.")
    assert brief.unconfirmed == "how many there are"
    assert brief.picture == Picture(
        url="https://img.example.com/ports.png", alt="A harbour at night", width=1088
    )
    with pytest.raises(InvalidBrief, match="line 8: picture_width must be a whole number"):
        read_markdown(with_line("picture_width: wide"), "a.md")
