"""Editions: which briefs a topic set reads, what the inbox shows, and the letter composed."""

from dataclasses import replace
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.brief import Brief, Verification
from newsletter.core.edition import (
    EDITION_TAGS,
    MINUTES,
    PREHEADER,
    PREHEADER_LENGTH,
    RECIPIENT_TAGS,
    STORY_COUNT,
    SUBJECT,
    SUBJECT_LENGTH,
    VIEW_URL,
    compose,
    edition_for,
    edition_of,
    preheader,
    shorten,
)
from newsletter.core.galley import CLOSE_MARK, OPEN_MARK, PERSONAL, Galley, piece_of, read_marked
from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.mailing import content_hash, envelope_of
from newsletter.core.publication import (
    ApprovalPolicy,
    Caps,
    Mailbox,
    Newsletter,
    Order,
    Timetable,
    Topic,
    Weekday,
)
from newsletter.core.web_view import WebView
from subscribers.model import TopicSet

_NEWSLETTER = Newsletter(
    slug="technology",
    name="Technology Daily",
    pillar="Technology",
    tagline="",
    language="en",
    topics=(Topic(slug="chips", title="Chips", blurb="", keywords=()),),
    sender=Mailbox(email="daily@news.example.com", name="Technology Daily"),
    reply_to=Mailbox(email="editors@news.example.com", name="Technology Daily"),
    unsubscribe_email="leave@news.example.com",
    list_id="technology.news.example.com",
    postal_address="1 Example Street",
    timetable=Timetable(
        zone="Europe/Berlin", days=(Weekday.MON,), assemble_at=time(5), send_at=time(6)
    ),
    minimum_verification=Verification.PARTIAL,
    caps=Caps(briefs=14, briefs_per_topic=5, leads=3, age_hours=36),
    order=Order.IMPORTANCE,
    approval=ApprovalPolicy.AUTOMATIC,
)


def _entry(brief_id: int, title: str, *topics: str, summary: str = "A summary.") -> IssueEntry:
    brief = Brief(key=str(brief_id), title=title, pillar="Technology", summary=summary)
    return IssueEntry(brief_id=brief_id, revision=1, brief=brief, topics=topics, lead=False)


_ISSUE = Issue(
    newsletter="technology",
    date=date(2026, 11, 23),
    number=1,
    entries=(
        _entry(7, "First & foremost", "chips", "policy"),
        _entry(3, "Second story", "policy"),
        _entry(5, "Third story", "chips"),
        _entry(1, "Fourth story", "robotics"),
    ),
)


def _mark(name: str, inner: str) -> str:
    return OPEN_MARK.format(name) + inner + CLOSE_MARK


def _galley(html: str) -> Galley:
    return Galley(html=read_marked(html), text=read_marked(html))


def test_a_topic_set_reads_its_briefs_in_the_issues_order() -> None:
    edition = edition_for(_ISSUE, TopicSet.of(["chips", "policy"]))
    assert edition is not None
    assert edition.brief_ids == (7, 3, 5)


def test_a_brief_counts_for_each_of_its_topics_not_only_its_section() -> None:
    edition = edition_for(_ISSUE, TopicSet.of(["policy"]))
    assert edition is not None
    assert edition.brief_ids == (7, 3)


def test_everything_is_also_what_is_not_yet_a_topic() -> None:
    edition = edition_for(_ISSUE, TopicSet.of([]))
    assert edition is not None
    assert edition.brief_ids == (7, 3, 5, 1)


def test_a_topic_set_without_a_story_has_no_edition() -> None:
    assert edition_for(_ISSUE, TopicSet.of(["gardening"])) is None


def test_topic_sets_that_choose_alike_share_one_edition() -> None:
    one = edition_for(_ISSUE, TopicSet.of(["chips", "policy", "robotics"]))
    assert one == edition_for(_ISSUE, TopicSet.of([]))
    assert one == edition_of(_ISSUE, [1, 3, 5, 7])


def test_the_key_tells_choices_days_and_newsletters_apart() -> None:
    issues = [
        _ISSUE,
        replace(_ISSUE, date=date(2026, 11, 24)),
        replace(_ISSUE, newsletter="science"),
    ]
    keys = [edition_of(issue, ids).key for issue in issues for ids in ([7], [3], [7, 3])]
    assert len(set(keys)) == 9


