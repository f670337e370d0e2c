"""What must hold for every letter, in both its parts."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import html as lxml_html

from newsletter.adapters.sources.files import read_file
from newsletter.core.brief import Importance, Source, Verification
from newsletter.core.edition import (
    ADDRESS_HTML,
    ADDRESS_TEXT,
    PREFERENCES_URL,
    RECIPIENT_TAGS,
    UNSUBSCRIBE_URL,
    Letter,
    compose,
    edition_of,
)
from newsletter.core.galley import plain_line
from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.mailing import content_hash, envelope_of
from newsletter.core.publication import Newsletter
from newsletter.core.story_size import printed, printed_text
from newsletter.core.tracking import Tracking
from newsletter.core.web_address import web_url
from newsletter.core.web_view import WebView
from newsletter.core.wording import Wording
from newsletter.errors import RenderingFailed
from newsletter.rendering.mjml import to_html
from newsletter.rendering.page import page_of, written_out
from newsletter.rendering.renderer import IssueRenderer
from newsletter.rendering.source import MJML, Templates
from tests.rendering.conftest import SUBSCRIBE_URL, TEMPLATES, VIEW_URL, entry

CASES = Path(__file__).parents[1] / "cases"

_STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
_TAG = re.compile(r"-nl_\w+-")


def _letter_of(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue, web: WebView | None = None
) -> Letter:
    whole = edition_of(issue, (one.brief_id for one in issue.entries))
    galley = renderer.set(newsletter, issue)
    return compose(galley, whole, view_url=VIEW_URL, subscribe_url=SUBSCRIBE_URL, web=web)


def test_a_letter_says_its_charset_in_standards_mode_and_small(
    renderer: IssueRenderer, newsletter: Newsletter, full_issue: Issue
) -> None:
    html = _letter_of(renderer, newsletter, full_issue).html
    assert html.startswith("<!DOCTYPE html>")
    assert html.index("charset=UTF-8") < 1000
    assert len(full_issue.entries) == 14
    assert len(html.encode()) < 45_000  # Gmail clips at about 102,000, links rewritten


@pytest.mark.parametrize("word", ["новости", "新しい技術の報道", "Nachrichten"])
def test_a_full_issue_fits_in_any_script(
    renderer: IssueRenderer, newsletter: Newsletter, full_issue: Issue, word: str
) -> None:
    """Each letter as an entity has seven bytes or more: fourteen such stories were clipped."""
    said = {"summary": f"{word} " * (1200 // (len(word) + 1)), "why": f"{word} " * 50}
    entries = [replace(one, brief=replace(one.brief, **said)) for one in full_issue.entries]
    html = _letter_of(renderer, newsletter, replace(full_issue, entries=tuple(entries))).html
    assert word in html
    assert len(html.encode()) < 102_000


def test_language_and_direction_stand_where_clients_keep_them(letter: Letter) -> None:
    page = lxml_html.fromstring(letter.html)
    for element in (page, page.find("body/div")):
        assert (element.get("lang"), element.get("dir")) == ("en", "ltr")


def test_a_letter_in_hebrew_runs_from_the_right(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> None:
    html = _letter_of(renderer, replace(newsletter, language="he-IL"), issue).html
    assert '<html lang="he-IL" dir="rtl"' in html
    assert html.count("text-align:right") > 10
    columns = re.findall(r'<div class="[^"]*mj-column[^>]*>', html)
    assert columns
    assert all("direction:rtl" in column for column in columns)


def test_layout_tables_are_hidden_from_screen_readers_and_nothing_is_an_image(
    letter: Letter,
) -> None:
    page = lxml_html.fromstring(letter.html)
    tables = list(page.iter("table"))
    assert len(tables) > 5
    assert {table.get("role") for table in tables} == {"presentation"}
    assert not list(page.iter("img", "script", "link", "iframe", "object"))
    assert "url(" not in letter.html
    assert "@import" not in letter.html


def test_headings_begin_at_one_and_skip_no_level(letter: Letter) -> None:
    levels = [int(h.tag[1]) for h in lxml_html.fromstring(letter.html).iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - sooner <= 1 for sooner, later in pairwise(levels))


def test_the_style_tags_survive_inlining_as_they_were(
    newsletter: Newsletter, issue: Issue, letter: Letter
) -> None:
    filled = Templates(TEMPLATES).fill(MJML, page_of(newsletter, issue), marked=False)
    before, after = _STYLE.findall(to_html(filled)), _STYLE.findall(letter.html)
    assert after == before
    styles = "".join(after)
    assert styles.count("!important") > 20
    assert styles.count("@media") == 3
    assert styles.count("data-ogsc") > 10
    assert "data-premailer" not in letter.html


def test_rules_that_some_clients_cannot_read_have_a_style_tag_of_their_own(letter: Letter) -> None:
    for style in _STYLE.findall(letter.html):
        assert not ("[data-ogsc]" in style and "prefers-color-scheme" in style)


class _Balance(HTMLParser):
    """Fails on the first tag that closes another one's."""

    _VOID = frozenset({"meta", "br", "img", "hr", "wbr", "link", "o:allowpng"})

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag not in self._VOID:
            self.opened.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """A tag that closes itself opens nothing."""

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag


