"""The gate: what it lets through, what it holds, and what nobody can wave through."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.brief import Brief, Picture, Source, Verification
from newsletter.core.similarity import alike
from newsletter.core.verification import (
    CHECKS,
    CheckContext,
    Finding,
    KnownBrief,
    Ruling,
    ruling_of,
    verify,
)
from newsletter.settings import load_settings

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
NAMES = [check.__name__ for check in CHECKS]
EVERY_CHECK = frozenset(NAMES)
EVIDENCE = CheckContext(
    newsletter=load_settings(ROOT / "config").newsletter("technology"),
    now=NOW,
    topics=("chips",),
    others=(),
)
GOOD = Brief(
    key="k",
    title="A plant halves its water use",
    pillar="Technology",
    summary="A plant now draws half as much fresh water as it did two years ago, it says.",
    body=('See <a href="https://example.com/plan">the plan</a>.',),
    source=Source(name="Example Wire", url="https://example.com/water"),
    verification=Verification.PARTIAL,
    minutes=3,
    published=NOW - timedelta(hours=2),
)
KNOWN = KnownBrief(
    brief_id=7, title="Something else", url="https://example.com/else", printed=False
)

PICTURE = Picture(url="https://img.example.com/a.png", alt="A hall of computers", width=1088)


def sourced(**changes: str) -> Brief:
    return replace(GOOD, source=replace(GOOD.source, **changes))


def finding(check: str, brief: Brief = GOOD, evidence: CheckContext = EVIDENCE) -> Finding:
    return next(f for f in verify(brief, evidence).findings if f.check == check)


def outcome(
    check: str, brief: Brief = GOOD, evidence: CheckContext = EVIDENCE
) -> tuple[Ruling, bool]:
    """What failing this check leads to, nothing else having failed; and whether it is waivable."""
    verdict = verify(brief, evidence)
    assert [f.check for f in verdict.findings if not f.passed] == [check]
    return verdict.ruling, finding(check, brief, evidence).waivable


def test_a_good_brief_is_accepted_with_every_finding_kept() -> None:
    verdict = verify(GOOD, EVIDENCE)
    assert verdict.ruling is Ruling.ACCEPTED
    assert [f.check for f in verdict.findings] == NAMES
    assert all(f.passed and not f.waived for f in verdict.findings)
    assert verdict.topics == ("chips",)


def test_every_finding_is_a_sentence() -> None:
    bad = Brief(key="k", title="", pillar="", summary="", minutes=99, topics=("x",))
    for brief in (GOOD, bad):
        reasons = [f.reason for f in verify(brief, EVIDENCE).findings]
        assert all(reason[0].isupper() and reason.endswith(".") for reason in reasons)


def test_an_unverified_brief_is_rejected_for_good() -> None:
    unverified = replace(GOOD, verification=Verification.UNVERIFIED)
    lax = replace(EVIDENCE.newsletter, minimum_verification=Verification.UNVERIFIED)
    for evidence in (EVIDENCE, replace(EVIDENCE, newsletter=lax)):
        assert outcome("minimum_verification", unverified, evidence) == (Ruling.REJECTED, False)


def test_a_partial_brief_is_held_where_verified_is_the_minimum() -> None:
    strict = replace(
        EVIDENCE,
        newsletter=replace(EVIDENCE.newsletter, minimum_verification=Verification.VERIFIED),
    )
    assert outcome("minimum_verification", GOOD, strict) == (Ruling.HELD, False)
    verified = replace(GOOD, verification=Verification.VERIFIED)
    assert verify(verified, strict).ruling is Ruling.ACCEPTED


@pytest.mark.parametrize("name", ["", " ", "—"])
def test_a_brief_without_a_source_name_is_held(name: str) -> None:
    assert outcome("source_name", sourced(name=name)) == (Ruling.HELD, False)


@pytest.mark.parametrize(
    "url", ["", "example.com", "https://localhost/a", "https://u:p@example.com"]
)
def test_a_brief_without_a_public_source_link_is_held(url: str) -> None:
    assert outcome("source_url", sourced(url=url)) == (Ruling.HELD, False)


def test_a_refused_link_is_quoted_with_the_reason() -> None:
    reason = finding("source_url", sourced(url="https://localhost/a")).reason
    assert "https://localhost/a cannot be used: localhost is not a public host" in reason


@pytest.mark.parametrize(
    ("field", "size", "fits"),
    [
        ("title", 7, False), ("title", 8, True), ("title", 200, True), ("title", 201, False),
        ("summary", 39, False), ("summary", 40, True), ("summary", 1200, True),
        ("summary", 1201, False),
    ],
)  # fmt: skip
def test_titles_and_summaries_have_sane_lengths(field: str, size: int, fits: bool) -> None:
    brief = replace(GOOD, **{field: "x" * size})
    assert finding(f"{field}_length", brief).passed is fits
    if not fits:
        assert outcome(f"{field}_length", brief) == (Ruling.HELD, True)


@pytest.mark.parametrize("field", ["title", "summary"])
def test_a_missing_title_or_summary_cannot_be_waived(field: str) -> None:
    assert outcome(f"{field}_length", replace(GOOD, **{field: " "})) == (Ruling.HELD, False)


def test_a_brief_without_a_topic_is_held_because_no_section_prints_it() -> None:
    brief, nowhere = replace(GOOD, topics=("gardening",)), replace(EVIDENCE, topics=())
    assert outcome("known_topic", brief, nowhere) == (Ruling.HELD, False)
    assert "gardening" in finding("known_topic", brief, nowhere).reason


def test_an_unknown_topic_beside_a_known_one_is_named_and_passes() -> None:
    found = finding("known_topic", replace(GOOD, topics=("chips", "gardening")))
    assert found.passed
    assert found.reason.endswith("Not a topic of Technology Daily: gardening.")


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        (timedelta(hours=36), True),
        (timedelta(hours=36, seconds=1), False),
        (timedelta(hours=-1), True),
        (timedelta(hours=-1, seconds=-1), False),
        (None, True),
    ],
)
def test_news_is_neither_stale_nor_of_tomorrow(age: timedelta | None, fresh: bool) -> None:
    brief = replace(GOOD, published=None if age is None else NOW - age)
    assert finding("freshness", brief).passed is fresh
    if not fresh:
        assert outcome("freshness", brief) == (Ruling.HELD, True)


@pytest.mark.parametrize(
    ("minutes", "plausible"), [(-1, False), (0, True), (1, True), (60, True), (61, False)]
)
def test_a_reading_time_is_plausible_or_not_given(minutes: int, plausible: bool) -> None:
    brief = replace(GOOD, minutes=minutes)
    assert finding("minutes_plausible", brief).passed is plausible
    if not plausible:
        assert outcome("minutes_plausible", brief) == (Ruling.HELD, True)


@pytest.mark.parametrize(
    "repeated",
    [
        replace(KNOWN, url="http://www.example.com/water/?utm_source=x"),
        replace(KNOWN, title="Plant Halves Its Use of Water", url=""),
    ],
)
def test_a_repeated_story_is_held_and_rejected_once_printed(repeated: KnownBrief) -> None:
    waiting = replace(EVIDENCE, others=(KNOWN, repeated))
    printed = replace(EVIDENCE, others=(repeated, replace(repeated, brief_id=8, printed=True)))
    assert outcome("duplicate", GOOD, waiting) == (Ruling.HELD, True)
    assert outcome("duplicate", GOOD, printed) == (Ruling.REJECTED, True)
    assert "brief 8" in finding("duplicate", GOOD, printed).reason


def test_two_briefs_without_a_link_are_not_the_same_for_that() -> None:
    others = (replace(KNOWN, url=""),)
    assert finding("duplicate", sourced(url=""), replace(EVIDENCE, others=others)).passed


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Court Opens Its Rulings to Machines", "Court opens rulings to the machines", True),
        ("Passkey Flaw Found in Copied Example", "Flaw found in copied passkey example", True),
        ("Court Opens Its Rulings to Machines", "Court Closes Its Doors to Visitors", False),
        ("Patch Day Mends 80 Flaws in Browsers", "Patch Day Mends 81 Flaws in Browsers", False),
        ("The City’s Data Center Opens", "The City's Data Center Opens", True),
        ("Chips", "Chips and Fish", False),
        ("As It Is", "as it is", True),
        ("", "", False),
    ],
)
def test_titles_are_alike_when_they_share_most_words_and_every_number(
    one: str, other: str, same: bool
) -> None:
    assert alike(one, other) is alike(other, one) is same


SYNTAXES = """
    -nl_subject- -NL_x <!--[[brief:1--> <!--]]--> <%name%> &lt;%name%&gt; -n<em>l_</em>subject-
    &#45;nl_x- &lt;!--[[x-->