def test_an_edition_prints_only_what_is_in_the_issue() -> None:
    with pytest.raises(LookupError, match=r"not in this issue: \[2, 9\]"):
        edition_of(_ISSUE, [9, 7, 2])
    with pytest.raises(LookupError, match="at least one brief"):
        edition_of(_ISSUE, [])


def test_the_subject_is_the_first_headline_and_never_the_preheader() -> None:
    edition = edition_of(_ISSUE, [7, 3, 5, 1])
    assert edition.subject == "First & foremost"
    assert edition.preheader == "Also: Second story; Third story; and 1 more"


def test_a_headline_cannot_break_out_of_the_subject_line() -> None:
    issue = replace(_ISSUE, entries=(_entry(1, "Two\r\nBcc: x -nl_preheader-", "chips"),))
    assert edition_of(issue, [1]).subject == "Two Bcc: x - nl_preheader-"


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("Word " * 15 + "end", "Word " * 15 + "end"),
        (
            "A flaw lets a certificate exhaust memory; patches for all branches are out",
            "A flaw lets a certificate exhaust memory",
        ),
        ("Yes; " + "word " * 14 + "end", "Yes; " + "word " * 14 + "end"),
    ],
)
def test_a_long_title_is_a_subject_as_a_whole_or_in_a_part_that_stands_alone(
    title: str, subject: str
) -> None:
    assert edition_of(replace(_ISSUE, entries=(_entry(1, title, "chips"),)), [1]).subject == subject


def test_a_short_line_of_the_brief_is_the_subject_unless_the_issue_has_another() -> None:
    one = _entry(1, "A long headline", "chips")
    one = replace(one, brief=replace(one.brief, short="Heat for sale"))
    issue = replace(_ISSUE, entries=(one,))
    assert edition_of(issue, [1]).subject == "Heat for sale"
    worded = replace(issue, entries=(replace(one, short_line="Warm homes"),))
    assert edition_of(worded, [1]).subject == "Warm homes"


@pytest.mark.parametrize(
    ("titles", "line"),
    [
        ([], "One story, and that is all."),
        (["B"], "Also: B"),
        (["B", "C"], "Also: B; C"),
        (["B", "C", "D", "E"], "Also: B; C; and 2 more"),
        (["B" * 60, "C" * 60, "D"], f"Also: {'B' * 60}; and 2 more"),
    ],
)
def test_the_preheader_names_the_next_stories(titles: list[str], line: str) -> None:
    assert preheader(titles) == line


