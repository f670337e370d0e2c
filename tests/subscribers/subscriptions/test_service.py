import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from subscribers.db.consent import apply_consent
from subscribers.db.transaction import transaction
from subscribers.errors import InvalidLink, NoSuchSubscriber, NoSuchSubscription
from subscribers.model import (
    ConsentAct,
    Purpose,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
    TopicSet,
)
from subscribers.records.service import Records
from subscribers.rules.consent import status_after
from subscribers.rules.suppression import weightier
from subscribers.subscriptions.service import Subscriptions
from subscribers.tokens import make_token
from tests.subscribers.lists.helpers import NOW, import_text

pytestmark = pytest.mark.postgres


@pytest.fixture
def subscriptions(engine: Engine) -> Subscriptions:
    return Subscriptions(engine)


@pytest.fixture
def reader(subscriptions: Subscriptions, engine: Engine, tmp_path: Path) -> Subscription:
    import_text(engine, tmp_path, "email,topics\nReader@example.com,chips\n")
    return subscriptions.by_email("reader@EXAMPLE.com")[0]


def evidence(engine: Engine) -> list[tuple[str, str]]:
    with engine.begin() as connection:
        found = connection.execute(text("SELECT act, source FROM consent ORDER BY id"))
        return [(row.act, row.source) for row in found]


def suppression(reason: SuppressionReason, days: int = 0) -> Suppression:
    since = NOW + timedelta(days=days)
    return Suppression(email="Reader@example.com", reason=reason, source=f"{reason}", since=since)


def test_a_subscriber_is_found_however_the_address_is_typed(reader: Subscription) -> None:
    assert reader.email == "Reader@example.com"
    assert reader.topics == TopicSet.of(["chips"])
    assert reader.status is SubscriptionStatus.ACTIVE
    assert len(reader.link_key) == 16


def test_nobody_is_found_under_a_strange_address_or_number(subscriptions: Subscriptions) -> None:
    with pytest.raises(NoSuchSubscriber):
        subscriptions.by_email("nobody@example.com")
    with pytest.raises(NoSuchSubscription):
        subscriptions.by_id(1)


def test_a_link_opens_its_subscription_for_its_purpose(
    subscriptions: Subscriptions, reader: Subscription
) -> None:
    token = make_token(Purpose.UNSUBSCRIBE, reader.id, reader.link_key)
    assert subscriptions.by_token(Purpose.UNSUBSCRIBE, token) == reader
    with pytest.raises(InvalidLink):
        subscriptions.by_token(Purpose.PREFERENCES, token)


def test_a_link_to_a_subscription_that_is_not_there_is_refused(
    subscriptions: Subscriptions, reader: Subscription
) -> None:
    for number in (reader.id + 1, 2**48 - 1):
        with pytest.raises(InvalidLink):
            subscriptions.by_token(
                Purpose.UNSUBSCRIBE, make_token(Purpose.UNSUBSCRIBE, number, reader.link_key)
            )


