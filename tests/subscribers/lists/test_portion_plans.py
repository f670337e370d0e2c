"""What a portion does not look for changes nothing, and what it looks for it finds by key."""

from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from subscribers.db.suppressions import LADDER_VALUES
from subscribers.db.transaction import execute, rows, successive, transaction
from subscribers.lists import decisions, staging
from tests.subscribers.lists.helpers import answers, import_text

pytestmark = pytest.mark.postgres

LOOKS_FOR_ALL = """
SELECT count(*) AS size, true AS repeats, true AS gone, true AS known, true AS suppressed,
       true AS erasures
FROM listed
"""
TABLES = ("subscriber", "subscription", "topic_set", "consent", "suppression", "change",
          "import_change", "list_import")  # fmt: skip
ADDRESSES = [f"{name}@example.com" for name in "abcdefgh"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from([*ADDRESSES, "A@example.com", "nobody"]),
        st.sampled_from(["active", "left", "bounced", "paused", "??"]),
        st.sampled_from(["chips", "policy;chips", ""]),
        st.sampled_from(["Ann", "Bo", ""]),
        st.sampled_from(["red", ""]),
    ),
    max_size=12,
)
Listed = list[tuple[str, ...]]


def listed(chosen: Listed) -> str:
    return "\n".join(["email,status,topics,name,tags", *(",".join(row) for row in chosen), ""])


def outcome(engine: Engine, folder: Path, lists: tuple[Listed, ...]) -> list[object]:
    """Return the results of these lists, one after another into empty tables, and the tables."""
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY"))
    found: list[object] = [answers(import_text(engine, folder, listed(one))) for one in lists]
    with transaction(engine) as session:
        for table in TABLES:
            found += [sorted(map(str, without_secrets(rows(session, f"TABLE {table}"))))]
    return found


def without_secrets(found: list[dict]) -> list[dict]:
    return [{name: cell for name, cell in row.items() if name != "link_key"} for row in found]


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(earlier=ROWS, first=ROWS, second=ROWS)
def test_a_portion_that_looks_for_nobody_comes_to_the_same(
    engine: Engine, tmp_path: Path, earlier: Listed, first: Listed, second: Listed
) -> None:
    lists = (earlier, first, second)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(staging, "PORTION", 3)
        expected = outcome(engine, tmp_path, lists)
        patched.setattr(decisions, "_MET", LOOKS_FOR_ALL)
        assert outcome(engine, tmp_path, lists) == expected


@pytest.mark.parametrize("gone", [False, True])
def test_a_portion_reads_no_table_from_end_to_end(
    engine: Engine, tmp_path: Path, gone: bool
) -> None:
    content = "".join(f"reader-{n}@example.com\n" for n in range(5000))
    import_text(engine, tmp_path, f"email\n{content}")
    plan = _plan(engine, content, gone=gone)
    for table in ("subscriber", "subscription", "suppression"):
        assert f"Seq Scan on {table}" not in plan
        assert f" on {table}" in plan


def test_portions_of_a_long_list_are_about_as_long_as_they_should_be(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "PORTION", 400)  # of which one row in four is a sample
    block = "".join(f"{n}\treader-{n * 7 % 4001}@example.com\n" for n in range(4001)).encode()
    with successive(engine) as begin:
        staged = staging.stage(begin, [block], ["line", "email"], dry_run=False)
        with begin() as session:
            asked = [rows(session, decisions._MET, {"portion": n})[0] for n in staged.portions]
    sizes = [one["size"] for one in asked]
    assert sum(sizes) == 4001
    assert all(200 < size < 700 for size in sizes[:-1])


def _plan(engine: Engine, addresses: str, *, gone: bool) -> str:
    numbered = zip(count(1), addresses.split(), strict=False)
    block = "".join(f"{line}\t{email}\n" for line, email in numbered).encode()
    statement = decisions.ruling(decisions.Met(size=staging.PORTION, gone=gone))
    values = {"newsletter": "technology", "own_acts": [], "ladder": LADDER_VALUES, "portion": 0}
    with successive(engine) as begin:
        staging.stage(begin, [block], ["line", "email"], dry_run=False)
        with begin() as session:
            execute(session, decisions.LOOK_UP)
            return "\n".join(map(str, rows(session, f"EXPLAIN {statement}", values)))
