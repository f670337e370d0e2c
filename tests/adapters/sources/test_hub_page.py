"""A saved hub page becomes exactly one brief, and none of the site around it."""

import html
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.adapters.sources.files import read_file
from newsletter.adapters.sources.hub_html import read_hub_html
from newsletter.adapters.sources.hub_page import read_hub_text
from newsletter.core.brief import Brief, Importance, Source, Verification
from newsletter.errors import InvalidBrief

SAVED = Path(__file__).parent / "pages" / "technology-brief.txt"

PAGE = """\
Over the years we help companies.

Skip to content
M
Climate and Energy Daily Brief

A Title of Its Own

3 min read Example Wire Verified M
The summary.

One.

Two.

View Source
More Climate and Energy intelligence
Stay ahead on Climate and Energy
"""


def read(text: str) -> Brief:
    [brief] = read_hub_text(text, "page.txt")
    return brief


def read_html(markup: str) -> Brief:
    [brief] = read_hub_html(markup, "page.html")
    return brief


def test_the_saved_technology_page_is_one_brief() -> None:
    (brief,) = read_file(SAVED)
    assert brief.title == (
        "Open Source AI News: US Advisory Body Warns Chinese LLMs Are Building an "
        "Unstoppable Competitive Lead"
    )
    assert (brief.pillar, brief.minutes) == ("Technology", 2)
    assert brief.source == Source(name="Taipei Times (Reuters wire)", url="")
    assert brief.verification is Verification.PARTIAL
    assert brief.importance is Importance.HIGH
    assert brief.summary.startswith("The US-China Economic and Security Review Commission has")
    assert brief.summary.endswith("per the USCC's findings as reported by Reuters.")
    assert len(brief.body) == 5
    assert brief.body[0].startswith("A US congressional advisory body")
    assert brief.body[4].endswith("see upcoming regulation pillar coverage.")


def test_nothing_of_the_site_around_it_leaks_in() -> None:
    (brief,) = read_file(SAVED)
    text = " ".join((brief.title, brief.summary, *brief.body))
    for chrome in (
        "Engitech",
        "Skip to",
        "View Source",
        "More Tech",
        "Stay ahead",
        "Hub",
        "Partial",
    ):
        assert chrome not in text


FACTS = "Example Wire Verified M"
CLOSING = "More Climate and Energy intelligence\n"
SAVED_OTHERWISE = {
    "Windows line ends": PAGE.replace("\n", "\r\n"),
    "no-break spaces": PAGE.replace(" ", "\u00a0"),
    "no empty lines": PAGE.replace("\n\n", "\n"),
    "only empty lines": PAGE.replace("\n", "\n\n"),
    "no stray letter": PAGE.replace("\nM\n", "\n"),
    "letter on its own line": PAGE.replace("Verified M", "VERIFIED\nM"),
    "facts on four lines": PAGE.replace(f" {FACTS}", "\n\nExample Wire\nVerified\nM"),
    "facts separated by dots": PAGE.replace(FACTS, "· Example Wire · verified · M"),
    "no View Source": PAGE.replace("View Source\n", ""),
    "no View Source and no More": PAGE.replace(f"View Source\n{CLOSING}", ""),
    "teaser below": f"{PAGE}\n2 min read Other Wire Partial H\nA teaser.\nView Source\n",
    "menu above": f"Technology Daily Brief\nHome\nContact\n\n{PAGE}",
}


@pytest.mark.parametrize("text", SAVED_OTHERWISE.values(), ids=SAVED_OTHERWISE)
def test_the_same_page_saved_otherwise_is_the_same_brief(text: str) -> None:
    assert read(text) == read(PAGE)
    assert read(PAGE).body == ("One.", "Two.")


def test_a_windows_page_with_byte_order_mark_reads_the_same(tmp_path: Path) -> None:
    text = PAGE.replace("The summary.", "It’s the “summary”.")
    for number, encoding in enumerate(["utf-8", "utf-8-sig", "cp1252", "utf-16"]):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
        assert read_file(path) == (read(text),)


def test_a_page_wrapped_when_it_was_saved_is_unwrapped() -> None:
    parts = [
        " ".join(f"word{at}" for at in range(start, start + 40)) + "." for start in (0, 50, 90)
    ]
    wrapped = "\n\n".join(textwrap.fill(paragraph, 72) for paragraph in parts)
    text = PAGE.replace("The summary.\n\nOne.\n\nTwo.", wrapped)
    brief = read(text.replace("A Title of Its", "A Title of\nIts"))
    assert brief.title == "A Title of Its Own"
    assert [brief.summary, *brief.body] == parts


