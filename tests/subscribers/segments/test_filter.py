"""A filter: what it says, how it is read, and that the database means the same by it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from newsletter.core.results import ResultWord, words_of
from subscribers.errors import InvalidSegment
from subscribers.model import Frequency, Subscription, SubscriptionStatus, TopicSet
from subscribers.rules.audience import exclusion
from subscribers.segments.filter_reader import filter_data, read_filter
from subscribers.segments.filter_sentence import describe
from subscribers.segments.filters import Filter, SubscriberState
from subscribers.segments.issues import IssueRef, LeftIssue, Letters
from subscribers.segments.service import Segments

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
TOPICS = ("chips", "policy", "security")


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_a_filter_is_read_as_a_command_line_spells_it_and_as_json():
    typed = read_filter(
        {
            "topics": ["chips,policy"],
            "tags": [],
            "tags-none": "lapsed",
            "zones": ["Europe"],
            "joined-since": "2026-01-01",
            "engaged-within": "30",
            "status": "mailable",
            "source": None,
        },
        known_topics=TOPICS,
        known_zones=["Europe/Berlin"],
    )
    assert typed == Filter(
        topics=frozenset({"chips", "policy"}),
        tags_none=frozenset({"lapsed"}),
        zones=frozenset({"Europe"}),
        joined_since=date(2026, 1, 1),
        engaged_within=30,
        status=SubscriberState.MAILABLE,
    )
    assert read_filter(filter_data(typed)) == typed
    assert describe(typed) == (
        "everyone who may be written to, with a choice of chips or policy, not tagged lapsed, "
        "in Europe, who joined on 2026-01-01 or later, who opened or clicked within 30 days"
    )


def test_alternatives_are_read_written_and_said():
    either = read_filter(
        {
            "any_of": [
                {"domains": "@Example.COM,bücher.example", "not_opened": ["2026-11-20", "last-3"]},
                {"clicked_stories": [12, "7"], "opened": "technology-weekly/last-1"},
            ],
        }
    )
    first, second = either.any_of
    assert first.domains == {"example.com", "xn--bcher-kva.example"}
    assert second.opened == {IssueRef(newsletter="technology-weekly", latest=1)}
    assert read_filter(filter_data(either)) == either
    assert filter_data(second)["opened"] == ["technology-weekly/last-1"]
    assert describe(either) == (
        "everyone, at example.com or xn--bcher-kva.example, who got one of the last 3 issues or "
        "the issue of 2026-11-20 and opened none; or everyone, who opened the last issue of "
        "technology-weekly, who followed the link of the story 12 or 7"
    )
    some = read_filter({"status": "mailable", "any-of": [{"tags": "a"}, {"tags": "b"}]})
    assert describe(some) == (
        "everyone who may be written to, and of them everyone, tagged a; or everyone, tagged b"
    )


@pytest.mark.parametrize(
    "said, shown",
    [
        ({"colour": "red"}, "there is no filter 'colour'; choose from: topics, tags"),
        ({"topics": "chips,fish"}, "topics: there is no 'fish'; choose from: chips, policy"),
        ({"zones": "Berlin"}, "zones: there is no 'Berlin'; choose from: names like Europe/Berlin"),
        ({"topics": 3}, "topics: 3 is not a text"),
        ({"tags": "a\x00b"}, "tags: 'a\\x00b'… is no name"),
        ({"status": "gone"}, "status: 'gone' is none of mailable, active, paused"),
        ({"frequency": "hourly"}, "frequency: 'hourly' is none of daily, weekly"),
        ({"domains": "example"}, "domains: 'example' is not a domain like example.com"),
        ({"opened": "yesterday"}, "opened: 'yesterday' is no issue: give its date"),
        ({"opened": "last-0"}, "opened: 'last-0' is no issue"),
        ({"not-opened": "2026-02-30"}, "not-opened: '2026-02-30' is not a date"),
        ({"clicked-stories": "one"}, "clicked-stories: 'one' is not the number of a brief"),
        ({"any-of": "chips"}, "any-of: this is no list of filters"),
        ({"any-of": [{"tags": "a"}, {}]}, "one of the alternatives says nothing"),
        ({"any-of": [{"any-of": [{"tags": "a"}]}]}, "any-of: an alternative has no alternatives"),
        ({"any-of": [{"topics": "fish"}]}, "topics: there is no 'fish'"),
        ({"joined-since": "yesterday"}, "joined-since: 'yesterday' is not a date like"),
        ({"joined_since": "2026-02-30"}, "joined-since: '2026-02-30' is not a date"),
        ({"engaged-within": "soon"}, "engaged-within: 'soon' is not a number of days"),
        ({"engaged-within": True}, "engaged-within: True is not a number"),
        ({"not-engaged-within": 0}, "not-engaged-within: 0 is not a number of days, 1 to"),
        (
            {"joined-since": "2026-02-01", "joined-before": "2026-02-01"},
            "joined-before: 2026-02-01 is not after joined-since",
        ),
        (
            {"engaged-within": 30, "not-engaged-within": 90},
            "not-engaged-within: must be fewer days",
        ),
    ],
)
def test_a_slip_is_answered_with_the_field_it_is_in(said, shown):
    with pytest.raises(InvalidSegment) as refused:
        read_filter(said, known_topics=TOPICS, known_zones=["Europe/Berlin", "UTC"])
    assert str(refused.value).startswith(shown)


WORDS = st.frozensets(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2)
DAYS = st.integers(1, 4)
#: The issues that left: of the newsletter itself, and its digest.
LEFT = {
    "technology": (days_ago(1), days_ago(2), days_ago(4)),
    "technology-weekly": (days_ago(3),),
}
ISSUES = st.frozensets(
    st.builds(IssueRef, day=st.sampled_from([*LEFT["technology"], TODAY]))
    | st.builds(IssueRef, latest=st.integers(1, 2))
    | st.just(IssueRef(newsletter="technology-weekly", latest=3)),
    min_size=1,
    max_size=2,
)
#: What events said of a letter, in bits of `reported`: of machines, people, what came back.
REPORTED = (0, 1, 1 | 4, 1 | 2, 1 | 8, 16, 1 | 1024, 512 | 8, 128)
FILTERS = st.builds(
    Filter,
    topics=st.frozensets(st.sampled_from([*TOPICS, "*"]), min_size=1, max_size=2),
    tags=WORDS,
    tags_all=WORDS,
    tags_none=WORDS,
    status=st.sampled_from(SubscriberState),
    frequency=st.sampled_from(Frequency),
    zones=st.frozensets(st.sampled_from(["Europe", "Europe/Berlin", "UTC"]), min_size=1),
    source=st.sampled_from(["import", "import 1", "sign-up page"]),
    joined_since=DAYS.map(days_ago),
    joined_before=DAYS.map(days_ago),
    engaged_within=DAYS,
    not_engaged_within=DAYS,
    domains=st.frozensets(st.sampled_from(["example.com", "example.org"]), min_size=1),
    not_domains=st.frozensets(st.sampled_from(["example.com", "example.org"]), min_size=1),
    received=ISSUES,
    opened=ISSUES,
    not_opened=ISSUES,
    clicked=ISSUES,
    not_clicked=ISSUES,
    clicked_stories=st.frozensets(st.sampled_from([1, 2]), min_size=1),
)
NAMES = sorted(Filter.__dataclass_fields__.keys() - {"any_of"})
READERS = st.lists(
    st.builds(
        Subscription,
        id=st.just(0),
        subscriber_id=st.just(0),
        email=st.just(""),
        newsletter=st.sampled_from(["technology", "technology", "science"]),
        topics=st.frozensets(st.sampled_from(TOPICS), max_size=2).map(TopicSet.of),
        zone=st.sampled_from(["Europe/Berlin", "Europe/Paris", "UTC", "America/New_York"]),
        status=st.sampled_from([*SubscriptionStatus, SubscriptionStatus.ACTIVE]),
        link_key=st.just(b""),
        frequency=st.sampled_from(Frequency),
        paused_at=st.none() | st.just(NOW),
        tags=(WORDS | st.just(frozenset())).map(lambda tags: tuple(sorted(tags))),
        source=st.sampled_from(["import 1", "import 12", "sign-up page"]),
        joined=st.integers(0, 10).map(lambda half: NOW - timedelta(hours=12 * half)),
        engaged_on=st.none() | st.integers(0, 5).map(days_ago),
    ),
    min_size=4,
    max_size=8,
)

_ADD = """
WITH reader AS (
    INSERT INTO subscriber (email, email_key, created_at) VALUES (:email, :email, now())
    RETURNING id
), choice AS (
    INSERT INTO topic_set (slugs) VALUES (:slugs)
    ON CONFLICT (slugs) DO UPDATE SET slugs = excluded.slugs RETURNING id
)
INSERT INTO subscription (subscriber_id, newsletter, topic_set_id, zone, status, created_at,
                          frequency, paused_at, tags, source, engaged_on)
