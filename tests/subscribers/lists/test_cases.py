"""Small lists like real people's: what is asked of the operator, and what the rows then say."""

import zoneinfo
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from subscribers.errors import InvalidList, ListQuestions
from subscribers.lists.model import read_explanations
from subscribers.lists.reader_process import Block, Head, ListFile, parts_of
from subscribers.lists.service import Lists
from subscribers.model import RowResult
from tests.subscribers.lists.helpers import NOW

CASES = Path(__file__).parents[2] / "cases/lists"
TITLES = {"AI models": "ai-models", "Chips & compute": "chips", "Security": "security"}
_OPTIONS = {"--map": "columns", "--value": "words", "--topic": "topics"}
_SINGLE = {"--as": "listed_as", "--date-format": "date_format"}


def list_file(path: Path, options: tuple[str, ...] = ()) -> ListFile:
    given: dict[str, Any] = {name: [] for name in _OPTIONS.values()}
    encoding = None
    for option, value in zip(options[::2], options[1::2], strict=True):
        if option == "--encoding":
            encoding = value
        elif option in _OPTIONS:
            given[_OPTIONS[option]].append(value)
        else:
            given[_SINGLE[option]] = value
    return ListFile(
        path=path,
        encoding=encoding,
        said=read_explanations(known_topics=TITLES.values(), **given),
        known_topics=frozenset(TITLES.values()),
        topic_titles=TITLES,
        known_zones=frozenset(zoneinfo.available_timezones()),
    )


def rows(path: Path, *options: str) -> dict[str, dict[str, str]]:
    """Return what the rows say, by address."""
    head, *blocks = parts_of(list_file(path, options))
    assert isinstance(head, Head)
    lines = [line for block in blocks if isinstance(block, Block) for line in _lines(block)]
    found = [
        {k: v for k, v in zip(head.fields, line.split("\t"), strict=True) if v != r"\N"}
        for line in lines
    ]
    return {row["email"]: row for row in found}


def _lines(block: Block) -> list[str]:
    return block.lines.decode().splitlines()


def asked(path: Path, *options: str) -> ListQuestions:
    with pytest.raises(ListQuestions) as raised:
        rows(path, *options)
    return raised.value


@pytest.mark.parametrize(
    ("case", "columns"),
    [
        ("shopify", ["Accepts Email Marketing"]),
        ("subscribed_bool", ["marketing", "newsletter", "receive_emails"]),
        ("donotemail", ["do_not_email", "dnc", "unsub_flag2", "Opt Out", "GDPR", "permission"]),
        ("hubspot", ["Lead Status", "Marketing contact status"]),
    ],
)
def test_all_that_may_say_who_left_is_asked_at_once_and_the_ready_options_answer_it(
    case: str, columns: list[str]
) -> None:
    path = CASES / f"{case}.csv"
    questions = asked(path)
    assert all(f"“{column}”" in str(questions) for column in columns)
    first, second = rows(path, *questions.options).values()
    assert "leaves" not in first
    assert second["leaves"] == "True"
    assert second["name"]


def test_a_service_whose_export_cannot_say_who_left_is_refused_until_the_leavers_are_known() -> (
    None
):
    path = CASES / "listmonk.csv"
    assert "--as left" in str(asked(path))
    found = rows(path, "--as", "subscribed")
    assert [row.get("leaves") for row in found.values()] == [None, "True", "False"] + [None] * 3
    assert not any("problem" in row for row in found.values())
    assert found["lm4@example.com"]["warning"] == "unknown time zone: Mars/Base"
    assert "tags" not in found["lm5@example.com"]


def test_a_bare_list_of_leavers_is_asked_about_and_adds_nobody(
    engine: Engine, tmp_path: Path
) -> None:
    path = CASES / "sg_suppr.csv"
    questions = asked(path)
    assert "Are these the people who left" in str(questions)
    report = Lists(engine).import_list(
        path,
        "technology",
        known_topics=(),
        default_zone="UTC",
        said=read_explanations(listed_as=questions.options[1]),
        now=NOW,
        results=tmp_path / "results.csv",
    )
    assert (report.counts[RowResult.ADDED], report.counts[RowResult.ENDED]) == (0, 1)
    with engine.begin() as connection:
        (row,) = connection.execute(text("SELECT status, ended_at FROM subscription")).all()
    assert (row.status, row.ended_at.date().isoformat()) == ("ended", "2023-11-14")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("unsubscribed_members.csv", "left"),
        ("Abgemeldete.csv", "left"),
        ("bounces-2024.csv", "bounced"),
        ("spam_reports.csv", "complained"),
        ("suppression_list.csv", "suppressed"),
    ],
)
def test_a_file_whose_name_says_so_is_asked_about(tmp_path: Path, name: str, word: str) -> None:
    path = tmp_path / name
    path.write_text("email\na@example.com\n")
    assert asked(path).options == ("--as", word)
    assert "leaves" not in rows(path, "--as", "subscribed")["a@example.com"]


