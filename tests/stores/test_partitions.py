"""Partitions are made ahead of time, and no statement reads one that it was not asked about."""

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine

from newsletter import stores
from newsletter.adapters.leadership import AdvisoryLeadership
from newsletter.core.stored import IssueStatus
from newsletter.errors import PartitionMissing
from newsletter.stores import partitions
from newsletter.stores.look_up import LOOK_UP
from newsletter.stores.partitions import PartitionStore, range_of
from subscribers.errors import DatabaseBusy
from tests.container import TODAY, TestContainer, one_request, open_container

pytestmark = pytest.mark.postgres

OLD, ISSUE, NEW = 1, 33, 65  #: an issue in each of three partitions
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return open_container(engine)


def attached(container: TestContainer, table: str = "delivery") -> list[str]:
    sql = f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{table}'::regclass"
    return sorted((name for (name,) in container.query(sql)), key=lambda name: (len(name), name))


def store(container: TestContainer, issue: int) -> None:
    container.query(one_request(issue))


@pytest.mark.parametrize(
    "highest, made",
    [
        (1, ["delivery_1"]),
        (23, ["delivery_1"]),
        (24, ["delivery_1", "delivery_32"]),
        (60, ["delivery_1", "delivery_32", "delivery_64"]),
        (95, ["delivery_1", "delivery_64", "delivery_96"]),
    ],
)
def test_the_next_partition_is_made_before_an_issue_needs_it(container, highest, made):
    store(container, highest)
    PartitionStore(container.engine).prepare()
    assert attached(container) == made
    PartitionStore(container.engine).prepare()
    assert attached(container) == made
    assert "delivery_event_0" in attached(container, "delivery_event")
    assert len(attached(container, "story_click")) == len(made)


def test_two_processes_that_make_it_at_once_make_it_once(container: TestContainer):
    made_by = PartitionStore(container.engine)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(made_by.prepare_for, [40, 41, 70, 40, 71, 50, 90, 33]))
    assert attached(container) == ["delivery_1", "delivery_32", "delivery_64"]


def test_it_waits_for_nobody_who_writes_and_nobody_waits_for_it(container: TestContainer):
    store(container, OLD)
    container.query(
        "INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id) VALUES (1, 1, 1, 1)"
    )
    with container.engine.begin() as writing:
        writing.exec_driver_sql("UPDATE delivery SET state = 10")
        with container.engine.begin() as limits:
            limits.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        PartitionStore(container.engine).prepare_for(40)
    assert attached(container) == ["delivery_1", "delivery_32"]


def test_a_partition_has_the_keys_and_the_fillfactor_of_the_others(container: TestContainer):
    PartitionStore(container.engine).prepare_for(40)
    keys = {
        name: container.query(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = "
            f"'{name}'::regclass ORDER BY indisprimary DESC, indisunique DESC"
        )
        for name in ("delivery_1", "delivery_32")
    }
    as_first = [row[0].partition(" USING ")[2] for row in keys["delivery_1"]]
    assert [row[0].partition(" USING ")[2] for row in keys["delivery_32"]] == as_first
    options = container.query("SELECT reloptions FROM pg_class WHERE relname ~ '^delivery_[0-9]+$'")
    assert options == [(["fillfactor=80"],)] * 2


def test_a_plan_without_a_partition_fails_before_it_takes_the_issue(
    container: TestContainer, tmp_path, monkeypatch
):
    container.query("ALTER TABLE issue ALTER COLUMN id RESTART WITH 64")
    container.receive("chips")
    container.subscribe(tmp_path, {"reader@example.com": ""})
    with monkeypatch.context() as patch:
        patch.setattr(PartitionStore, "prepare_for", lambda *_: None)
        with pytest.raises(PartitionMissing, match="newsletter run"):
            container.plan_issue()
    stored = container.publishing.issue(container.newsletter, TODAY)
    assert (stored.id, stored.state) == (64, IssueStatus.APPROVED)
    assert container.rows()["batch"] == 0

    container.send_issue()  # makes it, although no clock runs

    assert container.deliveries.totals(64).sums.accepted == 1
    assert attached(container) == ["delivery_1", "delivery_64"]


def test_a_plan_leaves_statistics_of_what_it_filled(container: TestContainer, tmp_path):
    container.receive("chips")
    container.subscribe(tmp_path, {f"r{n}@example.com": "" for n in range(50)})
    container.plan_issue()
    sql = "SELECT reltuples FROM pg_class WHERE relname = 'delivery_1'"
    assert container.query(sql) == [(50,)]


def test_a_plan_is_not_undone_by_statistics_that_cannot_be_taken(
    container: TestContainer, tmp_path, monkeypatch
):
    def busy(*_: object) -> None:
        raise DatabaseBusy

    container.receive("chips")
    container.subscribe(tmp_path, {"reader@example.com": ""})
    monkeypatch.setattr(partitions, "autocommit", busy)
    container.send_issue()
    assert len(container.mailer.addresses) == 1