SELECT reader.id, :newsletter, choice.id, :zone, :status, :joined, :frequency, :paused_at,
       :tags, :source, :engaged_on
FROM reader, choice
"""
_MUTE = """
INSERT INTO suppression (email_key, reason, source, since) VALUES (:email, 'bounce', 't', now())
"""


@pytest.mark.postgres
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    drawn=FILTERS,
    other=FILTERS,
    events=st.lists(
        st.tuples(*[st.none() | st.sampled_from(REPORTED)] * 4), min_size=8, max_size=8
    ),
    clicks=st.lists(st.sampled_from([0, 1, 2, 3]), min_size=8, max_size=8),
    pair=st.sets(st.sampled_from(NAMES), min_size=2, max_size=2),
    readers=READERS,
    suppressed=st.sets(st.integers(0, 7)),
)
def test_the_database_finds_those_whom_the_rule_matches(
    engine: Engine,
    drawn: Filter,
    other: Filter,
    events: list[tuple[int | None, ...]],
    clicks: list[int],
    pair: set[str],
    readers: list[Subscription],
    suppressed: set[int],
):
    people = {
        email: replace(reader, email=email)
        for number, reader in enumerate(readers)
        for email in [f"r{number}@example.{('com', 'org')[number % 2]}"]
    }
    letters = {
        email: letters_of(reported, hands)
        for email, reported, hands in zip(people, events, clicks, strict=False)
    }
    muted = {email for number, email in enumerate(people) if number in suppressed}
    excluded = {
        email: exclusion(
            reader.status, suppressed=email in muted, paused=reader.paused_at is not None
        )
        for email, reader in people.items()
    }
    _fill(engine, people, muted)
    _fill_letters(engine, list(zip(people, events, clicks, strict=False)))
    first, second = pair
    either = Filter(any_of=(_only(drawn, pair), _only(other, {first}), _only(drawn, {second})))
    store, asked = Segments(engine), [set[str](), pair, *({name} for name in NAMES)]
    filters = [either, replace(either, status=drawn.status), *(_only(drawn, one) for one in asked)]
    for send, chosen in enumerate(filters):
        expected = [
            email
            for email, reader in people.items()
            if reader.newsletter == "technology"
            and chosen.matches(
                reader, exclusion=excluded[email], today=TODAY, letters=letters[email]
            )
        ]
        found = store.sample("technology", chosen, now=NOW, limit=10)
        assert [member.email for member in found] == expected[::-1], chosen
        if chosen != Filter() and not _contradicts(chosen):  # neither can be saved
            store.save("technology", "drawn", chosen, by="anna", now=NOW, replace=True)
            assert store.freeze("technology", "drawn", f"{send}", now=NOW) == len(expected)
        counted = store.count("technology", chosen, now=NOW)
        assert counted.matching == len(expected)
        assert counted.mailable == sum(excluded[email] is None for email in expected), chosen


def _only(drawn: Filter, names: set[str]) -> Filter:
    return Filter(**{name: getattr(drawn, name) for name in names})


def letters_of(reported: tuple[int | None, ...], hands: int) -> Letters:
    """Return what `newsletter.core.results` says of what events reported of each issue."""
    words = {
        LeftIssue(slug, day): words_of(bits)
        for (slug, day), bits in zip(_ISSUES, reported, strict=True)
        if bits is not None
    }

    def with_word(word: ResultWord) -> frozenset[LeftIssue]:
        arrived = ResultWord.ARRIVED
        return frozenset(one for one, said in words.items() if {word, arrived} <= said)

    return Letters(
        left=LEFT,
        received=with_word(ResultWord.ARRIVED),
        opened=with_word(ResultWord.OPENED),
        clicked=with_word(ResultWord.CLICKED),
        stories=frozenset({1} if hands & 1 and reported[0] is not None else ()),
    )


_ISSUES = [(slug, day) for slug, days in LEFT.items() for day in days]


def _contradicts(chosen: Filter) -> bool:
    since, before = chosen.joined_since, chosen.joined_before
    within, not_within = chosen.engaged_within, chosen.not_engaged_within
    return bool(
        (since and before and since >= before)
        or (within and not_within and not_within >= within)
        or any(map(_contradicts, chosen.any_of))
    )


_ADD_ISSUES = """
INSERT INTO issue (id, newsletter, date, state, assembled_at, planned_at)
SELECT place, newsletter, date, 'sent', now(), now()
FROM unnest(CAST(:slugs AS text[]), CAST(:days AS date[]))
     WITH ORDINALITY AS given (newsletter, date, place)
