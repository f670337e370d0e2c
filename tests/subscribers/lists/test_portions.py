"""A list is stored in portions: nobody waits for an import, and it comes to the same."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from errno import ENOSPC
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from subscribers.errors import InvalidList
from subscribers.lists import portions, reader_process, service, staging
from subscribers.lists.service import Lists
from subscribers.model import RowResult, SubscriptionStatus
from subscribers.subscriptions.service import Subscriptions
from tests.subscribers.lists.helpers import NOW, answers, import_text
from tests.waiting import until_somebody_waits

pytestmark = pytest.mark.postgres

MANY = 30_000
READER = "reader-7@example.com"
ROWS = [f"reader-{n % 17}@example.com,{'left' if n % 5 == 0 else 'active'}" for n in range(40)]
LIST = "\n".join(["email,status", *ROWS, "nobody,active", "no-one,active", ""])


def sort_in_short_runs(patched: pytest.MonkeyPatch) -> None:
    """Let a short list be sorted in many runs: rows of one address come in several of them."""
    patched.setattr(reader_process, "_ROWS", 5)
    patched.setattr(staging, "RUN", 1)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions so small that a short list has many."""
    monkeypatch.setattr(staging, "PORTION", 3)
    monkeypatch.setattr(portions, "_PAUSE", 0.01)


def numbered(names: str) -> str:
    rows = (f"reader-{n}@example.com,{names} {n}" for n in range(MANY))
    return "\n".join(["email,name", *rows, ""])


