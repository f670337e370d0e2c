import csv
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from subscribers.errors import InvalidList
from subscribers.lists.service import Lists
from subscribers.model import (
    ImportReport,
    RowResult,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
    TopicSet,
)
from subscribers.subscriptions.service import Subscriptions
from tests.subscribers.lists.helpers import NOW, answers, import_text

pytestmark = pytest.mark.postgres

TABLES = ("subscriber", "subscription", "topic_set", "consent", "suppression", "list_import")


@pytest.fixture
def subscriptions(engine: Engine) -> Subscriptions:
    return Subscriptions(engine)


def stored(engine: Engine) -> dict[str, list[tuple]]:
    with engine.begin() as connection:
        return {
            table: [tuple(row) for row in connection.execute(text(f"TABLE {table}"))]
            for table in TABLES
        }


def only(report: ImportReport, **expected: int) -> bool:
    met = {result.value: count for result, count in report.counts.items() if count}
    return met == expected and report.adds_up and report.rows == sum(expected.values())


def test_good_rows_are_stored_beside_bad_ones_and_every_row_is_answered(
    subscriptions: Subscriptions, tmp_path: Path, engine: Engine
) -> None:
    report = import_text(
        engine,
        tmp_path,
        "Email,Name,Topics,TimeZone,Company\n"
        "a@example.com,Reader A,policy;chips,Europe/Berlin,Acme\n"
        "nobody,,,,\n"
        "b@example.com,,,,\n"
        "c@example.com,,gossip,,\n"
        "A@EXAMPLE.com,,,,\n",
    )
    assert only(report, added=3, refused=2)
    assert report.ignored_columns == ("Company",)
    assert Path(report.results) == tmp_path / "list.results.csv"
    first, bad, second, strange, again = answers(report)
    assert first == (2, "a@example.com", "added", "")
    assert bad[:3] == (3, "nobody", "refused")
    assert "not an address" in bad[3]
    assert second == (4, "b@example.com", "added", "")
    assert strange == (5, "c@example.com", "added", "no topic: gossip")
    assert again == (6, "A@EXAMPLE.com", "refused", "the same address as line 2")
    (a,) = subscriptions.by_email("a@example.com")
    (b,) = subscriptions.by_email("b@example.com")
    assert (a.topics, a.zone) == (TopicSet.of(["chips", "policy"]), "Europe/Berlin")
    assert (b.topics, b.zone) == (TopicSet.of([]), "UTC")
    assert a.link_key != b.link_key


def test_the_added_have_evidence_and_the_list_its_record(tmp_path: Path, engine: Engine) -> None:
    import_text(engine, tmp_path, "email\na@example.com\nnobody\n")
    with engine.begin() as connection:
        added = connection.execute(text("SELECT * FROM subscription")).mappings().one()
        about = connection.execute(text("SELECT * FROM list_import")).mappings().one()
    assert (added["import_id"], added["import_line"]) == (about["id"], 2)
    assert added["source"] == f"import {about['id']}"
    assert (about["format"], about["actor"]) == ("list", "operator")
    assert about["consent_source"] == "the sign-up page of 2024"
    assert (about["file"], about["newsletter"], about["at"]) == ("list.csv", "technology", NOW)
    assert about["counts"]["added"] == about["counts"]["refused"] == 1


def test_importing_twice_is_importing_once(tmp_path: Path, engine: Engine) -> None:
    content = "email,name,topics\na@example.com,A,chips\nb@example.com,,\nb@example.com,,\n"
    import_text(engine, tmp_path, content)
    before = stored(engine)
    report = import_text(engine, tmp_path, content)
    after = stored(engine)
    assert only(report, unchanged=2, refused=1)
    assert len(after.pop("list_import")) == len(before.pop("list_import")) + 1
    assert after == before