def test_a_column_of_addresses_needs_no_header(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("a@example.com\n\n# asked by letter\nb@example.com\n")
    found = rows(path, "--as", "suppressed")
    assert [row["suppress"] for row in found.values()] == ["manual", "manual"]
    assert [row["line"] for row in found.values()] == ["1", "4"]


def test_kits_states_are_known() -> None:
    active, left, bounced, complained, inactive = rows(CASES / "kit.csv").values()
    assert (active["name"], active["tags"]) == ("Maja", "creators;early")
    assert (left["leaves"], left["name"], left["joined"][:10]) == ("True", "Nils", "2025-04-04")
    assert (bounced["suppress"], complained["suppress"]) == ("bounce", "complaint")
    assert "not confirmed in Kit" in inactive["problem"]


def test_mailchimps_chosen_columns_are_known() -> None:
    (found,) = rows(CASES / "mc_short.csv").values()
    assert (found["tags"], found["joined"][:10]) == ("newsletter;vip", "2025-11-02")


def test_topics_are_known_by_their_titles_and_a_tag_called_like_one_is_kept_and_named() -> None:
    one, two = rows(CASES / "mc_sub.csv").values()
    assert (one["topics"], one["tags"]) == ("ai-models;chips", "Spring event;VIP")
    assert (two["tags"], two["warning"]) == ("chips", "a tag that is called like a topic: chips")


def test_topics_are_separated_by_whatever_stands_between_them() -> None:
    found = [row.get("topics") for row in rows(CASES / "topics.csv").values()]
    assert found == [*["chips;security"] * 3, "chips", "*", "*", None, "chips", "chips"]
    assert rows(CASES / "topics.csv")["t4@example.com"]["warning"] == "no topic: Nope"
    explained = rows(CASES / "topics.csv", "--topic", "Nope=security")
    assert explained["t4@example.com"]["topics"] == "chips;security"


def test_an_export_that_went_through_a_spreadsheet_is_read() -> None:
    path = CASES / "excel_mc.csv"
    (found,) = rows(path).values()
    assert (found["name"], "joined" in found) == ("Ann One", False)
    assert "may be two days: give --date-format" in found["warning"]
    (found,) = rows(path, "--date-format", "mdy").values()
    assert (found["joined"], "warning" in found) == ("2023-05-01T10:25:00+00:00", False)


def test_names_in_an_unknown_encoding_are_shown_and_asked_for() -> None:
    path = CASES / "latin2.csv"
    questions = asked(path)
    assert "--encoding cp1250: Łukasz, Żółw" in str(questions)
    (found,) = rows(path, *questions.options).values()
    assert found["name"] == "Łukasz Żółw"


def test_odd_beginnings_and_ends_of_lines_are_read() -> None:
    assert rows(CASES / "sepline.csv")["enc24a@example.com"]["name"] == "A"
    assert [row["name"] for row in rows(CASES / "trailcomma.csv").values()] == ["A", "B", "C"]


def test_addresses_are_read_as_people_write_them() -> None:
    found = rows(CASES / "angle.csv")
    assert found["enc20a@example.com"]["name"] == "Jane Doe"
    assert "did they mean joe@gmail.com?" in found["joe@gmial.com"]["warning"]
    assert "the address of a role" in found["abuse@example.com"]["warning"]
    for email in ("zw@example.com", "mt@example.com", "br@example.com", "nbsp@example.com"):
        assert "problem" not in found[email]


def test_a_zone_that_nobody_knows_is_a_warning() -> None:
    found = rows(CASES / "zones.csv")
    assert not any("problem" in row for row in found.values())
    unknown = {email for email, row in found.items() if "warning" in row}
    assert unknown == {f"z{number}@example.com" for number in (4, 7, 8, 9, 11)}
    assert not any("zone" in found[email] for email in unknown)


def test_consent_is_asked_for_behind_what_the_list_itself_leaves_open(
    engine: Engine, tmp_path: Path
) -> None:
    def imported(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(InvalidList) as raised:
            Lists(engine).import_list(
                path, "technology", known_topics=["chips"], default_zone="UTC", now=NOW
            )
        assert not path.with_suffix(".results.csv").exists()
        return str(raised.value)

    assert "--as left" in imported("gone.csv", "email,created\na@example.com,1700000000\n")
    assert "--consent" not in imported("gone.csv", "email,created\na@example.com,1700000000\n")
    assert "--consent" in imported("plain.csv", "email,name\na@example.com,Ann\n")
