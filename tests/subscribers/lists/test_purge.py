"""Purging an undone import: what it alone brought goes, and nothing of anybody else."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from subscribers.errors import NoSuchImport, NotUndone
from subscribers.lists import purge
from subscribers.lists.purge import Purged
from tests.container import TestContainer, one_request, open_container

pytestmark = pytest.mark.postgres

NAMES = ("alone", "read", "muted", "elsewhere", "asked", "left", "unread")


@pytest.fixture
def container(engine: Engine, tmp_path: Path) -> TestContainer:
    """Return one where import 2 was undone, of which some have something of their own."""
    container = open_container(engine)
    container.subscribe(tmp_path, {"before@example.com": ""})
    container.subscribe(tmp_path, {f"{name}@example.com": "" for name in NAMES})
    container.query(one_request())
    container.query(
        "INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id)"
        " SELECT 1, 1, id, 0 FROM subscriber WHERE email = 'read@example.com'"
    )
    container.query(
        "INSERT INTO suppression (email_key, reason, source, since)"
        " VALUES ('muted@example.com', 'bounce', 't', now())"
    )
    container.subscribe(tmp_path, {"elsewhere@example.com": ""}, newsletter="science")
    container.query(
        "INSERT INTO signup (newsletter, email, email_key, topics, zone, asked_at, expires_at)"
        " VALUES ('technology', 'asked@example.com', 'asked@example.com', '{*}', 'UTC', now(),"
        " now())"
    )
    container.unsubscribe("left@example.com")
    now = container.clock.now() + timedelta(hours=1)
    container.lists.undo(2, now=now, actor="an operator")
    return container


def addresses(container: TestContainer) -> set[str]:
    return {email.partition("@")[0] for (email,) in container.query("SELECT email FROM subscriber")}


def test_what_the_import_alone_brought_goes_in_portions_and_the_log_says_it(
    container: TestContainer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(purge, "PORTION", 2)
    kept = {"written_to": 1, "suppressed": 1, "subscribed": 1, "signed_up": 1}
    assert container.import_purging.count(2) == Purged(
        import_id=2, dry_run=True, removed=2, kept=kept
    )
    assert len(addresses(container)) == 8

    seen: list[int] = []
    done = container.import_purging.run(2, actor="ada", on_progress=seen.append)
    assert (done.removed, done.kept, seen) == (2, kept, [2, 4, 6])
    assert addresses(container) == {"before", "read", "muted", "elsewhere", "asked", "left"}
    orphans = "SELECT count(*) FROM {} WHERE subscriber_id NOT IN (SELECT id FROM subscriber)"
    for table in ("subscription", "consent", "change"):
        assert container.query(orphans.format(table)) == [(0,)], table
    logged = container.query("SELECT verb, detail FROM decision WHERE subject = 'import 2'")
    counts = {"removed": 2, "kept": 4}
    assert logged == [("begin purge", counts), ("purge", counts)]
    assert container.import_purging.run(2, actor="ada").removed == 0


def test_whom_a_purge_removed_a_later_list_may_add(container: TestContainer, tmp_path: Path):
    container.import_purging.run(2, actor="ada")
    container.subscribe(tmp_path, {"alone@example.com": "chips"})
    [one] = container.subscriptions.by_email("alone@example.com")
    assert one.undone_at is None


@pytest.mark.parametrize(("minutes", "stay"), [(-1, 0), (30, 2), (61, 0)])
def test_whoever_may_have_got_a_letter_that_was_let_go_stays(
    container: TestContainer, minutes: int, stay: int
):
    """Its links must work, however long ago it was; the import was undone after an hour."""
    planned_at = container.clock.now() + timedelta(minutes=minutes)
    container.query("UPDATE issue SET list = 'technology', planned_at = :at", at=planned_at)
    before = container.import_purging.count(2)
    assert container.letter_releases.summarize([1]) == ()
    assert container.import_purging.count(2).removed == before.removed - stay


def test_an_import_that_counts_or_never_was_is_refused(container: TestContainer):
    for number, error in ((1, NotUndone), (99, NoSuchImport)):
        with pytest.raises(error):
            container.import_purging.count(number)
    assert len(addresses(container)) == 8