@given(st.lists(st.text(min_size=1, max_size=200), max_size=14))
def test_no_preheader_is_longer_than_an_inbox_shows(titles: list[str]) -> None:
    assert len(preheader(titles)) <= PREHEADER_LENGTH


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("short enough", 12, "short enough"),
        ("cut between words", 14, "cut between…"),
        ("no comma, at the end", 12, "no comma…"),
        ("abcdefghij", 5, "abcd…"),
    ],
)
def test_a_text_is_shortened_between_words(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short


@given(st.text(max_size=200), st.integers(2, SUBJECT_LENGTH))
def test_a_shortened_text_fits_and_says_that_it_is_one(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text or (len(text) > limit and short.endswith("…"))


@pytest.mark.parametrize(("ids", "count"), [([7], "1 story"), ([7, 3], "2 stories")])
def test_stories_are_counted_with_their_noun(ids: list[int], count: str) -> None:
    assert edition_of(_ISSUE, ids).story_count == count


def test_minutes_are_those_of_the_edition() -> None:
    long = _entry(2, "Long", "chips", summary="word " * 460)
    issue = replace(_ISSUE, entries=(*_ISSUE.entries, long))
    assert edition_of(issue, [7]).minutes == 1
    assert edition_of(issue, [7, 2]).minutes == 3


def test_a_letter_holds_the_chosen_pieces_and_the_editions_values() -> None:
    galley = _galley(f"{SUBJECT}|{STORY_COUNT}|{MINUTES}|{VIEW_URL}|{_mark(piece_of(3), 'three')}")
    letter = compose(galley, edition_of(_ISSUE, [7]), view_url="https://x.example/?a=1&b=2")
    assert letter.subject == "First & foremost"
    assert letter.text == "First & foremost|1 story|1 min read|https://x.example/?a=1&b=2|"
    assert letter.html == (
        "First &amp; foremost|1 story|1 min read|https://x.example/?a=1&amp;b=2|"
    )


def test_letters_beyond_ascii_stay_what_they_are() -> None:
    issue = replace(_ISSUE, entries=(_entry(1, "“Café” 東", "chips"),))
    letter = compose(_galley(SUBJECT), edition_of(issue, [1]), view_url="https://x.example/")
    assert letter.html == "“Café” 東"
    assert letter.text == "“Café” 東"


def test_the_public_view_leaves_out_what_names_the_recipient() -> None:
    galley = _galley("news" + _mark(PERSONAL, "".join(RECIPIENT_TAGS)))
    edition = edition_of(_ISSUE, [7])
    assert compose(galley, edition, view_url="u", web=WebView()).html == "news"
    assert compose(galley, edition, view_url="u").html == "news" + "".join(RECIPIENT_TAGS)


def test_composing_leaves_no_tag_of_the_edition_and_every_tag_of_the_recipient() -> None:
    galley = _galley(" ".join((*EDITION_TAGS, *RECIPIENT_TAGS)))
    letter = compose(galley, edition_of(_ISSUE, [7]), view_url="https://x.example/")
    for part in (letter.html, letter.text):
        assert not [tag for tag in EDITION_TAGS if tag in part]
        assert [tag for tag in RECIPIENT_TAGS if tag in part] == list(RECIPIENT_TAGS)


def _hash(
    newsletter: Newsletter, issue: Issue, galley: Galley, base_url: str = "https://news.example"
) -> str:
    return content_hash(envelope_of(newsletter, base_url), issue, galley)


def test_the_hash_of_equal_content_is_equal() -> None:
    once, again = (_hash(_NEWSLETTER, _ISSUE, _galley(PREHEADER)) for _ in range(2))
    assert once == again


@pytest.mark.parametrize(
    ("newsletter", "issue", "galley"),
    [
        (_NEWSLETTER, _ISSUE, _galley("another letter")),
        (_NEWSLETTER, _ISSUE, _galley(_mark("brief:1", "the letter"))),
        (_NEWSLETTER, replace(_ISSUE, date=date(2026, 11, 24)), _galley("the letter")),
        (_NEWSLETTER, _ISSUE.only([7, 3]), _galley("the letter")),
        (
            _NEWSLETTER,
            replace(_ISSUE, entries=(_entry(7, "Other", "chips"), *_ISSUE.entries[1:])),
            _galley("the letter"),
        ),
        (
            _NEWSLETTER,
            replace(_ISSUE, entries=(_entry(7, "First & foremost", "chips"), *_ISSUE.entries[1:])),
            _galley("the letter"),
        ),
        (
            replace(_NEWSLETTER, sender=Mailbox(email="a@example.com", name="A")),
            _ISSUE,
            _galley("the letter"),
        ),
        (
            replace(_NEWSLETTER, reply_to=Mailbox(email="a@example.com", name="A")),
            _ISSUE,
            _galley("the letter"),
        ),
        (replace(_NEWSLETTER, list_id="other.example.com"), _ISSUE, _galley("the letter")),
        (
            replace(_NEWSLETTER, unsubscribe_email="other@news.example.com"),
            _ISSUE,
            _galley("the letter"),
        ),
    ],
    ids=[
        *("type", "pieces", "date", "choice", "subject", "topics"),
        *("sender", "reply-to", "list", "unsubscribe"),
    ],
)
def test_any_edit_that_reaches_a_reader_changes_the_hash(
    newsletter: Newsletter, issue: Issue, galley: Galley
) -> None:
    approved = _hash(_NEWSLETTER, _ISSUE, _galley("the letter"))
    assert _hash(newsletter, issue, galley) != approved


def test_another_base_of_all_links_changes_the_hash() -> None:
    approved = _hash(_NEWSLETTER, _ISSUE, _galley("the letter"))
    moved = _hash(_NEWSLETTER, _ISSUE, _galley("the letter"), base_url="https://other.example")
    assert moved != approved
