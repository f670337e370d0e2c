"""The last day of a human open or click: it comes by events, and only moves on."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import Engine, text

from newsletter.adapters.sendgrid.webhook import SendGridEvents
from newsletter.services.event_intake import Feedback
from tests.house import TestHouse, open_house
from tests.signing import Seal, body_of

pytestmark = pytest.mark.postgres

SEAL = Seal()
READERS = ["a@example.com", "b@example.com", "c@example.com"]
_serial = count()


class Post:
    """A house whose letters are out, and the webhook's way in."""

    def __init__(self, house: TestHouse) -> None:
        self.house = house
        self.feedback = Feedback(
            source=SendGridEvents(SEAL.public_key),
            events=house.events,
            subscriptions=house.subscriptions,
            clock=house.clock,
        )
        [(_, _, self.claim)] = house.mailer.asked

    def event(self, word: str, email: str, at: datetime, **more: object) -> dict[str, object]:
        [delivery_id] = [r.delivery_id for r in self.claim.recipients if r.email == email]
        return {
            "email": email,
            "event": word,
            "timestamp": int(at.timestamp()),
            "sg_event_id": f"event-{next(_serial)}",
            "nl_delivery": str(delivery_id),
            "nl_attempt": self.claim.attempt_id,
        } | more

    def hear(self, *events: dict[str, object]) -> None:
        body = body_of(*events)
        self.feedback.accept(body, SEAL.headers(body))

    def engaged_on(self, email: str) -> date | None:
        [subscription] = self.house.subscriptions.by_email(email)
        return subscription.engaged_on


@pytest.fixture
def post(engine: Engine, tmp_path) -> Post:
    house = open_house(engine)
    house.receive("chips")
    house.subscribe(tmp_path, dict.fromkeys(READERS, ""))
    house.post()
    house.clock.pass_time(days=5)
    return Post(house)


def test_the_day_of_a_human_open_or_click_is_kept_and_only_moves_on(post: Post):
    first, now = datetime(2026, 11, 23, 23, 59, tzinfo=UTC), post.house.clock.now()
    later = post.event("click", READERS[0], now)
    post.hear(
        post.event("open", READERS[0], first),
        post.event("open", READERS[1], first),
        post.event("open", READERS[1], first + timedelta(minutes=2)),
        post.event("delivered", READERS[2], first),
        post.event("open", READERS[2], first, sg_machine_open=True),
    )
    assert [post.engaged_on(email) for email in READERS] == [
        date(2026, 11, 23),
        date(2026, 11, 24),
        None,
    ]

    for _ in range(2):  # also told twice, and the older news last
        post.hear(later)
        post.hear(post.event("click", READERS[0], first))
    assert post.engaged_on(READERS[0]) == now.date()


def test_a_clock_that_runs_ahead_of_ours_engages_nobody_in_the_future(post: Post):
    now = post.house.clock.now()
    post.hear(post.event("open", READERS[0], now + timedelta(days=400)))
    assert post.engaged_on(READERS[0]) == now.date()


def test_news_of_someone_erased_since_does_no_harm(post: Post):
    event = post.event("open", READERS[0], post.house.clock.now())
    with post.house.engine.begin() as connection:
        connection.execute(text("DELETE FROM subscription"))
    post.hear(event | {"nl_delivery": "987654321"}, event)
    with post.house.engine.begin() as connection:
        kept = connection.execute(text("SELECT count(*) FROM delivery_event")).scalar_one()
    assert kept == 1  # both bear one event's id