def test_a_list_changes_what_it_says_and_leaves_the_rest(
    subscriptions: Subscriptions, tmp_path: Path, engine: Engine
) -> None:
    header = "email,name,topics,timezone\n"
    import_text(engine, tmp_path, f"{header}a@example.com,A,chips,Europe/Berlin\n")
    (before,) = subscriptions.by_email("a@example.com")
    assert only(import_text(engine, tmp_path, "email\na@example.com\n"), unchanged=1)
    assert subscriptions.by_email("a@example.com") == (before,)
    report = import_text(engine, tmp_path, f"{header}a@example.com,B,*,Asia/Tokyo\n")
    assert only(report, updated=1)
    assert answers(report)[0][3] == "name, topics, timezone"
    (after,) = subscriptions.by_email("a@example.com")
    assert (after.topics, after.zone) == (TopicSet.of([]), "Asia/Tokyo")
    assert (after.id, after.link_key) == (before.id, before.link_key)


def test_a_subscriber_of_one_newsletter_is_added_to_another(
    subscriptions: Subscriptions, tmp_path: Path, engine: Engine
) -> None:
    import_text(engine, tmp_path, "email,name\na@example.com,A\n")
    other = tmp_path / "other.csv"
    other.write_text("email,name\nA@example.com,B\n")
    report = Lists(engine).import_list(
        other, "science", known_topics=(), default_zone="UTC", consent_source="x", now=NOW
    )
    assert only(report, added=1)
    found = subscriptions.by_email("a@example.com")
    assert [each.newsletter for each in found] == ["science", "technology"]
    assert len({each.subscriber_id for each in found}) == 1
    assert [row[3] for row in stored(engine)["subscriber"]] == ["B"]


def test_a_list_undoes_no_unsubscribe(
    subscriptions: Subscriptions, tmp_path: Path, engine: Engine
) -> None:
    import_text(engine, tmp_path, "email,topics\na@example.com,chips\n")
    (reader,) = subscriptions.by_email("a@example.com")
    subscriptions.unsubscribe([reader.id], now=NOW, source="link")
    (ended,) = subscriptions.by_email("a@example.com")
    report = import_text(engine, tmp_path, "email,topics\na@example.com,policy\n")
    assert only(report, ended=1)
    assert "unsubscribed" in answers(report)[0][3]
    assert subscriptions.by_email("a@example.com") == (ended,)


def test_an_unsubscribe_while_a_list_is_read_wins(
    subscriptions: Subscriptions, tmp_path: Path, engine: Engine
) -> None:
    import_text(engine, tmp_path, "email,topics\na@example.com,chips\n")
    (reader,) = subscriptions.by_email("a@example.com")
    report = import_text(
        engine,
        tmp_path,
        "email,topics\na@example.com,policy\n",
        on_progress=lambda *_: subscriptions.unsubscribe([reader.id], now=NOW, source="link"),
    )
    assert only(report, ended=1)
    assert subscriptions.by_id(reader.id).status is SubscriptionStatus.ENDED


def test_a_list_adds_and_changes_no_suppressed_address(
    subscriptions: Subscriptions, tmp_path: Path, engine: Engine
) -> None:
    import_text(engine, tmp_path, "email,topics\nknown@example.com,chips\n")
    subscriptions.suppress(
        Suppression(
            email=f"{name}@example.com",
            reason=SuppressionReason.COMPLAINT,
            source="event",
            since=NOW,
        )
        for name in ("known", "new")
    )
    before = stored(engine)["subscriber"]
    content = "email,topics\nknown@example.com,policy\nNew@example.com,policy\n"
    report = import_text(engine, tmp_path, content)
    assert only(report, suppressed=2)
    assert [answer[3] for answer in answers(report)] == ["complaint", "complaint"]
    assert stored(engine)["subscriber"] == before
    assert subscriptions.by_email("known@example.com")[0].topics == TopicSet.of(["chips"])


