"""The log of decisions: append-only, and read across subjects."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from newsletter.core.staff import StaffActor
from newsletter.stores.decisions import DecisionFilter
from tests.container import TestContainer, one_request, open_container

pytestmark = pytest.mark.postgres

FIELDS = ("subject", "actor", "verb", "newsletter")


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return open_container(engine)


def test_a_decision_of_the_command_line_has_no_account_and_one_of_the_console_has(container):
    log = container.decisions
    ada = StaffActor("ada@example.org", staff_id=7, session_id=3, address="192.0.2.1")
    log.record("operator", "issue 1", "approve", {"content_hash": "abc"})
    log.record(ada, "brief 2", "edit", {}, newsletter="technology", before={"a": 1}, after={"a": 2})

    second, first = log.recent().decisions
    assert (first.actor, first.staff_id, first.before) == ("operator", None, None)
    assert (second.actor, second.staff_id, second.session_id) == ("ada@example.org", 7, 3)
    assert (second.network, second.before, second.after) == ("192.0.2.1", {"a": 1}, {"a": 2})
    assert second.newsletter == "technology"
    assert log.about("issue 1") == (first,)


def test_a_service_that_knows_only_a_name_records_the_account_too(container):
    container.receive("chips")
    ada = StaffActor("ada@example.org", staff_id=7, session_id=3, address="192.0.2.1")
    container.intake.hold(1, actor=ada)
    [decision] = container.decisions.recent().decisions
    assert (decision.verb, decision.staff_id, decision.session_id) == ("hold", 7, 3)


def test_what_is_about_an_issue_or_a_batch_is_about_its_newsletter(container):
    container.query(one_request())
    for subject in ("issue 1", "batch 1", "issue 2", "issue one", "suppressions"):
        container.decisions.record("operator", subject, "looked", {})
    found = [one.newsletter for one in reversed(container.decisions.recent().decisions)]
    assert found == ["technology", "technology", None, None, None]


words = st.sampled_from(["a", "b"])
lines = st.lists(st.tuples(words, words, words, words), max_size=12)
filters = st.builds(DecisionFilter, **dict.fromkeys(FIELDS, st.none() | words))


@given(lines, filters, st.integers(1, 4))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_pages_show_every_decision_that_fits_once_the_newest_first(container, lines, which, limit):
    log, before = container.decisions, container.decisions.recent().decisions
    for subject, actor, verb, newsletter in lines:
        log.record(actor, subject, verb, {}, newsletter=newsletter)
    floor, shown, cursor = before[0].id if before else 0, [], None
    while True:
        page = log.recent(which, cursor, limit=limit)
        assert len(page.decisions) <= limit
        shown += [one for one in page.decisions if one.id > floor]
        if (cursor := page.cursor) is None or page.decisions[-1].id <= floor:
            break
    found = [tuple(getattr(one, name) for name in FIELDS) for one in shown]
    fits = [
        line
        for line in lines
        if all(
            getattr(which, name) in (None, value) for name, value in zip(FIELDS, line, strict=True)
        )
    ]
    assert found == list(reversed(fits))


def test_only_decisions_of_the_newsletters_that_one_may_see_are_read(container):
    for newsletter in ("a", "b", None):
        container.decisions.record("x", "s", "v", {}, newsletter=newsletter)
    which = DecisionFilter(newsletters=frozenset({"b"}))
    assert [one.newsletter for one in container.decisions.recent(which).decisions] == ["b"]
    none = DecisionFilter(newsletters=frozenset())
    assert container.decisions.recent(none).decisions == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision SET actor = 'somebody else'",
        "DELETE FROM decision",
        "DELETE FROM decision WHERE false",
        "TRUNCATE decision",
        "SET LOCAL subscribers.forgetting = 'on'; DELETE FROM decision",
    ],
)
def test_nothing_changes_or_deletes_a_decision(container, statement: str):
    container.decisions.record("operator", "issue 1", "approve", {})
    with pytest.raises(DBAPIError, match="append-only"):
        container.query(statement)
    assert len(container.decisions.recent().decisions) == 1


def test_people_can_still_be_erased_and_what_is_old_deleted(container, tmp_path):
    container.subscribe(tmp_path, {"reader@example.com": ""})
    person = container.records.person("reader@example.com")
    container.people.erase(person.id, actor="operator")
    container.retention.expire()
    assert container.query("SELECT count(*) FROM subscriber WHERE email LIKE 'reader%'") == [(0,)]
    assert [one.verb for one in container.decisions.recent().decisions] == ["erased"]