"""
_ADD_STORY = """
INSERT INTO issue (id, newsletter, date, state, assembled_at)
VALUES (99, 'technology', current_date, 'draft', now());
INSERT INTO brief (id, key, digest, pillar, title, content, ruling, findings, received_at,
                   revised_at)
VALUES (1, 'one', 'one', '', '', '{}', '', '[]', now(), now());
INSERT INTO issue_brief (issue_id, position, newsletter, brief_id, revision, content, lead)
VALUES (1, 1, 'technology', 1, 1, '{}', true);
"""
_ADD_DELIVERY = """
WITH one AS (
    INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id, reported)
    SELECT :issue, id, id, 0, :reported FROM subscriber WHERE email = :email
    RETURNING issue_id, place)
INSERT INTO story_click (issue_id, place, brief_id, hands)
SELECT issue_id, place, 1, :hands FROM one WHERE :issue = 1 AND :hands > 0
"""


def _fill_letters(engine: Engine, given: list[tuple[str, tuple[int | None, ...], int]]) -> None:
    with engine.begin() as connection:
        for table in ("story_click", "delivery", "issue_brief", "issue", "brief"):
            connection.execute(text(f"DELETE FROM {table}"))
        values = {"slugs": [slug for slug, _ in _ISSUES], "days": [day for _, day in _ISSUES]}
        connection.execute(text(_ADD_ISSUES), values)
        connection.execute(text(_ADD_STORY))
        for email, reported, hands in given:
            for issue, bits in enumerate(reported, start=1):
                if bits is not None:
                    values = {"issue": issue, "reported": bits, "email": email, "hands": hands}
                    connection.execute(text(_ADD_DELIVERY), values)


def _fill(engine: Engine, people: dict[str, Subscription], muted: set[str]) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("TRUNCATE subscriber, subscription, topic_set, suppression, segment_member")
        )
        for email, reader in people.items():
            values = {
                "email": email,
                "engaged_on": reader.engaged_on,
                "frequency": reader.frequency.value,
                "joined": reader.joined,
                "newsletter": reader.newsletter,
                "paused_at": reader.paused_at,
                "slugs": sorted(reader.topics.slugs),
                "source": reader.source,
                "status": reader.status.value,
                "tags": list(reader.tags),
                "zone": reader.zone,
            }
            connection.execute(text(_ADD), values)
        for email in muted:
            connection.execute(text(_MUTE), {"email": email})
