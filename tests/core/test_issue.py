"""Issues: what is chosen for a day, in which order, and how much of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.brief import Brief, Importance, Verification
from newsletter.core.issue import Candidate, Issue, IssueEntry, assemble
from newsletter.core.publication import (
    ApprovalPolicy,
    Caps,
    Mailbox,
    Newsletter,
    Order,
    Timetable,
    Weekday,
)

_DAY = date(2026, 11, 23)
_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_MAILBOX = Mailbox(email="daily@news.example.com", name="Technology Daily")
_NEWSLETTER = Newsletter(
    slug="technology",
    name="Technology Daily",
    pillar="Technology",
    tagline="",
    language="en",
    topics=(),
    sender=_MAILBOX,
    reply_to=_MAILBOX,
    unsubscribe_email="leave@news.example.com",
    list_id="technology.news.example.com",
    postal_address="1 Example Street",
    timetable=Timetable(
        zone="Europe/Berlin", days=(Weekday.MON,), assemble_at=time(5), send_at=time(6)
    ),
    minimum_verification=Verification.PARTIAL,
    caps=Caps(briefs=4, briefs_per_topic=2, leads=1, age_hours=36),
    order=Order.IMPORTANCE,
    approval=ApprovalPolicy.AUTOMATIC,
)


def _candidate(
    brief_id: int,
    *topics: str,
    importance: Importance = Importance.MEDIUM,
    hours: int = 0,
    published: bool = True,
    key: str = "",
) -> Candidate:
    brief = Brief(
        key=key or str(brief_id),
        title=f"Story {brief_id}",
        pillar="Technology",
        summary="",
        importance=importance,
        published=_NOON + timedelta(hours=hours) if published else None,
    )
    topics = topics or (f"topic-{brief_id}",)
    entry = IssueEntry(brief_id=brief_id, revision=2, brief=brief, topics=topics)
    return entry, _NOON + timedelta(hours=hours)


def _ids(*candidates: Candidate, newsletter: Newsletter = _NEWSLETTER) -> list[int]:
    issue = assemble(newsletter, _DAY, 1, candidates)
    return [entry.brief_id for entry in issue.entries]


def test_the_weightiest_comes_first_then_the_newest() -> None:
    low = _candidate(1, importance=Importance.LOW, hours=3)
    old = _candidate(2, importance=Importance.HIGH, hours=1)
    new = _candidate(3, importance=Importance.HIGH, hours=2)
    assert _ids(low, old, new) == [3, 2, 1]


def test_by_newest_weight_does_not_count() -> None:
    newest = replace(_NEWSLETTER, order=Order.NEWEST)
    heavy = _candidate(1, importance=Importance.HIGH, hours=1)
    light = _candidate(2, importance=Importance.LOW, hours=2)
    assert _ids(heavy, light, newsletter=newest) == [2, 1]


def test_a_brief_without_a_date_is_as_old_as_its_receipt() -> None:
    undated = _candidate(1, hours=2, published=False)
    assert _ids(_candidate(2, hours=1), undated, _candidate(3, hours=3)) == [3, 1, 2]


def test_equals_keep_the_order_of_receipt() -> None:
    assert _ids(_candidate(9), _candidate(2), _candidate(5)) == [2, 5, 9]


def test_an_issue_holds_no_more_than_its_caps() -> None:
    assert _ids(*(_candidate(n) for n in range(1, 7))) == [1, 2, 3, 4]


def test_a_topic_holds_no_more_than_its_cap_and_leaves_places_for_others() -> None:
    chips = [_candidate(n, "chips", "policy") for n in (1, 2, 3)]
    assert _ids(*chips, _candidate(4, "policy")) == [1, 2, 4]


def test_no_story_is_printed_twice() -> None:
    first, again = _candidate(1, key="same"), _candidate(2, key="same", hours=-1)
    assert _ids(again, first) == [1]


def test_only_the_first_ones_lead() -> None:
    issue = assemble(_NEWSLETTER, _DAY, 1, [_candidate(1), _candidate(2)])
    assert [entry.lead for entry in issue.entries] == [True, False]


def test_an_entry_keeps_revision_and_topics_and_stands_under_the_first() -> None:
    [entry] = assemble(_NEWSLETTER, _DAY, 8, [_candidate(1, "chips", "policy")]).entries
    assert (entry.revision, entry.topics, entry.section) == (2, ("chips", "policy"), "chips")


def test_a_day_without_candidates_is_an_issue_without_entries() -> None:
    issue = assemble(_NEWSLETTER, _DAY, 8, [])
    assert issue == Issue(newsletter="technology", date=_DAY, number=8, entries=())


def test_a_part_of_an_issue_keeps_order_and_place() -> None:
    issue = assemble(_NEWSLETTER, _DAY, 1, [_candidate(n) for n in (1, 2, 3)])
    part = issue.only([3, 1, 99])
    assert part.entries == (issue.entries[0], issue.entries[2])
    assert (part.date, part.number) == (issue.date, issue.number)


_candidates = st.lists(
    st.builds(
        _candidate,
        st.integers(1, 30),
        st.sampled_from(["chips", "policy", "robotics"]),
        importance=st.sampled_from(Importance),
        hours=st.integers(-5, 5),
        key=st.sampled_from("abcdefgh"),
    ),
    max_size=12,
    unique_by=lambda one: one[0].brief_id,
)


@given(candidates=_candidates, data=st.data())
def test_the_same_candidates_make_the_same_issue_in_whatever_order_they_come(
    candidates: list[Candidate], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(candidates))
    assert _ids(*candidates) == _ids(*shuffled)


@given(candidates=_candidates)
def test_an_issue_respects_every_cap_and_repeats_nothing(candidates: list[Candidate]) -> None:
    entries = assemble(_NEWSLETTER, _DAY, 1, candidates).entries
    sections = [entry.section for entry in entries]
    assert len(entries) <= 4
    assert max(map(sections.count, sections), default=0) <= 2
    assert len({entry.brief.key for entry in entries}) == len(entries)
    assert [entry.lead for entry in entries] == [place < 1 for place in range(len(entries))]