def test_lines_that_end_their_sentence_are_paragraphs_when_nothing_else_parts_them() -> None:
    parts = [
        f"A line of one paragraph, number {number}, of middling length." for number in range(4)
    ]
    brief = read(PAGE.replace("The summary.\n\nOne.\n\nTwo.\n\n", "\n".join(parts) + "\n"))
    assert [brief.summary, *brief.body] == parts


@pytest.mark.parametrize(
    ("facts", "source", "label", "importance"),
    [
        ("Example Wire unverified", "Example Wire", Verification.UNVERIFIED, "M"),
        ("Example Wire Not Verified L", "Example Wire", Verification.UNVERIFIED, "L"),
        ("Example Wire Un-verified L", "Example Wire", Verification.UNVERIFIED, "L"),
        ("Example Wire Partially verified", "Example Wire", Verification.PARTIAL, "M"),
        ("The Verified Wire 24 partial H", "The Verified Wire 24", Verification.PARTIAL, "H"),
        ("The 5 min read Verified L", "The 5 min read", Verification.VERIFIED, "L"),
        ("All Verified\nPartial\nH", "All Verified", Verification.PARTIAL, "H"),
        ("\nVerified\nPartial\nH", "Verified", Verification.PARTIAL, "H"),
        ("Partial", "", Verification.PARTIAL, "M"),
    ],
)
def test_the_line_of_facts_is_read_from_its_end(
    facts: str, source: str, label: Verification, importance: str
) -> None:
    brief = read(PAGE.replace("Example Wire Verified M", facts))
    assert (brief.source.name, brief.verification, brief.importance.value, brief.summary) == (
        source,
        label,
        importance,
        "The summary.",
    )


@pytest.mark.parametrize(
    "line",
    [
        "View Source https://example.com/a",
        "View Source (https://example.com/a)",
        "[View Source](https://example.com/a)",
        "View Source:\nhttps://example.com/a",
    ],
)
def test_an_address_written_beside_view_source_is_the_source_url(line: str) -> None:
    assert read(PAGE.replace("View Source", line)).source.url == "https://example.com/a"


OTHER = PAGE.replace("A Title of Its", "Another of Its").replace("Verified M", "Unverified L")


def test_two_pages_in_one_text_are_two_briefs() -> None:
    one, other = read_hub_text(f"{PAGE}\n{OTHER}", "page.txt")
    assert (one, other) == (read(PAGE), read(OTHER))
    assert other.verification is Verification.UNVERIFIED
    assert len(read_hub_text(f"{PAGE}{OTHER}{PAGE.replace('A Title', 'Third')}", "p")) == 3


def test_two_stories_without_an_end_between_them_are_refused_with_both_places() -> None:
    cut = PAGE[: PAGE.index("View")]
    with pytest.raises(InvalidBrief, match=r"“A Title.*line 7.*“Another.*line 23"):
        read_hub_text(f"{cut}\n{OTHER}", "page.txt")


CARD = (
    "Climate and Energy Daily Brief\n\nAnother Story\n\n2 min read Other Wire Verified H\nTeaser.\n"
)


@pytest.mark.parametrize("label", ["", " checked"])
def test_a_story_without_a_label_is_unverified_and_never_its_neighbour(label: str) -> None:
    brief = read(PAGE.replace(" Verified M", label) + CARD)
    assert (brief.title, brief.verification) == ("A Title of Its Own", Verification.UNVERIFIED)
    assert brief.source.name == f"Example Wire{label}"


FACTS_OTHERWISE = [
    "<p>Verified · Example Wire · 3 min read · H</p>",
    "<p>Example Wire | 3-min read | Verified | H</p>",
    '<p>3 min read Example Wire <span aria-label="Verified">✓</span> H</p>',
    '<p>3 min read Example Wire <img alt="Verification: verified"> H</p>',
    '<p>3 min read Example Wire <svg aria-label="Verified"><path/></svg> H</p>',
]


@pytest.mark.parametrize("facts", FACTS_OTHERWISE)
@pytest.mark.parametrize("end", ["View Source", '<svg aria-label="View Source"/>'])
def test_facts_in_another_order_or_for_the_ear_are_read(facts: str, end: str) -> None:
    brief = read_html(
        f"<p>Technology Daily Brief<h1>A Title</h1>{facts}<p>Text.</p>"
        f"<a href='https://e.example/a' aria-label='View Source'>{end}</a>"
    )
    assert (brief.source, brief.verification, brief.importance) == (
        Source(name="Example Wire", url="https://e.example/a"),
        Verification.VERIFIED,
        Importance.HIGH,
    )


