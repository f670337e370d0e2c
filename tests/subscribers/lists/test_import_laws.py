"""Nobody who left, here or elsewhere, is written to because of a list; and a list twice is once."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from subscribers.model import (
    RowResult,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)
from subscribers.subscriptions.service import Subscriptions
from tests.subscribers.lists.helpers import NOW, answers, import_text

pytestmark = pytest.mark.postgres

READER = "reader@example.com"
CLEAR = "TRUNCATE subscriber, subscription, suppression, suppression_lift, list_import, consent"


@pytest.fixture
def subscriptions(engine: Engine) -> Subscriptions:
    return Subscriptions(engine)


def shown(engine: Engine, folder: Path, content: str, **options: object) -> list[tuple[str, str]]:
    return [answer[2:] for answer in answers(import_text(engine, folder, content, **options))]


def stored(engine: Engine) -> list[list[tuple]]:
    tables = ("subscriber", "subscription", "topic_set", "consent", "suppression", "change")
    with engine.begin() as connection:
        return [[tuple(row) for row in connection.execute(text(f"TABLE {t}"))] for t in tables]


def test_whoever_left_elsewhere_leaves_here_too(
    subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    import_text(engine, tmp_path, f"email\n{READER}\n")
    gone = f"email,status,left\n{READER},unsubscribed,2026-01-05\n"
    assert shown(engine, tmp_path, gone) == [("ended", "left, in the list")]
    assert subscriptions.by_email(READER)[0].status is SubscriptionStatus.ENDED
    before = stored(engine)
    assert shown(engine, tmp_path, gone)[0][0] == "ended"
    assert stored(engine) == before


@pytest.mark.parametrize("date", ["2026-01-05", ""])
def test_an_unsubscribe_undone_here_does_not_count_again(
    subscriptions: Subscriptions, engine: Engine, tmp_path: Path, date: str
) -> None:
    import_text(engine, tmp_path, f"email\n{READER}\n")
    gone = f"email,status,left\n{READER},unsubscribed,{date}\n"
    import_text(engine, tmp_path, gone)
    (reader,) = subscriptions.by_email(READER)
    subscriptions.resubscribe(reader.id, now=NOW + timedelta(days=1), source="page")
    later = NOW + timedelta(days=2)
    assert shown(engine, tmp_path, gone, now=later) == [
        ("unchanged", "has resubscribed here since")
    ]
    newer = f"email,status,left\n{READER},unsubscribed,2026-03-04\n"
    assert shown(engine, tmp_path, newer, now=later)[0][0] == "ended"


def test_a_lifted_suppression_does_not_come_back_with_an_old_list(
    subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    bounced = f"email,status\n{READER},bounced\n"
    assert shown(engine, tmp_path, bounced) == [("suppressed", "bounce in the list")]
    assert shown(engine, tmp_path, bounced) == [("suppressed", "bounce")]
    subscriptions.lift(READER, now=NOW + timedelta(days=1))
    assert shown(engine, tmp_path, bounced) == [("unchanged", "bounce was lifted here since")]
    assert subscriptions.suppression(READER) is None
    complained = f"email,status\n{READER},complained\n"
    assert shown(engine, tmp_path, complained)[0][0] == "suppressed"
    found = subscriptions.suppression(READER)
    assert found
    assert found.reason is SuppressionReason.COMPLAINT


def test_an_unsubscribe_is_stored_also_where_the_address_is_suppressed_already(
    subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    bounce = Suppression(email=READER, reason=SuppressionReason.BOUNCE, source="event", since=NOW)
    subscriptions.suppress([bounce])
    assert shown(engine, tmp_path, f"email,status\n{READER},left\n") == [("suppressed", "bounce")]
    subscriptions.lift(READER, now=NOW)
    assert shown(engine, tmp_path, f"email\n{READER}\n")[0][0] == "ended"


def test_of_two_rows_of_one_address_the_unsubscribe_counts(
    subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    rows = f"{READER},active\n{READER},bounced\nREADER@example.com,left\n"
    assert shown(engine, tmp_path, f"email,status\n{rows}") == [
        ("refused", "the same address as line 3"),
        ("suppressed", "bounce in the list"),
        ("refused", "the same address as line 3"),
    ]
    assert subscriptions.by_email(READER)[0].status is SubscriptionStatus.ENDED


def test_whoever_was_forgotten_stays_forgotten(engine: Engine, tmp_path: Path) -> None:
    import_text(engine, tmp_path, "email\nother@example.com\n")  # its choice of topics is stored
    with engine.begin() as connection:
        key = connection.execute(text("SELECT key FROM installation_key WHERE name = 'erasure'"))
        digest = sha256(key.scalar_one() + READER.encode()).digest()
        connection.execute(text("INSERT INTO erasure VALUES (:hash, now())"), {"hash": digest})
    before = stored(engine)
    content = f"email,status\nReader@Example.com,active\n{READER},bounced\n"
    assert shown(engine, tmp_path, content) == [
        ("refused", "the same address as line 3"),
        ("erased", "asked to be forgotten, which a list does not undo"),
    ]
    assert stored(engine) == before


def test_a_paused_reader_comes_paused_and_an_import_ends_no_pause(
    subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    paused = f"email,status,paused until\n{READER},paused,2031-01-01\n"
    assert shown(engine, tmp_path, paused)[0][0] == "added"
    (reader,) = subscriptions.by_email(READER)
    assert reader.paused_at == NOW
    assert reader.paused_until
    assert shown(engine, tmp_path, f"email,status\n{READER},active\n")[0][0] == "unchanged"
    assert subscriptions.by_email(READER)[0] == reader


def test_a_merged_address_is_that_of_whom_it_was_merged_into(
    subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    import_text(engine, tmp_path, f"email,topics\n{READER},chips\n")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO subscriber (email, email_key, created_at, merged_into)"
                " SELECT 'old@example.com', 'old@example.com', now(), id FROM subscriber"
            )
        )
    rows = "email,topics,status\nold@example.com,policy,active\n"
    assert shown(engine, tmp_path, rows) == [("updated", "topics")]
    assert subscriptions.by_email(READER)[0].topics.slugs == {"policy"}
    assert shown(engine, tmp_path, "email,status\nold@example.com,left\n")[0][0] == "ended"
    assert subscriptions.by_email(READER)[0].status is SubscriptionStatus.ENDED


WORDS = ["active", "left", "bounced", "complained", "paused", "pending", "??", ""]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a@example.com", "B@example.com", "b@example.com", "nobody"]),
        st.sampled_from(WORDS),
        st.sampled_from(["chips", "policy;chips", "gossip", ""]),
        st.sampled_from(["", "2026-01-01", "2027-01-01"]),
    ),
    max_size=6,
)


def listed(rows: list[tuple[str, ...]]) -> str:
    return "\n".join(["email,status,topics,left", *(",".join(row) for row in rows), ""])


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=ROWS, second=ROWS)
def test_any_lists_dry_or_twice_and_nobody_who_left_is_written_to(
    engine: Engine, tmp_path: Path, first: list[tuple[str, ...]], second: list[tuple[str, ...]]
) -> None:
    with engine.begin() as connection:
        connection.execute(text(CLEAR))
    left: set[str] = set()
    for rows in (first, second):
        before = stored(engine)
        dry = import_text(engine, tmp_path, listed(rows), dry_run=True)
        foreseen = answers(dry)
        assert stored(engine) == before
        done = import_text(engine, tmp_path, listed(rows))
        assert done.adds_up
        assert (done.counts, answers(done)) == (dry.counts, foreseen)
        after = stored(engine)
        again = import_text(engine, tmp_path, listed(rows))
        assert stored(engine) == after
        assert not again.counts[RowResult.ADDED] + again.counts[RowResult.UPDATED]
        left |= {row[0].lower() for row in rows if row[1] in {"left", "bounced", "complained"}}
        with engine.begin() as connection:
            mailable = connection.execute(
                text("SELECT lower(email) FROM audience WHERE exclusion IS NULL")
            ).scalars()
            assert left.isdisjoint(mailable)
