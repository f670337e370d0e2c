"""The set-based plan, held against the pure core on small audiences."""

from collections import Counter
from functools import partial
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from newsletter.core.edition import edition_for
from newsletter.core.publication import Readers
from newsletter.core.stored import IssueStatus
from subscribers.model import (
    Exclusion,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
    TopicSet,
)
from subscribers.rules.audience import exclusion
from tests.container import TODAY, open_container
from tests.settings import TECHNOLOGY

pytestmark = pytest.mark.postgres

TOPICS = st.frozensets(st.sampled_from(TECHNOLOGY.topic_slugs), max_size=3)
READERS = st.lists(
    st.tuples(
        TOPICS,
        st.sampled_from(SubscriptionStatus),
        st.booleans(),
        st.sampled_from(["", "paused", "pause over", "weekly", "outside"]),
    ),
    max_size=14,
)
PRINTED = st.sets(st.sampled_from(TECHNOLOGY.topic_slugs), min_size=1, max_size=4)

_serial = count()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(printed=PRINTED, readers=READERS, size=st.integers(1, 4), segment=st.booleans())
def test_the_plan_is_what_the_core_says_for_each_reader(
    engine: Engine, tmp_path, printed, readers, size, segment
):
    _forget_everything(engine)
    container = open_container(engine, batch_size=size)
    container.receive(*printed)
    people = {f"r{next(_serial)}@example.com": reader for reader in readers}
    container.subscribe(tmp_path, {e: ";".join(sorted(t)) for e, (t, *_) in people.items()})
    _make_so(container, people)

    stored = container.publishing.assemble(TECHNOLOGY, TODAY)
    if stored.state is IssueStatus.APPROVED:
        container.subscriptions.end_expired_pauses(container.clock.now())
        _plan(container, stored, size, segment="insiders" if segment else None)
    planned, excluded = _planned(engine, stored.id), _excluded(engine, stored.id)
    for email, (topics, status, suppressed, ways) in people.items():
        edition = edition_for(stored.issue, TopicSet.of(topics))
        expected = exclusion(status, suppressed=suppressed, paused=ways == "paused")
        if not expected and ways == "weekly":
            expected = Exclusion.OTHER_FREQUENCY
        if not expected and segment and ways == "outside":
            expected = Exclusion.OUTSIDE_SEGMENT
        expected = expected or (None if edition else Exclusion.NO_STORY)
        assert excluded.get(email) == expected
        assert planned.get(email, (None,))[0] == (None if expected else edition.key)
    per_batch = Counter(batch for _, batch in planned.values())
    assert max(per_batch.values(), default=0) <= size
    assert not _plan(container, stored, size, segment=None)  # a second plan plans nothing
    assert container.deliveries.totals(stored.id).sums.adds_up


def _plan(container, stored, size: int, *, segment: str | None) -> bool:
    return container.deliveries.plan(
        stored.id,
        partial(edition_for, stored.issue),
        batch_size=size,
        now=container.clock.now(),
        readers=Readers(newsletter=TECHNOLOGY.slug, segment=segment),
    )


_WAYS = """
    UPDATE subscription SET
           paused_at = CASE WHEN :ways LIKE 'pause%' THEN CAST(:now AS timestamptz) END,
           paused_until = CASE :ways WHEN 'paused' THEN :now + interval '1 day'
                                     WHEN 'pause over' THEN CAST(:now AS timestamptz) END,
           frequency = CASE :ways WHEN 'weekly' THEN 'weekly' ELSE 'daily' END
      FROM subscriber WHERE subscriber.id = subscriber_id AND email = :email
"""

_INSIDERS = """
    INSERT INTO segment_member (send, subscription_id)
    SELECT 'insiders', subscription.id
      FROM subscription JOIN subscriber ON subscriber.id = subscriber_id WHERE email = ANY(:emails)
"""


def _make_so(container, people) -> None:
    now = container.clock.now()
    with container.engine.begin() as connection:
        insiders = [email for email, (*_, ways) in people.items() if ways != "outside"]
        connection.execute(text(_INSIDERS), {"emails": insiders})
        for email, (_, status, _, ways) in people.items():
            values = {"email": email, "ways": ways, "now": now}
            connection.execute(text(_WAYS), values)
            connection.execute(
                text("""UPDATE subscription SET status = :status FROM subscriber
                         WHERE subscriber.id = subscriber_id AND email = :email"""),
                {"status": status, "email": email},
            )
    container.subscriptions.suppress(
        Suppression(email=email, reason=SuppressionReason.BOUNCE, source="test", since=now)
        for email, (_, _, suppressed, _) in people.items()
        if suppressed
    )


def _forget_everything(engine: Engine) -> None:
    with engine.begin() as connection:
        tables = "issue, issue_brief, brief, brief_revision, edition, batch, delivery, exclusion"
        more = "attempt, subscriber, subscription, suppression, topic_set, consent"
        more += ", segment_member, split_from, pending_unsubscribe"
        connection.execute(text(f"TRUNCATE {tables}, {more} CASCADE"))


def _planned(engine: Engine, issue_id: int) -> dict[str, tuple[str, int]]:
    with engine.begin() as connection:
        rows = connection.execute(
            text("""SELECT email, edition.key, batch.id FROM delivery
                      JOIN subscriber ON subscriber.id = subscriber_id
                      JOIN batch ON batch.issue_id = delivery.issue_id
                                AND place BETWEEN first_place AND last_place
                      JOIN edition ON edition.id = edition_id
                     WHERE delivery.issue_id = :i"""),
            {"i": issue_id},
        )
        return {email: (key, batch) for email, key, batch in rows}


def _excluded(engine: Engine, issue_id: int) -> dict[str, str]:
    with engine.begin() as connection:
        rows = connection.execute(
            text("""SELECT email, reason FROM exclusion
                      JOIN subscriber ON subscriber.id - first = ANY(offsets)
                     WHERE issue_id = :i"""),
            {"i": issue_id},
        )
        return {row.email: row.reason for row in rows}
