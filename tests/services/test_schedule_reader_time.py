"""An issue in waves: each reader at the hour of their own clock."""

from datetime import UTC, datetime, time, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from newsletter.core.stored import IssueStatus
from newsletter.core.timetable import wave_moment
from tests.container import TODAY
from tests.services.clockwork import Clockwork, open_clockwork

pytestmark = pytest.mark.postgres

#: By the hour at which it is 06:10 there, in UTC; the issue is planned at 05:30 UTC.
ZONES = {
    "kolkata": ("Asia/Kolkata", "00:40"),
    "berlin": ("Europe/Berlin", "05:10"),
    "paris": ("Europe/Paris", "05:10"),
    "london": ("Europe/London", "06:10"),
    "new-york": ("America/New_York", "11:10"),
    "los-angeles": ("America/Los_Angeles", "14:10"),
}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def open_at_noon(engine: Engine, *, reader_time: bool = True, batch_size: int = 3) -> Clockwork:
    return open_clockwork(
        engine,
        NOON,
        batch_size=batch_size,
        zone="UTC",
        assemble_at=time(5, 30),
        send_at=time(6, 10),
        reader_time=reader_time,
    )


@pytest.fixture
def clockwork(engine: Engine, tmp_path: Path) -> Clockwork:
    clockwork = open_at_noon(engine)
    clockwork.tick()
    subscribe(
        clockwork, tmp_path, {f"{name}@example.com": zone for name, (zone, _) in ZONES.items()}
    )
    clockwork.container.receive("chips")
    return clockwork


def subscribe(clockwork: Clockwork, folder: Path, zones: dict[str, str], topics: str = "") -> None:
    rows = [f"{email},{topics},{zone}" for email, zone in zones.items()]
    path = folder / "zones.csv"
    path.write_text("\n".join(["email,topics,timezone", *rows]))
    clockwork.container.lists.import_list(
        path,
        clockwork.newsletter.slug,
        known_topics=clockwork.newsletter.topic_slugs,
        default_zone="UTC",
        consent_source="test",
        now=clockwork.container.clock.now(),
    )


def today(clock: str) -> datetime:
    return datetime.combine(TODAY, time.fromisoformat(clock), UTC)


def test_each_reader_gets_it_at_their_own_hour_or_at_once_if_that_is_over(clockwork: Clockwork):
    arrived: dict[str, str] = {}
    while clockwork.container.clock.time < today("23:00"):
        clockwork.container.clock.pass_time(minutes=10)
        clockwork.tick()
        clockwork.tick()  # at the cut-off it is assembled, and leaves a look later
        for email in clockwork.container.mailer.addresses:
            arrived.setdefault(email, f"{clockwork.container.clock.time:%d %H:%M}")

    assert arrived == {
        f"{name}@example.com": f"23 {max(hour, '05:30')}" for name, (_, hour) in ZONES.items()
    }
    assert len(clockwork.container.mailer.addresses) == len(ZONES)
    assert clockwork.state(TODAY) is IssueStatus.SENT
    stored = clockwork.container.publishing.issue(clockwork.newsletter, TODAY)
    assert clockwork.container.deliveries.totals(stored.id).sums.adds_up


def test_an_unsubscribe_before_ones_wave_counts(clockwork: Clockwork):
    clockwork.run(today("12:00"))
    clockwork.container.unsubscribe("los-angeles@example.com")
    clockwork.run(today("15:00"))

    assert "new-york@example.com" in clockwork.container.mailer.addresses
    assert "los-angeles@example.com" not in clockwork.container.mailer.addresses
    stored = clockwork.container.publishing.issue(clockwork.newsletter, TODAY)
    assert stored.state is IssueStatus.SENT
    assert clockwork.container.deliveries.totals(stored.id).skips == {"ended": 1}


def test_a_wave_whose_job_got_lost_leaves_at_its_own_moment_still(clockwork: Clockwork):
    clockwork.run(today("07:00"))
    clockwork.container.queue.jobs.clear()
    clockwork.container.recovery.recover()

    assert set(clockwork.container.queue.jobs.values()) == {today("11:10"), today("14:10")}


def test_zones_whose_clocks_agree_share_a_batch(clockwork: Clockwork):
    clockwork.run(today("05:40"))

    assert ["berlin@example.com", "paris@example.com"] in [who for _, who in clockwork.sent()]


def test_a_zone_that_is_no_longer_known_gets_the_newsletters_own_hour(clockwork: Clockwork):
    with clockwork.container.engine.begin() as connection:
        connection.execute(
            text("UPDATE subscription SET zone = 'Mars/Olympus' WHERE zone = 'America/New_York'")
        )
    clockwork.run(today("06:10"), step=timedelta(minutes=5))

    assert "new-york@example.com" in clockwork.container.mailer.addresses


READERS = st.lists(
    st.tuples(
        st.sampled_from(sorted({zone for zone, _ in ZONES.values()} | {"Asia/Kathmandu"})),
        st.sampled_from(["", "chips", "security", "policy"]),
    ),
    min_size=1,
    max_size=16,
)
_serial = count()


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(readers=READERS, size=st.integers(1, 4))
def test_the_plan_gives_each_reader_the_moment_the_core_says(
    engine: Engine, tmp_path: Path, readers: list[tuple[str, str]], size: int
):
    _forget_everything(engine)
    clockwork = open_at_noon(engine, batch_size=size)
    clockwork.container.clock.time = today("04:00")
    people = {f"r{next(_serial)}@example.com": reader for reader in readers}
    for email, (zone, topics) in people.items():
        subscribe(clockwork, tmp_path, {email: zone}, topics)
    clockwork.container.receive("chips", "security")
    stored = clockwork.container.planning.hand_over(clockwork.newsletter, TODAY).issue

    timetable = clockwork.newsletter.timetable
    with engine.begin() as connection:
        rows = connection.execute(
            text("""SELECT email, batch.id, not_before, batch.size, edition_id, ordinal
                      FROM delivery JOIN subscriber ON subscriber.id = subscriber_id
                      JOIN batch ON batch.issue_id = delivery.issue_id
                                AND place BETWEEN first_place AND last_place
                     WHERE delivery.issue_id = :i"""),
            {"i": stored.id},
        ).all()
    assert {row.email: row.not_before for row in rows} == {
        email: wave_moment(timetable, TODAY, zone)
        for email, (zone, topics) in people.items()
        if topics != "policy"
    }
    held = [row.id for row in rows]
    assert all(row.size == held.count(row.id) <= size for row in rows)
    for edition in {row.edition_id for row in rows}:
        ordinals = {row.ordinal for row in rows if row.edition_id == edition}
        assert ordinals == set(range(len(ordinals)))
    assert clockwork.container.deliveries.totals(stored.id).sums.adds_up


def _forget_everything(engine: Engine) -> None:
    with engine.begin() as connection:
        tables = "issue, issue_brief, brief, brief_revision, edition, batch, delivery, exclusion"
        more = "attempt, subscriber, subscription, suppression, topic_set, consent"
        connection.execute(text(f"TRUNCATE {tables}, {more}, split_from CASCADE"))


def test_at_one_hour_for_all_no_batch_waits(engine: Engine, tmp_path: Path):
    clockwork = open_at_noon(engine, reader_time=False)
    subscribe(clockwork, tmp_path, {"a@example.com": "Asia/Kolkata", "b@example.com": "UTC"})
    clockwork.container.receive("chips")
    clockwork.tick()
    clockwork.run(today("06:10"))

    assert [who for _, who in clockwork.sent()] == [["a@example.com", "b@example.com"]]