def test_a_page_with_related_cards_is_its_own_story() -> None:
    def story(tag: str, title: str, label: str) -> str:
        return (
            f"<p>Technology Daily Brief</p><{tag}>{title}</{tag}><p>3 min read Wire {label}</p>"
            "<p>Text.</p><a href='https://e.example/a'>View Source</a>"
        )

    main, card = story("h1", "Main Story", ""), story("h3", "A Card", "Verified")
    for page in (main + card, card + main, card + main + card):
        brief = read_html(page)
        assert (brief.title, brief.verification) == ("Main Story", Verification.UNVERIFIED)
    assert len(read_hub_html(main + story("h1", "Second", "Partial"), "page.html")) == 2


def test_a_title_may_speak_of_daily_briefs_and_of_minutes() -> None:
    for title in ("How the Palace Reads Its Daily Brief", "5 min read is all it takes"):
        assert read(PAGE.replace("A Title of Its Own", title)).title == title


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", 'no "<N> min read" line'),
        ("Hello.", 'no "<N> min read" line'),
        (PAGE.replace("Daily Brief", "News"), 'no "<Pillar> Daily Brief" line'),
        (PAGE.replace("A Title of Its Own\n", ""), 'no "<Pillar> Daily Brief" line'),
        (PAGE.replace("A Title of", "Kicker\n\nThe Title of"), "which line is the title; before"),
        (PAGE.replace("A Title of Its Own", "…!"), "neither letter nor digit"),
        (PAGE.replace("The summary.\n\nOne.\n\nTwo.\n\n", ""), "no text after the line of facts"),
        (PAGE[: PAGE.index("View")], "cut short"),
    ],
)  # fmt: skip
def test_a_page_of_another_make_says_what_is_missing(text: str, reason: str) -> None:
    with pytest.raises(InvalidBrief) as caught:
        read(text)
    assert caught.value.place == "page.txt"
    assert reason in caught.value.reason


ELEMENTOR = """<!DOCTYPE html><html><head><title>A Title | Hub</title><style>p{}</style></head>
<body style="visibility: hidden">
<script>var x = "Technology Daily Brief";</script><!-- 9 min read Nobody Verified H -->
<nav><a href="/">Technology Daily Brief</a><p>Menu</p><p>1 min read Menu Wire Verified L</p></nav>
<div class="e-con"><div><span>H</span><span>Technology <b>Daily</b> Brief</span></div>
<div><h1>A &amp; B:<br>the <span style="color:red">Title</span></h1></div>
<div class="meta"><span><i aria-hidden="true">x</i>2 min read</span><span>Example
 <b>Wire</b></span><span class="badge">Partial</span><span>H</span></div>
<div><p>The <em>summary</em>&nbsp;text.</p><div hidden>Hidden.</div>
<p>Body with a <a href="https://example.com/x?a=1&amp;b=2" onclick="y">link</a>,
   <b>bold</b> and 1 &lt; 2.<script>leak()</script></p><noscript>Turn it on</noscript>
<ul><li>First</li><li>Sec<!-- c -->ond</li></ul></div>
<div><a class="btn" href="https://example.com/source?a=1&amp;b=2"
><span>View <b>Source</b></span></a>
<a href="https://example.com/share">Share</a></div>
<h2>More Technology intelligence</h2></div></body></html>"""

ARTICLE = """<article><header><p>H</p><p>Technology Daily Brief</p><h1>A &amp; B: the Title</h1>
<ul><li>2 min read</li><li>Example Wire</li><li>Partial</li><li>H</li></ul></header>
<section>The summary text.<br><br>Body with a <a href="https://example.com/x?a=1&amp;b=2">link</a>,
<strong>bold</strong> and 1 &lt; 2.<p>First<p>Second</section>
<footer><a href="https://example.com/source?a=1&amp;b=2">View&nbsp;Source</a></footer>
<aside>Stay ahead on Technology</aside></article>"""

NO_CLOSING = """<div>Technology Daily Brief<div>Share</div><h2>A &amp; B: the Title</h2>
<p>2 min read <a href="https://example.com/wire">Example Wire</a> <mark>Partial</mark> H</p>
<p>The summary text.<p>Body with a <a href="https://example.com/x?a=1&amp;b=2">link</a>, <b>bold</b>
 and 1 &lt; 2.<p>First<p>Second<p><button>View Source</button><a
 href="https://example.com/source?a=1&amp;b=2">View Source</a></div>"""


