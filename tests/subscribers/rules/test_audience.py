"""The audience view against the pure rule, and: who unsubscribed stays unwritten to."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from subscribers.model import (
    Purpose,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
    TopicSet,
)
from subscribers.rules.audience import exclusion
from subscribers.subscriptions.service import Subscriptions
from subscribers.tokens import make_token
from tests.subscribers.lists.helpers import NOW, import_text

pytestmark = pytest.mark.postgres

# Each example clears the one database the fixture lends.
ONE_DATABASE = [HealthCheck.function_scoped_fixture]
Population = list[tuple[SubscriptionStatus, SuppressionReason | None, bool]]

readers = st.lists(
    st.tuples(
        st.sampled_from(SubscriptionStatus),
        st.none() | st.sampled_from(SuppressionReason),
        st.booleans(),
    ),
    max_size=6,
)

CLEAR = "TRUNCATE subscriber, subscription, suppression, consent, topic_set, list_import"
ADD = """
WITH reader AS (
    INSERT INTO subscriber (email, email_key, created_at)
    VALUES (:email, lower(:email), now()) RETURNING id
), choice AS (
    INSERT INTO topic_set (slugs) VALUES (ARRAY[:email]) RETURNING id
)
INSERT INTO subscription
    (subscriber_id, newsletter, topic_set_id, zone, status, created_at, paused_at)
SELECT reader.id, 'technology', choice.id, 'UTC', :status, now(), CASE WHEN :paused THEN now() END
FROM reader, choice
"""
SUPPRESS = """
INSERT INTO suppression (email_key, reason, source, since)
VALUES (lower(:email), :reason, 'test', now())
"""


@settings(max_examples=40, deadline=None, suppress_health_check=ONE_DATABASE)
@given(population=readers)
def test_the_view_says_of_everyone_what_the_rule_says_of_one(
    engine: Engine, population: Population
) -> None:
    expected = {
        f"Reader{number}@example.com": exclusion(
            status, suppressed=reason is not None, paused=paused
        )
        for number, (status, reason, paused) in enumerate(population)
    }
    with engine.begin() as connection:
        connection.execute(text(CLEAR))
        connection.execute(text(SUPPRESS), {"email": "stranger@example.com", "reason": "bounce"})
        for email, (status, reason, paused) in zip(expected, population, strict=True):
            values = {"email": email, "status": status.value, "paused": paused}
            connection.execute(text(ADD), values)
            if reason:
                connection.execute(text(SUPPRESS), {"email": email, "reason": reason.value})
        found = connection.execute(text("SELECT email, exclusion FROM audience")).all()
    assert dict(map(tuple, found)) == expected
    assert len(found) == len(expected)


acts = st.lists(
    st.sampled_from(["import", "unsubscribe", "choose", "suppress", "complain", "import all"]),
    min_size=1,
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=ONE_DATABASE)
@given(before=acts, ending=st.sampled_from(["unsubscribe", "suppress", "complain"]), after=acts)
def test_nothing_but_the_subscriber_undoes_an_unsubscribe(
    engine: Engine, before: list[str], ending: str, after: list[str]
) -> None:
    with engine.begin() as connection:
        connection.execute(text(CLEAR))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        import_text(engine, folder, "email\nreader@example.com\n")
        for act in (*before, ending):
            perform(act, engine, folder)
        for act in after:
            perform(act, engine, folder)
            assert mailable(engine) == []


def perform(act: str, engine: Engine, folder: Path) -> None:
    subscriptions = Subscriptions(engine)
    (reader,) = subscriptions.by_email("reader@example.com")
    if act.startswith("import"):
        topics = "chips;policy" if act == "import" else "*"
        content = f"email,topics\nREADER@example.com,{topics}\n"
        report = import_text(engine, folder, content)
        assert report.rows == 1
        assert report.adds_up
    elif act == "unsubscribe":
        token = make_token(Purpose.UNSUBSCRIBE, reader.id, reader.link_key)
        found = subscriptions.by_token(Purpose.UNSUBSCRIBE, token)
        subscriptions.unsubscribe([found.id], now=NOW, source="link")
    elif act == "choose":
        subscriptions.choose_topics(reader.id, TopicSet.of(["chips"]), now=NOW, source="page")
    else:
        reason = SuppressionReason.COMPLAINT if act == "complain" else SuppressionReason.BOUNCE
        subscriptions.suppress(
            [Suppression(email=reader.email, reason=reason, source="event", since=NOW)]
        )


def mailable(engine: Engine) -> list[str]:
    with engine.begin() as connection:
        found = connection.execute(text("SELECT email FROM audience WHERE exclusion IS NULL"))
        return list(found.scalars())