def test_setting_a_draft_anew_takes_no_number_from_the_next_issue(container: TestContainer):
    container.receive("chips")
    first = container.publishing.assemble(container.newsletter, TODAY)
    for _ in range(5):
        assert container.publishing.assemble(container.newsletter, TODAY).id == first.id
    container.clock.pass_time(days=1)
    later = container.publishing.assemble(container.newsletter, TODAY + timedelta(days=1))
    assert later.id == first.id + 1


#: What statements are asked about: the issue in the middle, and its letters in two places.
VALUES: dict[str, Any] = {
    "issue": ISSUE,
    "first": 1,
    "last": 2,
    "firsts": [1],
    "lasts": [2],
    "serials": [1],
    "places": [1, 2],
    "offenders": [1, 2],
    "reasons": ["one", "two"],
    "issues": [ISSUE, ISSUE],
    "batch": ISSUE,
    "batches": [ISSUE],
    "ids": [ISSUE],
    "attempt": f"one-{ISSUE}",
    "attempts": [f"one-{ISSUE}", f"two-{ISSUE}"],
    "frequency": "daily",
    "number": 1,
    "now": NOW,
    "young_since": NOW,
    "since": NOW - timedelta(days=400),
    "until": None,
    "before": NOW,
    "portion": 100,
    "people": [1],
    "subscriber": 1,
    "subscribers": [1],
    "lowest": 0,
    "highest": 90,
    "clicked": [1],
    "count": 3,
    "limit": 3,
    "most": 3,
    "newsletters": None,
    "window": 5,
    "list": "technology",
    "complained": 1,
    "after": 0,
    "place": 1,
    "moments": [NOW, NOW],
    "states": [10, 20],
    "kinds": [1, 2],
    "briefs": [1, 2],
    "hands": [1, 2],
    "posted": "[]",
    "event_key": UUID(int=0),
}

#: Statements about one issue: they are asked about no other, and read no other's partition.
OF_ONE_ISSUE = {
    "claiming": ("_BEGIN", "_SKIP"),
    "recording": ("_EJECT",),
    "batch_counts": ("_RECOUNT", "_LOCK_REFUSED"),
    "acceptance": ("_REINSTATE", "_COUNT_DOUBLED"),
    "unknown_batches": ("_EMAILS",),
    "sending_limits": ("_SKIP_UNSENT", "_FAILURES"),
    "issue_people": ("_DELIVERIES", "_LEFT"),
    "results": ("_LEFT",),
    "issue_audit": ("_OUTCOMES", "_EVENTS"),
    "issue_totals": ("_COUNTS",),
    "letter_traces": ("_LETTER", "_EVENTS"),
    "received_events": ("_RECEIVED", "_BY_LETTER"),
    "events": ("_RECORD", "_OWNERS", "_SUBSCRIPTIONS", "_RECORD_SOFT", "_WORN_OUT"),
    "result_counts": ("_ADVANCE", "_CLICK"),
    "person_history": ("_ERASE",),
}
#: Statements about a person, or about what is old: they look once into each issue.
OF_EACH_ISSUE = {
    "letter_traces": ("_LETTERS",),
    "person_history": ("_LETTERS", "_EXPIRE"),
    "sent_letters": ("_DELIVERED", "_WRITTEN_TO"),
    "unknown_batches": ("_UNKNOWN",),
}
#: A plan fills what it has placed: it reads none.
READS_NONE = {("planning", "_ADD_DELIVERIES")}
#: About what is no delivery of ours, which is kept apart.
OF_NONE = {("events", "_BEARING")}
#: Whoever asks them names the issues: `subscribers.segments`.
VIEWS = {("reader_views", "ISSUE_READER_VIEW"), ("reader_views", "STORY_READER_VIEW")}

_ON_PARTITIONS = re.compile(
    r"\b(FROM|JOIN|UPDATE|INTO|USING)\s+(delivery|delivery_event|story_click)\b"
)


