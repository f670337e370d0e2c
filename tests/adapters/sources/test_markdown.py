"""Markdown files: front matter, then paragraphs."""

from datetime import UTC, datetime

import pytest

from newsletter.adapters.sources import markdown
from newsletter.core.brief import Brief, Importance, Picture, Source, Verification
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


def read_markdown(text: str, place: str) -> Brief:
    """Return the one brief of a file."""
    [brief] = markdown.read_markdown(text, place)
    return brief


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


SECOND = WHOLE.replace("story-7", "story-8").replace("Ports: what", "Gates: who")


@pytest.mark.parametrize("between", ["", "\n", "\n\n"])
def test_front_matter_that_comes_again_is_another_brief(between: str) -> None:
    one, other = markdown.read_markdown(f"{WHOLE}{between}{SECOND}", "a.md")
    assert (one, other) == (read_markdown(WHOLE, "a.md"), read_markdown(SECOND, "b.md"))
    with pytest.raises(InvalidBrief, match=r"a\.md, line 28: unknown"):
        markdown.read_markdown(WHOLE + SECOND.replace("minutes: 4", "minuets: 4"), "a.md")


def test_a_rule_between_paragraphs_is_no_front_matter() -> None:
    brief = read_markdown(f"{WHOLE}\n---\n\nwhy: he asked\n\n---\n\nEnd.\n", "a.md")
    assert brief.body[-2:] == ("why: he asked", "End.")


def test_files_of_other_systems_read_the_same() -> None:
    plain = read_markdown(WHOLE, "a.md")
    for text in (
        WHOLE.replace("\n", "\r\n"),
        WHOLE.replace("\n", "\r"),
        f"\n\n{WHOLE}",
        WHOLE.replace("---\n", "---  \n"),
        WHOLE.replace("title:", "Title:").replace("minutes: 4", "minutes:\t4 min"),
        WHOLE.replace("Because", "\x07Because\u200b"),
        WHOLE.replace("2026-03-31T10:00:00+02:00", "2026-03-31 10:00:00 +02:00"),
        WHOLE.replace("minutes: 4", "minutes: 4  # as the site says"),
    ):
        assert read_markdown(text, "a.md") == plain


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("An _old_ and a __new__ plan", "An old and a new plan"),
        ("![A plant](p.png) It opens[^1] -- today --- at last.", "It opens – today — at last."),
        ("[![A](a.png)](https://e.example) It *opens*.", "It opens."),
        ("Run `git --all` ~~now~~ \\*later\\*", "Run git --all now *later*"),
        ("snake_case_names and 2 * 3 * 4", "snake_case_names and 2 * 3 * 4"),
        ("[A plan][plan] of <https://e.example/a>", "A plan of https://e.example/a"),
        ("# A heading\n\n> It opens today.", "It opens today."),
        ("![Only a picture](p.png)\n\n- It opens.\n- Soon.", "It opens."),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\nIt opens.", "It opens."),
    ],
)
def test_markdown_is_rendered_to_plain_words(written: str, read: str) -> None:
    head = "---\ntitle: Some title\npillar: P\n---\n"
    notes = "\n\n[^1]: A note\n    of two lines\n\n[plan]: https://e.example/plan"
    assert read_markdown(f"{head}\n{written}{notes}", "a.md").summary == read


def test_markdown_in_the_fields_is_rendered_too() -> None:
    text = with_line("summary: |\n  It _opens_.\n\n  - Soon\nwhy2: x").replace("why2: x", "")
    text = text.replace("Because it", "~").replace(" matters.", "")
    text = text.replace("Ports: what", "Ports: __what__")
    brief = read_markdown(text, "a.md")
    assert (brief.summary, brief.why, brief.title) == ("It opens. Soon", "", "Ports: what is open")


def test_the_title_repeated_as_a_heading_is_printed_once() -> None:
    text = WHOLE.replace("A summary over", "# Ports: what is open\n\nA summary over")
    assert read_markdown(text, "a.md") == read_markdown(WHOLE, "a.md")


def test_an_address_is_read_as_html_and_markdown_write_it() -> None:
    given = WHOLE.replace("https://example.com/a", '"<https://example.com/?a=1&amp;b=2>"')
    assert read_markdown(given, "a.md").source.url == "https://example.com/?a=1&b=2"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", "a.md, line 1", "no front matter"),
        ("Just text", "a.md, line 1", "no front matter"),
        ("---\ntitle: x\n", "a.md, line 1", "never closed"),
        ("---\n---\n", "a.md, line 2", 'no "name: value" lines'),
        ("---\ntitle: Foo: bar\n---\n", "a.md, line 2", 'in quotes: title: "Foo: bar"'),
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
        (with_line("why2: " + "[" * 5_000), "a.md, line", "cannot be read"),
        (with_line("why: No #1 in it"), "a.md, line 8", 'in quotes: why: "No #1 in it"'),
        (with_line("why: [New] It is"), "a.md, line 8", 'in quotes: why: "[New] It is"'),
        (with_line('why: "So" it is'), "a.md, line 8", r'in quotes: why: "So\" it is"'),
        (with_line("why: @home"), "a.md, line 8", 'in quotes: why: "@home"'),
        (with_line("why: *star"), "a.md, line 8", 'in quotes: why: "*star"'),
        (with_line('why: "So it is'), "a.md, line 8", "never closed"),
        (with_line("\twhy: x"), "a.md, line 8", "tab"),
        (with_line("because"), "a.md, line 8", 'lines such as "title: A title"'),
        ("+++\ntitle = 'x'\n+++\n", "a.md, line 1", "front matter in TOML is not read"),
        (f"{WHOLE}\n---\ntitle: x\npillar: P\n", "a.md, line 22", "never closed"),
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