def _as_outlook_reads(html: str) -> str:
    html = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    return re.sub(r"<!--\[if[^\]]*mso[^\]]*\]>(.*?)<!\[endif\]-->", r"\1", html, flags=re.DOTALL)


@pytest.mark.parametrize("reader", [str, _as_outlook_reads])
def test_tags_are_balanced_for_outlook_and_for_everyone_else(
    letter: Letter, reader: Callable[[str], str]
) -> None:
    balance = _Balance()
    balance.feed(reader(letter.html))
    balance.close()
    assert balance.opened == []


def test_outlook_gets_its_own_tables(letter: Letter) -> None:
    conditions = re.findall(r"<!--\[if[^\]]*mso", letter.html)
    assert len(conditions) > 20
    assert _as_outlook_reads(letter.html).count("<table") > letter.html.count('<div class="paper')


def test_both_parts_link_to_the_same_places_in_the_same_order(letter: Letter) -> None:
    links = [a.get("href") for a in lxml_html.fromstring(letter.html).iter("a")]
    links = [VIEW_URL, *(link for link in links if not link.startswith(f"{VIEW_URL}#"))]
    lines = letter.text.splitlines()
    assert links == [line for line in lines if re.match(r"https?://|-nl_\w+_url-", line)]
    assert len(links) == 1 + 9 + 1 + 3


def test_only_what_depends_on_the_recipient_is_left_open(letter: Letter) -> None:
    assert set(_TAG.findall(letter.html)) == {UNSUBSCRIBE_URL, PREFERENCES_URL, ADDRESS_HTML}
    assert set(_TAG.findall(letter.text)) == {UNSUBSCRIBE_URL, PREFERENCES_URL, ADDRESS_TEXT}
    assert "[[" not in letter.html + letter.text


def test_links_of_the_recipient_are_not_tracked(letter: Letter) -> None:
    for tag in (UNSUBSCRIBE_URL, PREFERENCES_URL):
        assert re.search(rf'<a [^>]*clicktracking="off" href="{tag}"', letter.html)