@pytest.mark.parametrize("markup", [ELEMENTOR, ARTICLE])
def test_pages_of_other_themes_are_the_same_brief(markup: str) -> None:
    brief = read_html(markup)
    assert brief.title == "A & B: the Title"
    assert (brief.pillar, brief.minutes) == ("Technology", 2)
    assert brief.source == Source(name="Example Wire", url="https://example.com/source?a=1&b=2")
    assert brief.verification is Verification.PARTIAL
    assert brief.importance is Importance.HIGH
    assert brief.summary == "The summary text."
    assert brief.body == (
        (
            'Body with a <a href="https://example.com/x?a=1&amp;b=2">link</a>, '
            "<strong>bold</strong> and 1 &lt; 2."
        ),
        "First",
        "Second",
    )


def test_unclosed_tags_and_a_sharing_line_do_not_hide_the_title() -> None:
    brief = read_html(NO_CLOSING)
    assert brief.title == "A & B: the Title"
    assert (brief.source.name, brief.body[1:]) == ("Example Wire", ("First", "Second"))


def test_a_page_of_markup_without_text_is_refused() -> None:
    for markup in ("", " ", "<!-- -->", "<html><script>x</script></html>"):
        with pytest.raises(InvalidBrief, match="min read"):
            read_hub_html(markup, "page.html")


WORDS = st.text(st.sampled_from("abcdefgHIJKäß漢字"), min_size=2, max_size=9)
SENTENCES = st.lists(WORDS, min_size=1, max_size=30).map(lambda words: f"{' '.join(words)} & <so>.")
NAMES = st.lists(
    WORDS | st.sampled_from(["Verified", "read", "24", "7 min read", "(Wire)", "H"]),
    min_size=1,
    max_size=4,
).map(" ".join)
BRIEFS = st.builds(
    dict,
    pillar=st.lists(WORDS, min_size=1, max_size=3).map(" ".join),
    title=st.lists(WORDS, min_size=2, max_size=12).map(" ".join),
    minutes=st.integers(1, 60),
    source=NAMES,
    label=st.sampled_from(["Verified", "Partial", "UNVERIFIED", "partial"]),
    letter=st.sampled_from(["", "H", "M", "L"]),
    parts=st.lists(SENTENCES.map(lambda s: s.replace("<so>", "so")), min_size=1, max_size=6),
    split=st.booleans(),
)


def says(brief: Brief, page: dict) -> None:
    assert (brief.pillar, brief.title, brief.minutes) == (
        page["pillar"],
        page["title"],
        page["minutes"],
    )
    assert brief.source.name == page["source"]
    assert brief.verification == page["label"].lower()
    assert brief.importance == (page["letter"] or "M")
    assert [brief.summary, *map(html.unescape, brief.body)] == page["parts"]


@settings(max_examples=60)
@given(BRIEFS)
def test_any_text_page_of_this_make_reads_back_to_its_values(page: dict) -> None:
    facts = [f"{page['minutes']} min read", page["source"], page["label"], page["letter"]]
    line = ("\n" if page["split"] else " ").join(fact for fact in facts if fact)
    top = ["Contacts", "Skip to content", page["letter"], f"{page['pillar']} Daily Brief"]
    end = ["View Source", f"More {page['pillar']} intelligence", "View all"]
    text = "\n\n".join([*top, page["title"], line, *page["parts"], *end])
    says(read(text), page)


@settings(max_examples=60)
@given(BRIEFS)
def test_any_html_page_of_this_make_reads_back_to_its_values(page: dict) -> None:
    def tags(tag: str, texts: list) -> str:
        return "".join(
            f"<{tag} class='x'>{html.escape(str(text))}</{tag}>" for text in texts if text
        )

    facts = [f"{page['minutes']} min read", page["source"], page["label"], page["letter"]]
    markup = "<body>" + "".join(
        [
            tags("p", ["Contacts", page["letter"], f"{page['pillar']} Daily Brief"]),
            tags("h1", [page["title"]]),
            "<div>" + tags("p" if page["split"] else "span", facts) + "</div>",
            tags("p", page["parts"]),
            "<a href='https://example.com/a'>View Source</a><footer>All rights</footer>",
        ]
    )
    brief = read_html(markup)
    says(brief, page)
    assert brief.source.url == "https://example.com/a"