def test_links_are_followed_together_as_each_would_be_alone(
    subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    names = ("one", "two", "merged", "kept", "stays")
    import_text(engine, tmp_path, "\n".join(["email", *(f"{one}@example.com" for one in names)]))
    found = {one: subscriptions.by_email(f"{one}@example.com")[0] for one in names}
    Records(engine).merge(
        found["kept"].subscriber_id, found["merged"].subscriber_id, actor="operator", now=NOW
    )
    link = {
        name: make_token(Purpose.UNSUBSCRIBE, one.id, one.link_key) for name, one in found.items()
    }
    other = make_token(Purpose.PREFERENCES, found["stays"].id, found["stays"].link_key)
    forged = make_token(Purpose.UNSUBSCRIBE, found["stays"].id, b"x" * 16)
    tokens = [link["one"], "nonsense", link["two"], other, forged, link["one"], link["merged"]]

    left = subscriptions.unsubscribe_by_links(tokens, {"technology"}, now=NOW, source="link")

    slug = "technology"
    assert left == (slug, None, slug, None, None, slug, slug)
    active = {name for name, one in found.items() if subscriptions.by_id(one.id).status == "active"}
    assert active == {"stays"}
    assert [act for act, _ in evidence(engine)].count("withdrawn") == 3
    assert subscriptions.unsubscribe_by_links([], {slug}, now=NOW, source="link") == ()
    assert subscriptions.unsubscribe_by_links(
        [link["stays"]], {"another"}, now=NOW, source="link"
    ) == (None,)


def test_unsubscribing_twice_is_one_unsubscribe(
    subscriptions: Subscriptions, reader: Subscription, engine: Engine
) -> None:
    assert subscriptions.unsubscribe([reader.id], now=NOW, source="link") == 1
    assert subscriptions.unsubscribe([reader.id, reader.id], now=NOW, source="event") == 0
    assert subscriptions.by_id(reader.id).status is SubscriptionStatus.ENDED
    assert evidence(engine) == [("withdrawn", "link")]


def test_an_unsubscribe_can_be_undone_by_its_subscriber(
    subscriptions: Subscriptions, reader: Subscription, engine: Engine
) -> None:
    subscriptions.unsubscribe([reader.id], now=NOW, source="link")
    resumed = subscriptions.resubscribe(reader.id, now=NOW, source="page")
    assert resumed == reader
    assert evidence(engine)[-1] == ("resumed", "page")
    with engine.begin() as connection:
        assert connection.execute(text("SELECT ended_at FROM subscription")).scalar() is None


def test_resuming_does_not_lift_a_suppression(
    subscriptions: Subscriptions, reader: Subscription
) -> None:
    subscriptions.suppress([suppression(SuppressionReason.COMPLAINT)])
    subscriptions.resubscribe(reader.id, now=NOW, source="page")
    assert subscriptions.counts("technology").mailable == 0


def test_a_choice_of_topics_is_kept_with_its_evidence_once(
    subscriptions: Subscriptions, reader: Subscription, engine: Engine
) -> None:
    choice = TopicSet.of(["policy", "chips"])
    for _ in range(2):
        chosen = subscriptions.choose_topics(reader.id, choice, now=NOW, source="page")
        assert chosen.topics == choice
    with engine.begin() as connection:
        kept = connection.execute(text("SELECT detail FROM consent WHERE act = 'chose'"))
        assert kept.scalars().all() == [{"topics": ["chips", "policy"]}]


def test_choosing_topics_undoes_no_unsubscribe(
    subscriptions: Subscriptions, reader: Subscription
) -> None:
    subscriptions.unsubscribe([reader.id], now=NOW, source="link")
    chosen = subscriptions.choose_topics(reader.id, TopicSet.of([]), now=NOW, source="page")
    assert chosen.status is SubscriptionStatus.ENDED
    assert chosen.topics == TopicSet.of([])


def test_choosing_for_nobody_is_an_error(subscriptions: Subscriptions) -> None:
    with pytest.raises(NoSuchSubscription):
        subscriptions.choose_topics(7, TopicSet.of([]), now=NOW, source="page")


def test_a_complaint_is_not_weakened_by_a_later_bounce(subscriptions: Subscriptions) -> None:
    complaint = suppression(SuppressionReason.COMPLAINT)
    assert subscriptions.suppress([suppression(SuppressionReason.BOUNCE)]) == 1
    assert subscriptions.suppress([complaint]) == 1
    assert subscriptions.suppress([suppression(SuppressionReason.BOUNCE, days=1)]) == 0
    found = subscriptions.suppression(" READER@example.com")
    assert found is not None
    assert (found.reason, found.source) == (complaint.reason, complaint.source)


def test_of_several_reasons_at_once_the_weightiest_and_earliest_is_kept(
    subscriptions: Subscriptions,
) -> None:
    bounces = [suppression(SuppressionReason.BOUNCE, days) for days in (3, 1, 2)]
    assert subscriptions.suppress([suppression(SuppressionReason.INVALID), *bounces]) == 1
    found = subscriptions.suppression("reader@example.com")
    assert found is not None
    assert found.reason is SuppressionReason.BOUNCE
    assert found.since == NOW + timedelta(days=1)


def test_an_address_nobody_subscribed_with_can_be_suppressed(subscriptions: Subscriptions) -> None:
    assert subscriptions.suppression("reader@example.com") is None
    subscriptions.suppress([suppression(SuppressionReason.MANUAL)])
    assert subscriptions.suppression("reader@example.com") is not None


def test_no_suppressions_and_no_unsubscribes_are_nothing(subscriptions: Subscriptions) -> None:
    assert subscriptions.suppress([]) == 0
    assert subscriptions.unsubscribe([], now=datetime.now(UTC), source="link") == 0


def test_every_subscription_is_counted_once(
    subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    lines = "".join(f"reader{number}@example.com\n" for number in range(5))
    import_text(engine, tmp_path, f"email\n{lines}")
    first, second = (
        subscriptions.by_email(f"reader{number}@example.com")[0] for number in range(2)
    )
    subscriptions.unsubscribe([first.id, second.id], now=NOW, source="link")
    gone = Suppression(
        email=second.email, reason=SuppressionReason.BOUNCE, source="event", since=NOW
    )
    subscriptions.suppress([gone])
    counts = subscriptions.counts("technology")
    assert (counts.mailable, counts.ended, counts.suppressed, counts.paused) == (3, 1, 1, 0)
    assert counts.subscriptions == 5
    assert subscriptions.counts("another").subscriptions == 0


@pytest.mark.parametrize("act", ConsentAct)
def test_the_store_moves_a_subscription_as_the_rule_does(
    engine: Engine, reader: Subscription, act: ConsentAct
) -> None:
    store = Subscriptions(engine)
    for status in SubscriptionStatus:
        with engine.begin() as connection:
            connection.execute(text("UPDATE subscription SET status = :status"), {"status": status})
        with transaction(engine) as session:
            moved = apply_consent(session, [reader.id], act, at=NOW, source="test")
        found = store.by_id(reader.id)
        assert found.status is status_after(status, act)
        assert moved == (found.status is not status)


def test_the_store_weighs_reasons_as_the_rule_does(engine: Engine) -> None:
    store = Subscriptions(engine)
    for number, (stands, said) in enumerate(itertools.product(SuppressionReason, repeat=2)):
        email = f"reader{number}@example.com"
        for reason in (stands, said):
            store.suppress([Suppression(email=email, reason=reason, source="x", since=NOW)])
        found = store.suppression(email)
        assert found is not None
        assert found.reason is (said if weightier(stands, said) else stands)
