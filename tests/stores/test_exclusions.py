"""Who is excluded stands in sorted arrays: they answer the same as a set of rows would."""

from collections import Counter
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from newsletter.core.issue_people import IssueGroup
from newsletter.stores import exclusions
from newsletter.stores.exclusions import REASONS, excluded_because, next_excluded, store_exclusions
from subscribers.db.transaction import execute, rows, transaction
from tests.container import TODAY, open_container

pytestmark = pytest.mark.postgres

#: Reader → why they are excluded; None: they are not.
READERS = st.dictionaries(
    st.integers(1, 60), st.sampled_from([None, *REASONS]), min_size=1, max_size=40
)
_AS_PLANNED = """
    CREATE TEMPORARY TABLE reader ON COMMIT DROP AS
    SELECT subscriber_id, NULLIF(reason, 'no_story') AS exclusion,
           CASE WHEN reason = 'no_story' THEN 2 ELSE 1 END AS topic_set_id
      FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS given (subscriber_id, reason);
"""
_CHOICE = (
    "CREATE TEMPORARY TABLE choice ON COMMIT DROP AS SELECT 1 AS topic_set_id, 1 AS edition_id"
)

_issues = count(1)


def _walked(session, issue: int, reasons: list[str], limit: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    while page := next_excluded(session, issue, reasons, found[-1][0] if found else 0, limit):
        found += [(row["subscriber_id"], row["reason"]) for row in page]
    return found


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    readers=READERS,
    size=st.integers(1, 7),
    limit=st.integers(1, 9),
    asked=st.lists(st.sampled_from(REASONS), unique=True),
)
def test_arrays_answer_as_the_set_does(engine: Engine, readers, size, limit, asked):
    issue = next(_issues)
    excluded = {reader: reason for reader, reason in readers.items() if reason}
    with pytest.MonkeyPatch.context() as patched, transaction(engine) as session:
        patched.setattr(exclusions, "SIZE", size)
        given = {"ids": list(readers), "reasons": list(readers.values())}
        execute(session, _AS_PLANNED, given)
        execute(session, _CHOICE)
        store_exclusions(session, issue)

        for reader in range(62):
            why = rows(session, excluded_because("%(i)s", "%(r)s"), _of(issue, reader))
            assert [row["reason"] for row in why] == list(filter(None, [excluded.get(reader)]))
        expected = sorted((r, why) for r, why in excluded.items() if why in asked)
        assert _walked(session, issue, asked, limit) == expected
        sizes = rows(session, "SELECT reason, cardinality(offsets) AS n FROM exclusion")
        assert max((row["n"] for row in sizes), default=0) <= size
        stored = Counter()
        for row in rows(session, "SELECT * FROM exclusion WHERE issue_id = %(i)s", {"i": issue}):
            assert row["offsets"] == sorted(set(row["offsets"]))
            assert row["offsets"][0] == 0
            stored[row["reason"]] += len(row["offsets"])
        assert stored == Counter(excluded.values())
        session.rollback()


def _of(issue: int, reader: int) -> dict[str, object]:
    return {"i": issue, "r": reader, "reasons": REASONS}


def test_erasing_an_excluded_reader_keeps_the_sums_and_forgets_who_it_was(engine, tmp_path):
    container = open_container(engine)
    container.receive("chips")
    readers = {"a@example.com": "robotics", "b@example.com": "robotics", "c@example.com": ""}
    container.subscribe(tmp_path, readers)
    stored = container.send_issue()
    before = container.deliveries.totals(stored.id)
    assert before.exclusions == {"no_story": 2}

    [erased, *_] = container.subscriptions.by_email("a@example.com")
    container.people.erase(erased.subscriber_id, actor="ana")

    assert container.deliveries.totals(stored.id) == before
    page = container.issue_people.page(stored, IssueGroup.NOTHING)
    assert sorted(one.email for one in page.people) == ["", "b@example.com"]
    assert container.explaining.why(container.newsletter, "b@example.com", TODAY).sentence == (
        "Not sent: nothing in the issue was about the topics they chose."
    )
