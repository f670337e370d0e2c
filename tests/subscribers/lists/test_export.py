import csv
import json
import re
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from subscribers.errors import InvalidList
from subscribers.lists.service import Lists
from subscribers.model import Frequency, Suppression, SuppressionReason
from subscribers.segments.filters import Filter, SubscriberState
from subscribers.spreadsheet import plain_cell
from subscribers.subscriptions.service import Subscriptions
from tests.subscribers.lists.helpers import NOW, import_text

pytestmark = pytest.mark.postgres

ROWS = (
    "email,name,topics,timezone,frequency,tags,joined,status\n"
    "a@example.com,A,chips,Europe/Berlin,weekly,x;y,2024-01-02,active\n"
    "b@example.com,B,,,,x,2024-01-03,left\n"
    "c@example.com,C,policy,,,,2024-01-04,paused\n"
)
QUOTED = re.compile(r'("[^"]*")?(,("[^"]*")?)*')  #: or empty: nothing is there


@pytest.fixture
def lists(engine: Engine) -> Lists:
    return Lists(engine)


def exported(lists: Lists, chosen: Filter | None = None, *, as_csv: bool = True) -> str:
    taken = BytesIO()
    lists.export("technology", chosen or Filter(), taken.write, now=NOW, csv=as_csv)
    return taken.getvalue().decode()


def addresses(content: str) -> list[str]:
    return [row["email"] for row in csv.DictReader(StringIO(content))]


def test_an_export_says_all_that_a_list_can_say(
    lists: Lists, engine: Engine, tmp_path: Path
) -> None:
    import_text(engine, tmp_path, ROWS)
    first, second, third = csv.DictReader(StringIO(exported(lists)))
    assert first == {
        "email": "a@example.com",
        "name": "A",
        "topics": "chips",
        "timezone": "Europe/Berlin",
        "frequency": "weekly",
        "tags": "x;y",
        "joined": "2024-01-02T00:00:00Z",
        "status": "active",
        "left": "",
        "suppressed": "",
        "paused until": "",
        "source": "import 1",
    }
    assert (second["status"], second["left"]) == ("ended", "2026-03-02T09:00:00Z")
    assert third["status"] == "paused"


def test_every_cell_that_says_something_is_quoted(
    lists: Lists, engine: Engine, tmp_path: Path
) -> None:
    report = import_text(engine, tmp_path, ROWS + "=1+1,,,,,,,\n")
    for content in (exported(lists), Path(report.results).read_text()):
        assert all(map(QUOTED.fullmatch, content.splitlines()[1:])), content
    assert '"5","\'=1+1","refused"' in Path(report.results).read_text()


def test_json_lines_hold_the_same(lists: Lists, engine: Engine, tmp_path: Path) -> None:
    import_text(engine, tmp_path, ROWS + '"d@example.com","\\ ""D"" =1,\u2028"\n')
    found = [json.loads(line) for line in exported(lists, as_csv=False).split("\n")[:-1]]
    assert [one["name"] for one in found] == ["A", "B", "C", '\\ "D" =1,']
    assert (found[0]["topics"], found[0]["tags"], found[0]["left"]) == (["chips"], ["x", "y"], None)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(status=SubscriberState.ACTIVE), "ac"),
        (Filter(status=SubscriberState.MAILABLE), "a"),
        (Filter(topics=frozenset({"chips"})), "ab"),
        (Filter(tags=frozenset({"x"}), frequency=Frequency.WEEKLY), "a"),
        (Filter(source="import"), "abc"),
    ],
)
def test_only_who_is_in_the_segment_is_exported(
    lists: Lists, engine: Engine, tmp_path: Path, chosen: Filter, expected: str
) -> None:
    import_text(engine, tmp_path, ROWS)
    assert addresses(exported(lists, chosen)) == [f"{name}@example.com" for name in expected]


def test_a_file_is_whole_or_not_there_and_its_name_says_what_it_is(
    lists: Lists, engine: Engine, tmp_path: Path
) -> None:
    import_text(engine, tmp_path, ROWS)
    lists.write(tmp_path / "out.ndjson", "technology", Filter(), now=NOW)
    lists.write(tmp_path / "out.csv", "technology", Filter(), now=NOW)
    assert len((tmp_path / "out.ndjson").read_text().splitlines()) == 3
    assert len(addresses((tmp_path / "out.csv").read_text())) == 3
    with pytest.raises(InvalidList, match=r"ends in \.csv or \.ndjson"):
        lists.write(tmp_path / "out.xls", "technology", Filter(), now=NOW)


def test_somebody_who_turned_out_to_be_somebody_else_is_not_exported(
    lists: Lists, engine: Engine, tmp_path: Path
) -> None:
    import_text(engine, tmp_path, "email,status\na@example.com,active\nb@example.com,left\n")
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE subscriber SET merged_into = kept.id FROM subscriber AS kept"
                " WHERE kept.email = 'a@example.com' AND subscriber.email = 'b@example.com'"
            )
        )
    assert addresses(exported(lists)) == ["a@example.com"]


hostile = st.text(
    alphabet=st.sampled_from(list("=+-@'\t\"\\;,|a1ü\u2028{[ ")) | st.characters(codec="utf-8"),
    max_size=12,
)
locals_ = st.text(alphabet="ab=+-'_", min_size=1, max_size=6)
PEOPLE = st.dictionaries(locals_, st.tuples(hostile, hostile), max_size=5)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(people=PEOPLE, suppressed=st.sampled_from([None, *SuppressionReason]))
def test_an_export_runs_no_formula_and_undone_changes_nothing(
    engine: Engine,
    tmp_path: Path,
    people: dict[str, tuple[str, str]],
    suppressed: SuppressionReason | None,
) -> None:
    lists, subscriptions = Lists(engine), Subscriptions(engine)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE subscriber, subscription, suppression"))
    written = StringIO()
    rows = csv.writer(written)
    rows.writerow(["email", "name", "tags"])
    for local, (name, tag) in people.items():
        rows.writerow([plain_cell(one) for one in (f"{local}@example.com", name, tag)])
    import_text(engine, tmp_path, written.getvalue())
    if suppressed:
        said = Suppression(email="a@example.com", reason=suppressed, source="event", since=NOW)
        subscriptions.suppress([said])
    content = exported(lists)
    with engine.begin() as connection:
        before = [tuple(row) for row in connection.execute(text("TABLE subscription"))]
        names = connection.execute(text("SELECT name FROM subscriber ORDER BY email_key")).scalars()
        kept = [plain_cell(name) for name in names]
    found = list(csv.DictReader(StringIO(content)))
    assert [row["name"] for row in found] == kept
    assert not any(
        cell.lstrip(" ")[:1] in tuple("=+-@\t\r\n") for row in found for cell in row.values()
    )
    report = import_text(engine, tmp_path, content)
    assert {result.value for result, count in report.counts.items() if count} <= {
        "unchanged",
        "suppressed",
    }
    assert report.rows == len(found)
    with engine.begin() as connection:
        assert [tuple(row) for row in connection.execute(text("TABLE subscription"))] == before
