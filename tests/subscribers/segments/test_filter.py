"""A filter: what it says, how it is read, and that the database means the same by it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from subscribers.errors import InvalidSegment
from subscribers.model import Frequency, Subscription, SubscriptionStatus, TopicSet
from subscribers.rules.audience import exclusion
from subscribers.segments.filters import Filter, SubscriberState, describe, filter_data, read_filter
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
)
NAMES = sorted(Filter.__dataclass_fields__)
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
    pair=st.sets(st.sampled_from(NAMES), min_size=2, max_size=2),
    readers=READERS,
    suppressed=st.sets(st.integers(0, 7)),
)
def test_the_database_finds_those_whom_the_rule_matches(
    engine: Engine, drawn: Filter, pair: set[str], readers: list[Subscription], suppressed: set[int]
):
    people = {f"r{number}@example.com": reader for number, reader in enumerate(readers)}
    muted = {email for number, email in enumerate(people) if number in suppressed}
    excluded = {
        email: exclusion(
            reader.status, suppressed=email in muted, paused=reader.paused_at is not None
        )
        for email, reader in people.items()
    }
    _fill(engine, people, muted)
    store, asked = Segments(engine), [set[str](), pair, *({name} for name in NAMES)]
    for send, names in enumerate(asked):
        chosen = Filter(**{name: getattr(drawn, name) for name in names})
        expected = [
            email
            for email, reader in people.items()
            if reader.newsletter == "technology"
            and chosen.matches(reader, exclusion=excluded[email], today=TODAY)
        ]
        found = store.sample("technology", chosen, now=NOW, limit=10)
        assert [member.email for member in found] == expected[::-1], chosen
        if chosen != Filter() and not _contradicts(chosen):  # neither can be saved
            store.save("technology", "drawn", chosen, by="anna", now=NOW, replace=True)
            assert store.freeze("technology", "drawn", f"{send}", now=NOW) == len(expected)
        counted = store.count("technology", chosen, now=NOW)
        assert counted.matching == len(expected)
        assert counted.mailable == sum(excluded[email] is None for email in expected), chosen


def _contradicts(chosen: Filter) -> bool:
    since, before = chosen.joined_since, chosen.joined_before
    within, not_within = chosen.engaged_within, chosen.not_engaged_within
    return bool(
        (since and before and since >= before) or (within and not_within and not_within >= within)
    )


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