def test_a_dry_run_answers_the_same_and_stores_nothing(tmp_path: Path, engine: Engine) -> None:
    content = "email,topics\na@example.com,chips\nb@example.com,gossip\n"
    before = stored(engine)
    dry = import_text(engine, tmp_path, content, dry_run=True)
    foreseen = answers(dry)
    assert dry.dry_run
    assert stored(engine) == before
    done = import_text(engine, tmp_path, content)
    assert (done.counts, answers(done)) == (dry.counts, foreseen)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "email\n" + "a@example.com\n" * 3000 + "ü,ü\nb@example.com,b\udcfc\n",
            "line 3003: not UTF-8",
        ),
        ("who\na@example.com\n", "no column is called"),
        ('email,name\na@example.com,A\nb@example.com,"B\n', "line 3: not CSV"),
    ],
)
def test_a_list_that_cannot_be_read_leaves_nothing_behind(
    tmp_path: Path, engine: Engine, content: str, words: str
) -> None:
    with pytest.raises(InvalidList, match=f"list.csv.*{words}"):
        import_text(engine, tmp_path, content.encode(errors="surrogateescape"))
    assert not any(stored(engine).values())
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


def test_a_crash_in_the_middle_leaves_nothing_behind(tmp_path: Path, engine: Engine) -> None:
    def fail(_read: int, _size: int) -> None:
        raise RuntimeError("the machine is going down")

    content = "email\n" + "".join(f"reader{n}@example.com\n" for n in range(2500))
    with pytest.raises(RuntimeError, match="going down"):
        import_text(engine, tmp_path, content, on_progress=fail)
    assert not any(stored(engine).values())
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


def test_results_that_cannot_be_written_undo_the_import(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(OSError, match="No such file"):
        import_text(
            engine, tmp_path, "email\na@example.com\n", results=tmp_path / "no" / "where.csv"
        )
    assert not any(stored(engine).values())


def test_names_beyond_ascii_and_with_quotes_survive(engine: Engine, tmp_path: Path) -> None:
    content = 'email,name\r\na@example.com,"Ünï \\N, ""読者"""\r\n'
    assert only(import_text(engine, tmp_path, content), added=1)
    assert stored(engine)["subscriber"][0][3] == 'Ünï \\N, "読者"'


def test_a_file_that_is_not_there_is_named(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(InvalidList, match=r"absent\.csv: No such file"):
        Lists(engine).import_list(
            tmp_path / "absent.csv",
            "technology",
            known_topics=(),
            default_zone="UTC",
            consent_source="x",
            now=NOW,
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"default_zone": "Mars/Olympus"}, "unknown time zone"),
        ({"consent_source": " "}, "consent"),
    ],
)
def test_an_import_that_is_not_explained_is_refused(
    tmp_path: Path, engine: Engine, option: dict[str, str], words: str
) -> None:
    with pytest.raises(InvalidList, match=words):
        import_text(engine, tmp_path, "email\na@example.com\n", **option)


def test_results_never_overwrite_the_list(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(InvalidList, match="overwrite"):
        import_text(engine, tmp_path, "email\n", results=tmp_path / "list.csv")
    assert (tmp_path / "list.csv").read_text() == "email\n"


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path, engine: Engine) -> None:
    shown: list[tuple[int, int]] = []
    content = "email\n" + "".join(f"reader{n}@example.com\n" for n in range(4500))
    report = import_text(engine, tmp_path, content, on_progress=lambda *now: shown.append(now))
    assert only(report, added=4500)
    assert shown == sorted(shown)
    assert len(shown) >= 3
    assert shown[-1] == (len(content), len(content))


def test_an_empty_list_is_an_import_of_nothing(tmp_path: Path, engine: Engine) -> None:
    report = import_text(engine, tmp_path, "email,name\n")
    assert report.rows == 0
    assert report.adds_up
    assert set(report.counts) == set(RowResult)
    with Path(report.results).open(newline="") as lines:
        assert list(csv.reader(lines)) == [["line", "email", "result", "reason"]]


def test_tags_that_cannot_be_read_are_a_warning(engine: Engine, tmp_path: Path) -> None:
    content = 'email,tags\na@example.com,"0\n"""\nb@example.com,vip\n'
    report = import_text(engine, tmp_path, content)
    assert [answer[2] for answer in answers(report)] == ["added", "added"]
    assert "quotes" in answers(report)[0][3]
