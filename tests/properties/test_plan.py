"""The set-based plan, held against the pure core on small audiences."""

from collections import Counter
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from newsletter.core.edition import edition_for
from subscribers.audience import exclusion
from subscribers.model import (
    Exclusion,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
    TopicSet,
)
from tests.house import TECHNOLOGY, open_house

pytestmark = pytest.mark.postgres

TOPICS = st.frozensets(st.sampled_from(TECHNOLOGY.topic_slugs), max_size=3)
READERS = st.lists(
    st.tuples(TOPICS, st.sampled_from(SubscriptionStatus), st.booleans()), max_size=14
)
PRINTED = st.sets(st.sampled_from(TECHNOLOGY.topic_slugs), min_size=1, max_size=4)

_serial = count()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(printed=PRINTED, readers=READERS, size=st.integers(1, 4))
def test_the_plan_is_what_the_core_says_for_each_reader(
    engine: Engine, tmp_path, printed, readers, size
):
    _forget_everything(engine)
    house = open_house(engine, size=size)
    house.receive(*printed)
    people = {f"r{next(_serial)}@example.com": reader for reader in readers}
    house.subscribe(tmp_path, {e: ";".join(sorted(t)) for e, (t, _, _) in people.items()})
    _make_so(house, people)

    filed = house.send()

    planned, excluded = _planned(engine, filed.id), _excluded(engine, filed.id)
    for email, (topics, status, suppressed) in people.items():
        edition = edition_for(filed.issue, TopicSet.of(topics))
        expected = exclusion(status, suppressed=suppressed)
        expected = expected or (None if edition else Exclusion.NO_STORY)
        assert excluded.get(email) == expected
        assert planned.get(email, (None,))[0] == (None if expected else edition.key)
    per_batch = Counter(batch for _, batch in planned.values())
    assert max(per_batch.values(), default=0) <= size
    assert house.deliveries.plan(filed.id, lambda _: None, batch_size=1, now=filed.planned_at) is (
        False
    )
    assert house.inquiry.account(filed).sums.add_up


def _make_so(house, people) -> None:
    now = house.clock.now()
    with house.engine.begin() as connection:
        for email, (_, status, _) in people.items():
            connection.execute(
                text("""UPDATE subscription SET status = :status FROM subscriber
                         WHERE subscriber.id = subscriber_id AND email = :email"""),
                {"status": status, "email": email},
            )
    house.subscriptions.suppress(
        Suppression(email=email, reason=SuppressionReason.BOUNCE, source="test", since=now)
        for email, (_, _, suppressed) in people.items()
        if suppressed
    )


def _forget_everything(engine: Engine) -> None:
    with engine.begin() as connection:
        tables = "issue, issue_brief, brief, brief_revision, edition, batch, delivery, exclusion"
        more = "attempt, subscriber, subscription, suppression, topic_set, consent, decision"
        connection.execute(text(f"TRUNCATE {tables}, {more}"))


def _planned(engine: Engine, issue_id: int) -> dict[str, tuple[str, int]]:
    with engine.begin() as connection:
        rows = connection.execute(
            text("""SELECT email, edition.key, batch.id FROM delivery
                      JOIN subscriber ON subscriber.id = subscriber_id
                      JOIN batch ON batch.id = batch_id JOIN edition ON edition.id = edition_id
                     WHERE delivery.issue_id = :i"""),
            {"i": issue_id},
        )
        return {email: (key, batch) for email, key, batch in rows}


def _excluded(engine: Engine, issue_id: int) -> dict[str, str]:
    with engine.begin() as connection:
        rows = connection.execute(
            text("""SELECT email, reason FROM exclusion
                      JOIN subscriber ON subscriber.id = subscriber_id WHERE issue_id = :i"""),
            {"i": issue_id},
        )
        return {row.email: row.reason for row in rows}