"""
SYNTAX = st.sampled_from(SYNTAXES.split())


@given(
    syntax=SYNTAX,
    before=st.text(max_size=20),
    field=st.sampled_from(
        [
            "title",
            "summary",
            "why",
            "body",
            "pillar",
            "name",
            "url",
            "short",
            "line",
            "unconfirmed",
            "picture",
        ]
    ),
    waived=st.sets(st.sampled_from(NAMES)),
)
def test_tag_syntax_in_a_printed_field_is_never_accepted(
    syntax: str, before: str, field: str, waived: set[str]
) -> None:
    text = f"{before}{syntax} and a text that is long enough to be a summary"
    if field in ("name", "url"):
        brief = sourced(**{field: f"https://example.com/{text}"})
    else:
        whole = {"body": (text,), "picture": replace(PICTURE, alt=text)}.get(field, text)
        brief = replace(GOOD, **{field: whole})
    verdict = verify(brief, EVIDENCE, waived=waived)
    assert verdict.ruling is Ruling.REJECTED
    assert not next(f for f in verdict.findings if f.check == "tag_syntax").passed


BRIEFS = st.builds(
    Brief,
    key=st.just("k"),
    title=st.text() | st.just(GOOD.title),
    pillar=st.just("Technology"),
    summary=st.text() | st.just(GOOD.summary),
    body=st.tuples(st.text()),
    source=st.builds(
        Source,
        name=st.sampled_from(["", "Example Wire"]) | st.text(),
        url=st.sampled_from(["", GOOD.source.url]) | st.text(),
    ),
    verification=st.sampled_from(Verification),
    minutes=st.integers(),
    published=st.none() | st.datetimes(timezones=st.just(UTC)),
)
EVIDENCES = st.builds(
    replace,
    st.just(EVIDENCE),
    topics=st.sampled_from([(), ("chips",)]),
    others=st.lists(
        st.builds(replace, st.just(KNOWN), title=st.just(GOOD.title), printed=st.booleans()),
        max_size=2,
    ).map(tuple),
)
WAIVED = st.just(EVERY_CHECK) | st.frozensets(st.sampled_from(NAMES))


@given(BRIEFS, EVIDENCES, WAIVED)
def test_whatever_is_waived_only_verified_and_sourced_work_is_accepted(
    brief: Brief, evidence: CheckContext, waived: frozenset[str]
) -> None:
    if verify(brief, evidence, waived=waived).ruling is Ruling.ACCEPTED:
        assert brief.verification is not Verification.UNVERIFIED
        assert brief.source.name
        assert brief.source.url.lower().startswith(("https://", "http://"))
        assert evidence.topics
        assert brief.title
        assert brief.summary


@given(BRIEFS, EVIDENCES, WAIVED)
def test_every_check_reports_and_waiving_only_marks(
    brief: Brief, evidence: CheckContext, waived: frozenset[str]
) -> None:
    plainly, waiving = verify(brief, evidence), verify(brief, evidence, waived=waived)
    assert [f.check for f in waiving.findings] == NAMES
    assert tuple(replace(f, waived=False) for f in waiving.findings) == plainly.findings
    marked = {f.check for f in waiving.findings if f.waived}
    assert marked == {
        f.check for f in plainly.findings if not f.passed and f.waivable and f.check in waived
    }
    assert waiving.ruling is ruling_of(waiving.findings)


def test_a_waived_finding_no_longer_holds_a_brief() -> None:
    long = replace(GOOD, minutes=90)
    assert verify(long, EVIDENCE).ruling is Ruling.HELD
    assert verify(long, EVIDENCE, waived={"minutes_plausible"}).ruling is Ruling.ACCEPTED
    assert verify(long, EVIDENCE, waived={"freshness"}).ruling is Ruling.HELD


def test_the_worst_failure_rules() -> None:
    held = Finding(check="a", passed=False, reason="A.")
    rejected = replace(held, otherwise=Ruling.REJECTED)
    assert ruling_of([held, rejected]) is Ruling.REJECTED
    assert ruling_of([held, replace(rejected, waived=True)]) is Ruling.HELD
    assert (
        ruling_of([replace(held, passed=True), replace(rejected, waived=True)]) is Ruling.ACCEPTED
    )


@pytest.mark.parametrize(("length", "fits"), [(0, True), (1, True), (400, True), (401, False)])
def test_why_is_a_sentence_or_two_or_nothing(length: int, fits: bool) -> None:
    brief = replace(GOOD, why="w" * length)
    assert finding("why_length", brief).passed is fits
    if not fits:
        assert outcome("why_length", brief) == (Ruling.HELD, True)
        assert "The why has 401 characters" in finding("why_length", brief).reason


def test_a_sources_name_is_a_name_and_no_list() -> None:
    assert finding("source_name", sourced(name="n" * 80)).passed
    assert outcome("source_name", sourced(name="n" * 81)) == (Ruling.HELD, True)


def test_a_picture_that_can_be_printed_is_fine_and_none_is() -> None:
    for one in (Picture(), PICTURE, replace(PICTURE, width=0)):
        assert verify(replace(GOOD, picture=one), EVIDENCE).ruling is Ruling.ACCEPTED


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://img.example.com/a.png"},
        {"url": "https://localhost/a.png"},
        {"url": "https://img.example.com/a b.png"},
        {"alt": ""},
        {"alt": "word " * 60},
        {"width": 40},
        {"width": 9_000},
    ],
)
def test_a_picture_that_cannot_be_printed_is_held_and_may_be_left_out(
    change: dict[str, object],
) -> None:
    brief = replace(GOOD, picture=replace(PICTURE, **change))
    assert outcome("picture", brief) == (Ruling.HELD, True)


def test_a_short_line_and_a_sentence_are_short() -> None:
    assert outcome("short_texts", replace(GOOD, short="x" * 61)) == (Ruling.HELD, True)
    assert outcome("short_texts", replace(GOOD, line="x" * 251)) == (Ruling.HELD, True)