def test_the_public_view_names_no_recipient_and_keeps_the_news(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> None:
    public = _letter_of(renderer, newsletter, issue, web=WebView())
    for part in (public.html, public.text):
        assert not any(tag in part for tag in RECIPIENT_TAGS)
        assert "for today." in part
        assert newsletter.postal_address in part
    for one in issue.entries:
        assert web_url(one.brief.source.url) in public.text


def test_every_item_shows_label_source_minutes_and_why(letter: Letter, issue: Issue) -> None:
    words = " ".join(" ".join(lxml_html.fromstring(letter.html).itertext()).split())
    assert "Partly verified Silicon Almanac (full story 6 min)" in words
    assert "Verified Compute Ledger (full story 2 min)" in words
    for part in (words, " ".join(letter.text.split())):
        for one in issue.entries:
            assert f" {one.brief.title} " in part
            assert plain_line(printed_text(one.brief, one.size)) in part
            if one.brief.why:
                assert f"Why it matters: {one.brief.why}" in part
        assert re.search("9 stories[,·] *2 min read", part.replace(" ·", "·"))
        assert "Monday, 23 November 2026" in part


def test_sections_follow_the_newsletters_order_not_the_issues(
    renderer: IssueRenderer, newsletter: Newsletter
) -> None:
    slugs = ("software", "chips", "ai-models")
    entries = [entry(n, title=f"Story {n}", topics=(slug,)) for n, slug in enumerate(slugs)]
    issue = Issue(
        newsletter="technology", date=date(2026, 11, 23), number=1, entries=tuple(entries)
    )
    text = _letter_of(renderer, newsletter, issue).text
    headings = [line for line in text.splitlines() if line.isupper()]
    topics = ["AI MODELS", "CHIPS & COMPUTE", "SOFTWARE & OPEN SOURCE"]
    assert headings == ["TECHNOLOGY DAILY", "IN THIS ISSUE", *topics]


def test_lines_of_the_text_part_fit_a_terminal_unless_they_are_links(letter: Letter) -> None:
    for line in letter.text.splitlines():
        assert len(line) <= 82 if line.startswith("* ") else len(line) <= 72 or "://" in line


def test_the_text_part_is_not_escaped(letter: Letter) -> None:
    assert "CHIPS & COMPUTE" in letter.text
    assert "at <em>\nof their own users’ request & expense" in letter.text


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        ("https://a.example/x?y=1&z=2#w", "https://a.example/x?y=1&z=2#w"),
        ("HTTP://a.example", "HTTP://a.example"),
        (' https://a.example/a b<"c', "https://a.example/a%20b%3C%22c"),
        ("https://a.example/ü/%41", "https://a.example/%C3%BC/%41"),
        ("javascript:alert(1)", ""),
        ("java\x00script:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//a.example", ""),
        ("https://", ""),
        ("https:///x", ""),
        ("mailto:a@example.com", ""),
        ("", ""),
    ],
)
def test_only_web_links_are_printed(url: str, printed: str) -> None:
    assert web_url(url) == printed


def test_a_headline_without_a_web_link_is_printed_without_one(
    renderer: IssueRenderer, newsletter: Newsletter
) -> None:
    bad = entry(1, title="Story one", source=Source(name="S", url="javascript:alert(1)"))
    issue = Issue(newsletter="technology", date=date(2026, 11, 23), number=1, entries=(bad,))
    letter = _letter_of(renderer, newsletter, issue)
    assert "javascript" not in letter.html + letter.text
    assert re.search(r"<h3[^>]*>Story one</h3>", letter.html)


def test_a_date_is_written_out() -> None:
    assert written_out(date(2026, 3, 1)) == "Sunday, 1 March 2026"


def test_an_unverified_brief_is_refused_by_name(
    renderer: IssueRenderer, newsletter: Newsletter
) -> None:
    bad = entry(7, title="Rumour", verification=Verification.UNVERIFIED)
    issue = Issue(newsletter="technology", date=date(2026, 11, 23), number=1, entries=(bad,))
    with pytest.raises(RenderingFailed, match="brief 7 is unverified"):
        renderer.set(newsletter, issue)


@pytest.mark.parametrize("topics", [(), ("gardening",)])
def test_a_brief_under_no_topic_is_refused_by_name(
    renderer: IssueRenderer, newsletter: Newsletter, topics: tuple[str, ...]
) -> None:
    bad = entry(7, title="Roses", topics=topics)
    issue = Issue(newsletter="technology", date=date(2026, 11, 23), number=1, entries=(bad,))
    with pytest.raises(RenderingFailed, match="brief 7 stands under no topic of technology"):
        renderer.set(newsletter, issue)


