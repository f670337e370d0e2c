from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from subscribers.errors import NoSuchImport
from subscribers.lists.service import Lists
from subscribers.model import Frequency, Kept, Subscription, SubscriptionStatus, TopicSet
from subscribers.subscriptions.service import Subscriptions
from tests.subscribers.lists.helpers import NOW, import_text

pytestmark = pytest.mark.postgres

LATER = NOW + timedelta(hours=1)
HEADER = "email,name,topics,timezone,tags,status\n"


@pytest.fixture
def lists(engine: Engine) -> Lists:
    return Lists(engine)


@pytest.fixture
def subscriptions(engine: Engine) -> Subscriptions:
    return Subscriptions(engine)


def imported(engine: Engine, folder: Path, rows: str) -> int:
    number = import_text(engine, folder, HEADER + rows).import_id
    assert number
    return number


def everybody(engine: Engine) -> list[tuple]:
    """Return all that counts of a list."""
    query = """
        SELECT audience.email, name, subscription.* FROM audience
        JOIN subscription ON subscription.id = subscription_id
        JOIN subscriber ON subscriber.id = audience.subscriber_id ORDER BY 1
    """
    with engine.begin() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_what_an_import_added_goes_and_what_it_changed_comes_back(
    lists: Lists, subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    imported(engine, tmp_path, "old@example.com,A,chips,Asia/Tokyo,x,\n")
    before = everybody(engine)
    rows = "old@example.com,B,policy,UTC,y,\nnew@example.com,,,,,\n"
    number = imported(engine, tmp_path, rows)
    assert len(everybody(engine)) == 2
    dry = lists.undo(number, now=LATER, actor="an operator", dry_run=True)
    assert len(everybody(engine)) == 2
    undone = lists.undo(number, now=LATER, actor="an operator")
    assert (undone.removed, undone.restored, undone.kept) == (1, 1, ())
    assert (dry.removed, dry.restored, dry.dry_run) == (1, 1, True)
    assert everybody(engine) == before
    assert subscriptions.counts("technology").subscriptions == 1


def test_undone_twice_is_once(lists: Lists, engine: Engine, tmp_path: Path) -> None:
    number = imported(engine, tmp_path, "a@example.com,,,,,\n")
    lists.undo(number, now=LATER, actor="an operator")
    imported(engine, tmp_path, "a@example.com,,,,,\n")
    before = everybody(engine)
    again = lists.undo(number, now=LATER, actor="an operator")
    assert (again.before, again.removed) == (True, 0)
    assert everybody(engine) == before
    latest, first = lists.imports()
    assert (first.id, first.undone_at, latest.undone_at) == (number, LATER, None)
    with pytest.raises(NoSuchImport, match="no import 99"):
        lists.undo(99, now=LATER, actor="an operator")


def choose(subscriptions: Subscriptions, reader: Subscription) -> None:
    subscriptions.choose_topics(reader.id, TopicSet.of(["chips"]), now=LATER, source="page")


def leave(subscriptions: Subscriptions, reader: Subscription) -> None:
    subscriptions.unsubscribe([reader.id], now=LATER, source="link")


def change(subscriptions: Subscriptions, reader: Subscription) -> None:
    subscriptions.set_frequency(reader.id, Frequency.WEEKLY, now=LATER, actor="subscriber")


@pytest.mark.parametrize(
    ("act", "why"), [(choose, "chose"), (leave, "withdrawn"), (change, "changed frequency")]
)
def test_whoever_did_something_since_stays_and_is_named(
    lists: Lists,
    subscriptions: Subscriptions,
    engine: Engine,
    tmp_path: Path,
    act: object,
    why: str,
) -> None:
    number = imported(engine, tmp_path, "a@example.com,,,,,\nb@example.com,,,,,\n")
    (reader,) = subscriptions.by_email("a@example.com")
    act(subscriptions, reader)  # type: ignore[operator]
    undone = lists.undo(number, now=LATER, actor="an operator")
    assert undone.removed == 1
    assert undone.kept == (Kept(email="a@example.com", why=why),)
    assert [row[0] for row in everybody(engine)] == ["a@example.com"]


def test_what_was_changed_since_stays_as_it_is(
    lists: Lists, subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    imported(engine, tmp_path, "a@example.com,A,chips,Asia/Tokyo,,\n")
    number = imported(engine, tmp_path, "a@example.com,B,policy,UTC,,\n")
    (reader,) = subscriptions.by_email("a@example.com")
    subscriptions.choose_topics(reader.id, TopicSet.of(["security"]), now=LATER, source="page")
    lists.undo(number, now=LATER, actor="an operator")
    (after,) = subscriptions.by_email("a@example.com")
    assert (after.name, after.zone, after.topics) == ("A", "Asia/Tokyo", TopicSet.of(["security"]))


def test_unsubscribes_and_suppressions_that_an_import_brought_stay(
    lists: Lists, subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    imported(engine, tmp_path, "here@example.com,,,,,\n")
    rows = "here@example.com,,,,,left\ngone@example.com,,,,,left\nbad@example.com,,,,,bounced\n"
    number = imported(engine, tmp_path, rows)
    before = everybody(engine)
    undone = lists.undo(number, now=LATER, actor="an operator")
    assert (undone.removed, undone.unsubscribes, undone.suppressions) == (0, 2, 1)
    assert undone.kept == ()
    assert everybody(engine) == before
    assert subscriptions.suppression("bad@example.com")


def test_evidence_of_the_removed_is_kept_with_a_note(
    lists: Lists, engine: Engine, tmp_path: Path
) -> None:
    number = imported(engine, tmp_path, "a@example.com,,,,,\n")
    lists.undo(number, now=LATER, actor="an operator")
    with engine.begin() as connection:
        (row,) = connection.execute(text("SELECT act, at, source, detail FROM consent")).all()
    assert (row.act, row.at, row.source) == ("imported", NOW, f"import {number}")
    assert row.detail["statement"] == "the sign-up page of 2024"
    assert (row.detail["line"], row.detail["undone_by"]) == (2, "an operator")
    assert imported(engine, tmp_path, "a@example.com,,,,,\n") == number + 1
    assert len(everybody(engine)) == 1


def test_a_later_list_adds_anew_what_was_undone(
    lists: Lists, subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    first = imported(engine, tmp_path, "a@example.com,A,chips,Asia/Tokyo,x,\n")
    (before,) = subscriptions.by_email("a@example.com")
    lists.undo(first, now=LATER, actor="an operator")
    report = import_text(engine, tmp_path, HEADER + "a@example.com,B,policy,,y,\n", now=LATER)
    assert report.counts["added"] == report.rows == 1
    (after,) = subscriptions.by_email("a@example.com")
    assert (after.id, after.link_key) == (before.id, before.link_key)
    assert (after.status, after.undone_at) == (SubscriptionStatus.ACTIVE, None)
    assert (after.topics, after.zone, after.tags) == (TopicSet.of(["policy"]), "UTC", ("y",))
    assert (after.joined, after.source) == (LATER, f"import {report.import_id}")
    second = lists.undo(report.import_id or 0, now=LATER, actor="an operator")
    assert (second.removed, second.kept) == (1, ())
    assert everybody(engine) == []


def test_a_pause_goes_with_what_is_undone(
    lists: Lists, subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    number = imported(engine, tmp_path, "a@example.com,,,,,paused\n")
    assert subscriptions.by_email("a@example.com")[0].paused_at
    lists.undo(number, now=LATER, actor="an operator")
    imported(engine, tmp_path, "a@example.com,,,,,\n")
    assert subscriptions.by_email("a@example.com")[0].paused_at is None


def test_a_later_list_that_knows_of_an_unsubscribe_counts_for_what_was_undone(
    lists: Lists, subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    lists.undo(imported(engine, tmp_path, "a@example.com,,,,,\n"), now=LATER, actor="an operator")
    number = imported(engine, tmp_path, "a@example.com,,,,,left\n")
    undone = lists.undo(number, now=LATER, actor="an operator")
    assert (undone.removed, undone.unsubscribes) == (0, 1)
    assert subscriptions.counts("technology").ended == 1
    again = import_text(engine, tmp_path, HEADER + "a@example.com,,,,,\n")
    assert again.counts["ended"] == 1


def test_what_other_lists_changed_does_not_come_back_over_what_was_added_anew(
    lists: Lists, subscriptions: Subscriptions, engine: Engine, tmp_path: Path
) -> None:
    added = imported(engine, tmp_path, "a@example.com,,chips,,,\n")
    changed = imported(engine, tmp_path, "a@example.com,,policy,,,\n")
    lists.undo(added, now=LATER, actor="an operator")
    imported(engine, tmp_path, "a@example.com,,policy,,,\n")
    assert lists.undo(changed, now=LATER, actor="an operator").restored == 0
    assert subscriptions.by_email("a@example.com")[0].topics == TopicSet.of(["policy"])