def written(value: object) -> Iterator[str]:
    """Yield the statements on partitioned tables of a constant."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple):
        yield from (sql for one in value for sql in written(one))
    elif isinstance(value, str) and _ON_PARTITIONS.search(value):
        yield value


def listed(constants: dict[str, tuple[str, ...]]) -> set[tuple[str, str]]:
    return {(module, name) for module, names in constants.items() for name in names}


def test_every_statement_on_the_partitioned_tables_is_listed_here():
    found = set()
    for module in pkgutil.iter_modules(stores.__path__):
        names = vars(importlib.import_module(f"{stores.__name__}.{module.name}"))
        found |= {(module.name, name) for name, value in names.items() if any(written(value))}
    assert found == listed(OF_ONE_ISSUE) | listed(OF_EACH_ISSUE) | READS_NONE | OF_NONE | VIEWS


def statements(constants: dict[str, tuple[str, ...]]) -> Iterator[Any]:
    """Yield each statement, after the settings that its module gives before it."""
    for module, name in sorted(listed(constants)):
        names = vars(importlib.import_module(f"{stores.__name__}.{module}"))
        looks_up = {"LOOK_UP", "LOOK_UP_UNCOMPILED"} & names.keys() or module == "result_counts"
        for number, sql in enumerate(written(names[name])):
            settings = LOOK_UP if looks_up else ""
            asked = (settings, sql.replace("{}", "true"))
            yield pytest.param(*asked, id=f"{module}{name}-{number}")


@pytest.fixture
def history(container: TestContainer) -> TestContainer:
    """Three issues to three readers, each in a partition of its own."""
    PartitionStore(container.engine).prepare_for(ISSUE)
    PartitionStore(container.engine).prepare_for(NEW)
    for issue in (OLD, ISSUE, NEW):
        store(container, issue)
        container.query(
            f"""
            UPDATE batch SET state = 'unknown', last_place = 3 WHERE id = {issue};
            UPDATE issue SET planned_at = '{NOW - timedelta(days=90 - issue)}';
            INSERT INTO attempt (id, batch_id, number, recipients, started_at, outcome)
            SELECT 'two-{issue}', {issue}, 2, 1, now(), 'accepted';
            INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id, state, refused,
                                  left_after)
            SELECT {issue}, n, n, n, 30, CASE WHEN n = 1 THEN 'no such name' END, 99
              FROM generate_series(1, 3) AS n;
            INSERT INTO soft_bounce (issue_id, place, subscriber_id, at)
            SELECT 33 + {issue} / 32, 1, 1, now();
            INSERT INTO delivery_event (issue_id, place, event_key, kind, at, received_at, raw,
                                        origin)
            SELECT {issue}, n, gen_random_uuid(), 'opened', now(), '{NOW - timedelta(days=9)}',
                   '{{}}', 'own' FROM generate_series(1, 3) AS n;
            INSERT INTO story_click VALUES ({issue}, 1, 1, 1);
            """.replace("{issue}", str(issue))
        )
    return container


def loops_by_partition(plan: dict[str, Any]) -> Counter[str]:
    """Count how often each partition was read."""
    found: Counter[str] = Counter()
    name = plan.get("Relation Name", "")
    if re.fullmatch(r"(delivery|delivery_event|story_click)_\d+", name):
        found[name] += int(plan["Actual Loops"]) * (plan["Node Type"] != "ModifyTable")
    for part in plan.get("Plans", ()):
        found += loops_by_partition(part)
    return found


def explained(container: TestContainer, settings: str, sql: str, plan: str) -> Counter[str]:
    """Run a prepared statement, and take back what it did; return what it read."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)))
    for number, name in enumerate(names, start=1):
        sql = sql.replace(f"%({name})s", f"${number}")
    url = container.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(f"SET plan_cache_mode = force_{plan}_plan; {settings}")
        connection.execute(f"PREPARE asked AS {sql}")
        given = f"({', '.join(['%s'] * len(names))})" if names else ""
        found = connection.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked {given}",
            [VALUES[name] for name in names],
        ).fetchone()
        connection.rollback()
    assert found
    return loops_by_partition(found[0][0]["Plan"])


@pytest.mark.parametrize("plan", ["custom", "generic"])
@pytest.mark.parametrize("settings, sql", list(statements(OF_ONE_ISSUE)))
def test_a_statement_about_an_issue_reads_no_other_ones_partition(history, settings, sql, plan):
    read = explained(history, settings, sql, plan)
    assert {name.rpartition("_")[2] for name in read} <= {str(range_of(ISSUE).first)}


@pytest.mark.parametrize("plan", ["custom", "generic"])
@pytest.mark.parametrize("settings, sql", list(statements(OF_EACH_ISSUE)))
def test_a_statement_about_a_person_looks_once_into_each_issue(history, settings, sql, plan):
    read = explained(history, settings, sql, plan)
    assert {"32", "64"} <= {name.rpartition("_")[2] for name in read}
    assert max(read.values()) <= 4  # and once for each of three rows that are deleted


def test_partitions_are_made_although_somebody_leads(container: TestContainer) -> None:
    """The leader holds its lock as long as it lives: another key than that of making them."""
    leadership = AdvisoryLeadership(container.engine)
    assert leadership.held()
    with ThreadPoolExecutor(1) as pool:
        try:
            pool.submit(container.partitions.prepare_for, 100 * partitions.ISSUES).result(20)
        finally:
            leadership.release()  # who waited for it goes on


def test_a_plan_leaves_no_page_that_its_first_reader_writes_to_the_log(container: TestContainer):
    """Ten letters on a page, so that a sample of them leaves out most pages."""
    container.query("ALTER TABLE delivery_1 SET (fillfactor = 10)")
    for issue, letters in ((OLD, 40_000), (OLD + 1, 400)):
        store(container, issue)
        container.query(
            "INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id) "
            f"SELECT {issue}, n, n, n FROM generate_series(1, {letters}) AS n"
        )
    PartitionStore(container.engine).analyze(OLD + 1)
    container.query("CREATE EXTENSION pageinspect")
    [(end,)] = container.query("SELECT pg_relation_size('delivery_1') / 8192")
    committed = container.query(
        f"SELECT every(t_infomask & 256 <> 0) FROM generate_series({end} - 30, {end} - 1) AS page, "
        "heap_page_items(get_raw_page('delivery_1', page))"
    )
    assert committed == [(True,)]