_CHANGES: dict[str, object] = {
    "body": ("Read by 3299",),
    "published": datetime(2026, 11, 22, tzinfo=UTC),
    "title": "Another title",
    "summary": "Another summary.",
    "why": "Another reason.",
    "source": Source(name="Another", url="https://a.example/another"),
    "minutes": 9,
    "verification": Verification.PARTIAL,
}


@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("name", _CHANGES)
def test_what_counts_as_printed_is_what_changes_the_content_hash(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue, name: str, place: int
) -> None:
    entries = list(issue.entries)
    was = entries[place]
    entries[place] = now = replace(was, brief=replace(was.brief, **{name: _CHANGES[name]}))
    changed = replace(issue, entries=tuple(entries))
    envelope = envelope_of(newsletter, "https://news.example.com")
    hashes = {
        content_hash(envelope, one, renderer.set(newsletter, one)) for one in (issue, changed)
    }
    same = printed(was.brief, was.size) == printed(now.brief, now.size)
    assert (len(hashes) == 1) is same


def test_the_contents_name_topics_with_counts_that_add_up_and_lead_to_their_place(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> None:
    galley = renderer.set(newsletter, issue)
    for ids, counts in (
        ([1, 2, 4, 5, 7], {"top": 2, "ai-models": 2, "security": 1}),
        ([8], {"software": 1}),
    ):
        page = lxml_html.fromstring(compose(galley, edition_of(issue, ids), view_url=VIEW_URL).html)
        jumps = page.find_class("jump")
        found = {
            jump.find("a").get("href").removeprefix(f"{VIEW_URL}#"): int(jump.find("a").tail)
            for jump in jumps
        }
        assert found == counts
        assert {h2.get("id") for h2 in page.iter("h2")} == set(counts)
        assert all(jump.find("a").get("clicktracking") == "off" for jump in jumps)


def test_on_the_web_the_contents_stay_on_the_page(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> None:
    page = lxml_html.fromstring(_letter_of(renderer, newsletter, issue, web=WebView()).html)
    assert page.find_class("jump")[0].find("a").get("href") == "#top"


def test_stories_have_three_sizes_and_the_smallest_is_a_sentence(
    renderer: IssueRenderer, newsletter: Newsletter
) -> None:
    said = {"summary": "It opened. Then it closed.", "why": "So it is."}
    entries = (
        entry(1, title="Lead", lead=True, **said),
        entry(2, title="Story", **said),
        entry(3, title="Small", importance=Importance.LOW, **said),
        entry(4, title="Lined", line="The editor’s own.", **said),
    )
    issue = Issue(newsletter="technology", date=date(2026, 11, 23), number=1, entries=entries)
    html = _letter_of(renderer, newsletter, issue).html
    printed = {
        h3.text_content(): (h3.get("class"), [p.text_content() for p in h3.itersiblings("p")][1:])
        for h3 in lxml_html.fromstring(html).iter("h3")
    }
    why = "Why it matters: So it is."
    assert printed == {
        "Lead": ("lead", ["It opened. Then it closed.", why]),
        "Story": ("story", ["It opened.", why]),
        "Small": ("small", ["It opened."]),
        "Lined": ("story", ["The editor’s own.", why]),
    }


def test_a_letter_can_be_passed_on_where_others_can_subscribe(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue, letter: Letter
) -> None:
    for part in (letter.html, letter.text):
        assert "Forward it." in part
        assert SUBSCRIBE_URL in part
    closed = replace(newsletter, signup=replace(newsletter.signup, open=False))
    assert SUBSCRIBE_URL not in _letter_of(renderer, closed, issue).html
    assert "Get your own" not in _letter_of(renderer, closed, issue).text


def test_a_story_of_another_direction_runs_its_own_way(
    renderer: IssueRenderer, newsletter: Newsletter
) -> None:
    entries = (
        entry(1, title="تراشه‌های تازه", summary="کارخانه باز شد.", why="ارزان است."),
        entry(2, title="A chip", source=Source(name="ایسنا", url="https://a.example/")),
    )
    issue = Issue(newsletter="technology", date=date(2026, 11, 23), number=1, entries=entries)
    html = _letter_of(renderer, newsletter, issue).html
    turned, straight = list(lxml_html.fromstring(html).iter("h3"))
    assert [one.get("dir") for one in (turned, *turned.itersiblings("p"))] == ["auto"] * 4
    assert "text-align:right" in turned.getparent().get("style")
    assert [one.get("dir") for one in (straight, *straight.itersiblings("p"))] == [None] * 3
    assert [span.text for span in straight.getparent().iter("span") if span.get("dir")] == ["ایسنا"]


@pytest.mark.parametrize(
    ("language", "font", "height"),
    [("zh-Hant-TW", "PingFang TC", "29px"), ("ja", "Hiragino Sans", "29px"), ("en", "", "27px")],
)
def test_a_script_has_its_own_fonts_and_line_height(
    renderer: IssueRenderer,
    newsletter: Newsletter,
    issue: Issue,
    language: str,
    font: str,
    height: str,
) -> None:
    html = _letter_of(renderer, replace(newsletter, language=language), issue).html
    assert f"line-height:{height}" in html
    assert font in html
    assert "italic" not in html
    assert "letter-spacing" not in html


def test_an_edition_has_one_picture_above_its_first_lead(
    renderer: IssueRenderer, newsletter: Newsletter, pictured: Issue
) -> None:
    galley = renderer.set(newsletter, pictured)
    for ids, shown in (([1, 2, 3, 4], ["1"]), ([2, 3, 5], ["2"]), ([4, 5], [])):
        edition = edition_of(pictured, ids)
        page = lxml_html.fromstring(compose(galley, edition, view_url=VIEW_URL).html)
        images = list(page.iter("img"))
        assert [image.get("src").partition("?")[2] for image in images] == shown
        assert all(
            (one.get("alt"), one.get("width")) == ("A hall of computers", "400") for one in images
        )


def test_marks_are_on_links_to_stories_and_on_no_link_of_the_reader_or_ours(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> None:
    marked = replace(newsletter, tracking=Tracking(utm_source="daily"))
    note = Wording(note="See [this](https://note.example/#part).")
    letter = _letter_of(renderer, marked, replace(issue, wording=note))
    links = [a.get("href") for a in lxml_html.fromstring(letter.html).iter("a")]
    tail = "utm_source=daily&utm_medium=email&utm_campaign=technology-2026-11-23"
    assert f"https://ledger.example/open/weft-9b?ref=a&p=1&{tail}" in links
    assert f"https://patchwork.example/passkeys?{tail}#majority" in links
    assert f"https://note.example/?{tail}#part" in links
    ours = [link for link in links if "utm_" not in link]
    assert {link.partition("#")[0] for link in ours} == {
        VIEW_URL, SUBSCRIBE_URL, PREFERENCES_URL, UNSUBSCRIBE_URL
    }  # fmt: skip
    assert letter.text.count(tail) == len(issue.entries) + 1


def test_a_persian_brief_in_an_english_letter_runs_right_to_left(
    renderer: IssueRenderer, newsletter: Newsletter
) -> None:
    [brief] = read_file(CASES / "a09-persian.md")
    one = IssueEntry(brief_id=1, revision=1, brief=brief, topics=brief.topics)
    issue = Issue(newsletter="technology", date=date(2026, 11, 27), number=1, entries=(one,))
    page = lxml_html.fromstring(_letter_of(renderer, newsletter, issue).html)
    [story] = page.iter("h3")
    assert story.get("dir") == "auto"
    assert story.getparent().find_class("text")[0].get("dir") == "auto"
