"""Who joined and left since a moment, of a list that changed in every way there is."""

from datetime import UTC, timedelta
from time import perf_counter

import pytest
from sqlalchemy import Engine, text

from subscribers.health.model import ListChange
from subscribers.model import Suppression, SuppressionReason
from tests.container import TestContainer, open_container

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return open_container(engine)


def since_yesterday(container: TestContainer) -> ListChange:
    moment = container.clock.now() - timedelta(days=1)
    return container.list_changes.since(container.newsletter, moment)


def test_only_what_happened_since_counts(container: TestContainer, tmp_path) -> None:
    container.subscribe(tmp_path, {f"early{n}@example.com": "" for n in range(3)})
    container.unsubscribe("early0@example.com")
    assert since_yesterday(container) == ListChange(joined=3, left=1, suppressed=0)
    container.clock.pass_time(days=2)
    assert since_yesterday(container) == ListChange(joined=0, left=0, suppressed=0)

    now = container.clock.now()
    container.subscribe(tmp_path, {f"late{n}@example.com": "" for n in range(2)})
    container.unsubscribe("early1@example.com")
    container.unsubscribe("early1@example.com")  # no second act
    [back] = container.subscriptions.by_email("early0@example.com")
    container.subscriptions.resubscribe(back.id, now=now, source="test")
    container.subscriptions.suppress(
        Suppression(email=email, reason=SuppressionReason.BOUNCE, source="test", since=now)
        for email in ("late0@example.com", "nobody@example.com")
    )
    assert since_yesterday(container) == ListChange(joined=3, left=1, suppressed=1)


def test_an_import_that_was_undone_brought_nobody(container: TestContainer, tmp_path) -> None:
    container.subscribe(tmp_path, {f"r{n}@example.com": "" for n in range(3)})
    [imported] = container.lists.imports(container.newsletter.slug)
    container.lists.undo(imported.id, now=container.clock.now(), actor="ana")
    assert since_yesterday(container).joined == 0


_MANY = """
INSERT INTO subscriber (email, email_key, created_at)
SELECT n || '@example.com', n || '@example.com', '2026-01-01' FROM generate_series(1, 50000) AS n;
INSERT INTO topic_set (slugs) VALUES ('{*}');
INSERT INTO subscription (subscriber_id, newsletter, topic_set_id, zone, status, created_at)
SELECT id, 'technology', 1, 'UTC', 'active', created_at FROM subscriber;
INSERT INTO consent (subscriber_id, newsletter, at, act, source)
SELECT id, 'technology', created_at, 'confirmed', 'test' FROM subscriber ORDER BY id;
INSERT INTO suppression (email_key, reason, source, since)
SELECT email_key, 'bounce', 'test', '2026-01-02' FROM subscriber WHERE id % 10 = 0
"""


def test_a_long_list_is_not_read(container: TestContainer) -> None:
    container.query(_MANY)
    with container.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    assert container.clock.now().tzinfo is UTC
    times: list[float] = []
    for _ in range(5):
        began = perf_counter()
        assert since_yesterday(container) == ListChange(joined=0, left=0, suppressed=0)
        times.append(perf_counter() - began)
    assert min(times) < 0.02
