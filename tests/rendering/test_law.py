"""Law 2: type is set once; a letter cut from the galley is the letter rendered directly."""

from datetime import date
from itertools import combinations

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.core.brief import Brief, Importance, Picture, Source, Verification
from newsletter.core.edition import compose, edition_of
from newsletter.core.galley import plain_line
from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.publication import Newsletter
from newsletter.rendering.renderer import IssueRenderer

VIEW_URL = "https://news.example.com/technology/2026-11-23/41?a=1&b=2"
SUBSCRIBE_URL = "https://news.example.com/technology/subscribe"

#: Without the explanation of a failure, which takes minutes.
_PHASES = tuple(one for one in Phase if one is not Phase.explain)

_HOSTILE = [
    "<!--[[brief:2-->", "<!--]]-->", "<![endif]-->", "-->", "]]>", "<b>bold</b>", "</mj-text>",
    "-nl_subject-", "-nl_unsubscribe_url-", "{{ name }}", "{% raw %}", "<style>", '" data-at="x',
    ' data-premailer="ignore"', "&amp;", "&nbsp", "R&D", "'", '"', "<", ">", "\\", "$1",
    "\x00\x0b\x85", "\u202eevil", "\ufeff", "\uffff", "\u2028", "é", "שלום", "東京", "🏴",
    "👩\u200d💻", "word " * 30, "x" * 100,
]  # fmt: skip
_text = st.lists(st.sampled_from(_HOSTILE) | st.text(max_size=20), max_size=4).map(" ".join)
_urls = st.one_of(
    _text.map("https://example.com/{}".format), _text, st.just("javascript:alert(1)"), st.just("")
)

_pictures = st.sampled_from(
    [
        Picture(),
        Picture(url="https://img.example.com/a b<.png", alt='"A hall" of <b>computers</b>'),
        Picture(url="http://img.example.com/plain.png", alt="A hall of computers", width=500),
        Picture(url="https://img.example.com/small.png", alt="A hall of computers", width=300),
    ]
)


@st.composite
def _issues(draw: st.DrawFn) -> Issue:
    slugs = st.sampled_from(["ai-models", "chips", "security", "software"])
    entries = [
        IssueEntry(
            brief_id=brief_id,
            revision=1,
            brief=Brief(
                key=str(brief_id),
                title=draw(_text),
                pillar="Technology",
                summary=draw(_text),
                why=draw(_text),
                line=draw(_text),
                unconfirmed=draw(_text),
                importance=draw(st.sampled_from(Importance)),
                picture=draw(_pictures),
                source=Source(name=draw(_text), url=draw(_urls)),
                verification=draw(
                    st.sampled_from([Verification.VERIFIED, Verification.PARTIAL]),
                ),
                minutes=draw(st.integers(0, 9)),
            ),
            topics=(draw(slugs),),
            lead=draw(st.booleans()),
        )
        for brief_id in draw(st.permutations(range(1, draw(st.integers(2, 7)))))
    ]
    return Issue(newsletter="technology", date=date(2026, 11, 23), number=1, entries=tuple(entries))


@given(data=st.data(), issue=_issues())
@settings(max_examples=60, deadline=None, phases=_PHASES)
def test_cutting_equals_rendering_directly_whatever_strangers_write(
    data: st.DataObject, issue: Issue, renderer: IssueRenderer, newsletter: Newsletter
) -> None:
    galley = renderer.set(newsletter, issue)
    all_ids = [entry.brief_id for entry in issue.entries]
    for _ in range(3):
        ids = data.draw(st.sets(st.sampled_from(all_ids), min_size=1))
        edition = edition_of(issue, ids)
        part = issue.only(ids)
        straight = renderer.direct(newsletter, part, edition, view_url=VIEW_URL)
        assert compose(galley, edition, view_url=VIEW_URL) == straight


def test_every_part_of_the_sample_issue_is_cut_as_it_would_be_rendered(
    renderer: IssueRenderer, newsletter: Newsletter, issue: Issue
) -> None:
    issue = issue.only([1, 3, 4, 6, 8, 9])
    galley = renderer.set(newsletter, issue)
    all_ids = [entry.brief_id for entry in issue.entries]
    parts = [ids for size in range(1, 7) for ids in combinations(all_ids, size)]
    assert len(parts) == 63
    for ids in parts:
        edition = edition_of(issue, ids)
        straight = renderer.direct(newsletter, issue.only(ids), edition, view_url=VIEW_URL)
        assert compose(galley, edition, view_url=VIEW_URL) == straight, ids


@given(issue=_issues())
@settings(max_examples=30, deadline=None, phases=_PHASES)
def test_strangers_words_are_shown_as_they_were_written_and_link_only_to_the_web(
    issue: Issue, renderer: IssueRenderer, newsletter: Newsletter
) -> None:
    whole = edition_of(issue, (entry.brief_id for entry in issue.entries))
    letter = compose(
        renderer.set(newsletter, issue), whole, view_url=VIEW_URL, subscribe_url=SUBSCRIBE_URL
    )
    page = lxml_html.fromstring(letter.html)
    shown = {" ".join(h3.text_content().split()) for h3 in page.iter("h3")}
    written = {plain_line(entry.brief.title) for entry in issue.entries}
    assert shown == written
    assert all(a.get("href").startswith(("http", "-nl_")) for a in page.iter("a"))
    assert {element.tag for element in page.iter("script", "b", "style")} == {"style"}


def test_an_issue_is_compiled_and_inlined_once_however_many_editions_are_cut(
    newsletter: Newsletter, issue: Issue, renderer: IssueRenderer
) -> None:
    compiles, inlinings = renderer.compiles, renderer.inlinings
    galley = renderer.set(newsletter, issue)
    letters = {
        compose(galley, edition_of(issue, ids), view_url=VIEW_URL).html
        for ids in combinations([entry.brief_id for entry in issue.entries], 2)
    }
    assert len(letters) == 36
    assert (renderer.compiles - compiles, renderer.inlinings - inlinings) == (1, 1)