def test_in_many_portions_a_list_comes_to_the_same_as_in_one(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreseen = import_text(engine, tmp_path, LIST, dry_run=True)
    expected = answers(foreseen)
    monkeypatch.setattr(staging, "PORTION", 3)
    assert answers(import_text(engine, tmp_path, LIST, dry_run=True)) == expected
    done = import_text(engine, tmp_path, LIST)
    assert (done.counts, answers(done)) == (foreseen.counts, expected)
    assert Lists(engine).imports()[0].counts == {k.value: n for k, n in done.counts.items()}
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM subscriber")).scalar() == 17


def test_in_many_runs_a_list_comes_to_the_same_as_in_one(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_one = answers(import_text(engine, tmp_path, LIST, dry_run=True))
    sort_in_short_runs(monkeypatch)
    assert answers(import_text(engine, tmp_path, LIST, dry_run=True)) == in_one
    monkeypatch.setattr(staging, "PORTION", 3)
    assert answers(import_text(engine, tmp_path, LIST)) == in_one


def test_a_list_that_breaks_after_runs_were_sorted_stores_nothing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sort_in_short_runs(monkeypatch)
    whole = "".join(f"reader-{n}@example.com,chips\n" for n in range(30))
    with pytest.raises(InvalidList, match="line 32: not CSV"):
        import_text(engine, tmp_path, f'email,topics\n{whole}last@example.com,"chips\n')
    assert not Lists(engine).imports()
    with engine.begin() as connection:
        stored = "SELECT (SELECT count(*) FROM subscriber) + (SELECT count(*) FROM topic_set)"
        assert connection.execute(text(stored)).scalar() == 0


def test_a_reader_does_not_wait_for_a_large_import(engine: Engine, tmp_path: Path) -> None:
    subscriptions, longest = Subscriptions(engine), 0.0
    import_text(engine, tmp_path, numbered("First"))
    [reader] = subscriptions.by_email(READER)
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        running = pool.submit(import_text, engine, tmp_path, numbered("Second"))
        acts = 0
        while not running.done():
            began = time.monotonic()
            subscriptions.rename(reader.id, f"Own {acts}", now=NOW, actor="subscriber")
            longest, acts = max(longest, time.monotonic() - began), acts + 1
        running.result()
        whole = time.monotonic() - started
    assert acts > 3
    assert longest < whole / 3  # in one transaction it would be most of it, on any machine


def test_a_portion_that_must_wait_lets_readers_pass(
    engine: Engine, tmp_path: Path, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody leaves while the import waits for another row: they have left."""
    monkeypatch.setattr(portions, "_PAUSE", 1)  # both acts fall between two tries
    subscriptions = Subscriptions(engine)
    content = "email,name\n" + "".join(f"reader-{n}@example.com,Old\n" for n in range(9))
    import_text(engine, tmp_path, content)
    ids = [subscriptions.by_email(f"reader-{n}@example.com")[0].id for n in range(9)]
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            lock = text("SELECT FROM subscription WHERE id = :id FOR UPDATE")
            connection.execute(lock, {"id": ids[8]})
            running = pool.submit(import_text, engine, tmp_path, content.replace("Old", "New"))
            until_somebody_waits(engine)
            subscriptions.rename(ids[7], "Own", now=NOW, actor="subscriber")
            subscriptions.unsubscribe([ids[7]], now=NOW, source="page")
            assert not running.done()
        report = running.result(timeout=20)
    assert report.counts[RowResult.ENDED] == 1
    assert report.adds_up
    assert subscriptions.by_id(ids[7]).status is SubscriptionStatus.ENDED
    assert subscriptions.by_id(ids[8]).name == "New"


def test_an_import_undone_while_it_runs_stores_nothing_more(
    engine: Engine, tmp_path: Path, few: None
) -> None:
    content = "email\n" + "".join(f"reader-{n}@example.com\n" for n in range(9))
    import_text(engine, tmp_path, content)
    subscriptions = Subscriptions(engine)
    last = subscriptions.by_email("reader-8@example.com")[0].id
    more = "email,name\n" + "".join(f"reader-{n}@example.com,New\n" for n in range(12))
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            lock = text("SELECT FROM subscription WHERE id = :id FOR UPDATE")
            connection.execute(lock, {"id": last})
            running = pool.submit(import_text, engine, tmp_path, more)
            until_somebody_waits(engine)
            number = Lists(engine).imports()[0].id
            Lists(engine).undo(number, now=NOW + timedelta(days=1), actor="operator")
        with pytest.raises(InvalidList, match="undone while it ran"):
            running.result(timeout=20)
    assert subscriptions.by_id(last).name == ""


def test_a_portion_changes_and_records_nothing_of_those_before_it(
    engine: Engine, tmp_path: Path, few: None
) -> None:
    content = "email,name\n" + "".join(f"reader-{n}@example.com,Old\n" for n in range(9))
    import_text(engine, tmp_path, content)
    report = import_text(engine, tmp_path, content.replace("Old", "New"))
    assert report.counts[RowResult.UPDATED] == 9
    with engine.begin() as connection:
        found = connection.execute(text("SELECT count(*) FROM change WHERE what = 'name'"))
        assert found.scalar() == 9


def test_who_renames_themselves_after_their_portion_keeps_that_name(
    engine: Engine, tmp_path: Path, few: None
) -> None:
    subscriptions = Subscriptions(engine)
    content = "email,name\n" + "".join(f"reader-{n}@example.com,Old\n" for n in range(9))
    import_text(engine, tmp_path, content)
    ids = [subscriptions.by_email(f"reader-{n}@example.com")[0].id for n in range(9)]
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            lock = text("SELECT FROM subscription WHERE id = :id FOR UPDATE")
            connection.execute(lock, {"id": ids[8]})
            running = pool.submit(import_text, engine, tmp_path, content.replace("Old", "New"))
            until_somebody_waits(engine)
            assert subscriptions.by_id(ids[0]).name == "New"
            subscriptions.rename(ids[0], "Own", now=NOW, actor="subscriber")
        running.result(timeout=20)
    assert subscriptions.by_id(ids[0]).name == "Own"
    assert subscriptions.by_id(ids[8]).name == "New"


def test_every_subscription_of_every_portion_has_a_link_key_of_its_own(
    engine: Engine, tmp_path: Path, few: None
) -> None:
    rows = "".join(f"reader-{n % 9}@example.com\n" for n in range(11))
    import_text(engine, tmp_path, f"email\n{rows}")
    with engine.begin() as connection:
        keys = connection.execute(text("SELECT link_key FROM subscription")).scalars().all()
    assert len(set(keys)) == 9
    assert {len(key) for key in keys} == {16}


def test_a_list_in_which_no_row_can_be_understood_is_recorded_with_its_counts(
    engine: Engine, tmp_path: Path
) -> None:
    report = import_text(engine, tmp_path, "email,name\nnobody,A\nno-one,B\n")
    assert report.counts[RowResult.REFUSED] == 2
    assert Lists(engine).imports()[0].counts["refused"] == 2
    assert [answer[2] for answer in answers(report)] == ["refused", "refused"]


def test_a_list_whose_results_cannot_be_written_says_that_it_is_stored(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> list[bytes]:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(service, "results_of", full)
    with pytest.raises(OSError, match="No space left on device") as dry:
        import_text(engine, tmp_path, "email\nreader@example.com\n", dry_run=True)
    with pytest.raises(OSError, match="the list itself is stored") as failed:
        import_text(engine, tmp_path, "email\nreader@example.com\n")
    assert dry.value.filename == failed.value.filename == str(tmp_path / "list.results.csv")
    assert "stored" not in str(dry.value)
    assert Lists(engine).imports()[0].counts["added"] == 1
