"""The last day of a human open or click: it comes by events, and only moves on."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import Engine, text

from tests.container import TestContainer, open_container

pytestmark = pytest.mark.postgres

READERS = ["a@example.com", "b@example.com", "c@example.com"]
_serial = count()


class SentIssue:
    """An issue that was sent, and the events of its deliveries."""

    def __init__(self, container: TestContainer) -> None:
        self.container = container
        [(_, _, self.claim)] = container.mailer.asked

    def event(self, word: str, email: str, at: datetime, **more: object) -> dict[str, object]:
        [place] = [r.place for r in self.claim.recipients if r.email == email]
        return {
            "email": email,
            "event": word,
            "timestamp": int(at.timestamp()),
            "sg_event_id": f"event-{next(_serial)}",
            "nl_issue": str(self.claim.issue_id),
            "nl_delivery": str(place),
            "nl_attempt": self.claim.attempt_id,
            "nl_installation": self.claim.installation_id,
        } | more

    def engaged_on(self, email: str) -> date | None:
        [subscription] = self.container.subscriptions.by_email(email)
        return subscription.engaged_on


@pytest.fixture
def sent(engine: Engine, tmp_path) -> SentIssue:
    container = open_container(engine)
    container.receive("chips")
    container.subscribe(tmp_path, dict.fromkeys(READERS, ""))
    container.send_issue()
    container.clock.pass_time(days=5)
    return SentIssue(container)


def test_the_day_of_a_human_open_or_click_is_kept_and_only_moves_on(sent: SentIssue):
    first, now = datetime(2026, 11, 23, 23, 59, tzinfo=UTC), sent.container.clock.now()
    later = sent.event("click", READERS[0], now)
    sent.container.receive_events(
        sent.event("open", READERS[0], first),
        sent.event("open", READERS[1], first),
        sent.event("open", READERS[1], first + timedelta(minutes=2)),
        sent.event("delivered", READERS[2], first),
        sent.event("open", READERS[2], first, sg_machine_open=True),
    )
    assert [sent.engaged_on(email) for email in READERS] == [
        date(2026, 11, 23),
        date(2026, 11, 24),
        None,
    ]

    for _ in range(2):  # also shown twice, and the older news last
        sent.container.receive_events(later)
        sent.container.receive_events(sent.event("click", READERS[0], first))
    assert sent.engaged_on(READERS[0]) == now.date()


def test_a_clock_that_runs_ahead_of_ours_engages_nobody_in_the_future(sent: SentIssue):
    now = sent.container.clock.now()
    sent.container.receive_events(sent.event("open", READERS[0], now + timedelta(days=400)))
    assert sent.engaged_on(READERS[0]) == now.date()


def test_news_of_someone_erased_since_does_no_harm(sent: SentIssue):
    event = sent.event("open", READERS[0], sent.container.clock.now())
    with sent.container.engine.begin() as connection:
        connection.execute(text("DELETE FROM subscription"))
    sent.container.receive_events(event | {"nl_delivery": "987654321"}, event)
    with sent.container.engine.begin() as connection:
        kept = connection.execute(text("SELECT count(*) FROM delivery_event")).scalar_one()
    assert kept == 2  # one is about a delivery of ours


def test_who_got_opened_and_clicked_an_issue_is_a_segment_and_no_machine_is(sent: SentIssue):
    now, newsletter = sent.container.clock.now(), sent.container.newsletter
    [(on, brief_id, url)] = sent.container.query(
        "SELECT date, brief_id, content -> 'source' ->> 'url' FROM issue_brief"
        " JOIN issue ON issue.id = issue_id"
    )
    sent.container.receive_events(
        *(sent.event("delivered", email, now) for email in READERS),
        sent.event("click", READERS[0], now, url=url),
        sent.event("open", READERS[1], now, sg_machine_open=True),
    )

    def members(**said: object) -> list[str]:
        segments = sent.container.segments
        chosen = segments.read(newsletter.slug, said, newsletter.topic_slugs)
        found = segments.sample(newsletter.slug, chosen, now=now)
        return sorted(one.email for one in found)

    assert members(received=f"{on}") == READERS
    assert members(opened=f"{on}") == members(clicked_stories=f"{brief_id}") == READERS[:1]
    assert members(not_opened="last-2") == members(not_clicked=f"{on}") == READERS[1:]
