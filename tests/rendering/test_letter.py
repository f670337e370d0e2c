"""What must hold for every letter, in both its parts."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from lxml import html as lxml_html

from newsletter.core.brief import Source, Verification
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
from newsletter.core.issue import Issue
from newsletter.core.mailing import content_hash, envelope_of
from newsletter.core.publication import Newsletter
from newsletter.core.web_address import web_url
from newsletter.errors import RenderingFailed
from newsletter.rendering.mjml import to_html
from newsletter.rendering.page import page_of, written_out
from newsletter.rendering.renderer import IssueRenderer
from newsletter.rendering.source import MJML, Templates
from tests.rendering.conftest import TEMPLATES, VIEW_URL, entry

_STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
_TAG = re.compile(r"-nl_\w+-")


def _letter_of(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue, **options: bool
) -> Letter:
    whole = edition_of(issue, (one.brief_id for one in issue.entries))
    return compose(renderer.set(newsletter, issue), whole, view_url=VIEW_URL, **options)


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
    assert html.count("text-align:right") > 20


def test_layout_tables_are_hidden_from_screen_readers_and_nothing_is_an_image(
    letter: Letter,
) -> None:
    page = lxml_html.fromstring(letter.html)
    tables = list(page.iter("table"))
    assert len(tables) > 10
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
    lines = letter.text.splitlines()
    assert links == [line for line in lines if re.match(r"https?://|-nl_\w+_url-", line)]
    assert links[0] == VIEW_URL
    assert len(links) == 9 + 4


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
    public = _letter_of(renderer, newsletter, issue, personal=False)
    for part in (public.html, public.text):
        assert not any(tag in part for tag in RECIPIENT_TAGS)
        assert "for today." in part
        assert newsletter.postal_address in part
    for one in issue.entries:
        assert web_url(one.brief.source.url) in public.text


def test_every_item_shows_label_source_minutes_and_why(letter: Letter, issue: Issue) -> None:
    words = " ".join(" ".join(lxml_html.fromstring(letter.html).itertext()).split())
    assert "Partly verified Silicon Almanac · 6 min at the source" in words
    assert "Verified Compute Ledger · 4 min at the source" in words
    for part in (words, " ".join(letter.text.split())):
        for one in issue.entries:
            assert f" {one.brief.title} " in part
            assert plain_line(one.brief.summary) in part
            if one.brief.why:
                assert f"Why it matters: {one.brief.why}" in part
        assert "9 stories · 2 min read" in part
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


@pytest.mark.parametrize("name", _CHANGES)
def test_what_counts_as_printed_is_what_changes_the_content_hash(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue, name: str
) -> None:
    first = issue.entries[0]
    brief = replace(first.brief, **{name: _CHANGES[name]})
    changed = replace(issue, entries=(replace(first, brief=brief), *issue.entries[1:]))
    envelope = envelope_of(newsletter, "https://news.example.com")
    hashes = {
        content_hash(envelope, one, renderer.set(newsletter, one)) for one in (issue, changed)
    }
    assert (len(hashes) == 1) is (brief.printed == first.brief.printed)
