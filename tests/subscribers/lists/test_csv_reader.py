import pytest

from subscribers.errors import InvalidList
from subscribers.lists.csv_reader import CsvReader, read_csv
from subscribers.lists.model import read_explanations

TOPICS = {"chips", "policy"}
ZONES = {"UTC", "Europe/Berlin"}


def read_list(text: str, *explained: str) -> CsvReader:
    return read_csv(
        text.splitlines(keepends=True),
        "list.csv",
        said=read_explanations(columns=explained),
        known_topics=TOPICS,
        known_zones=ZONES,
    )


def rows(text: str, *explained: str) -> list[dict[str, str | None]]:
    """Return what each row says, nulls left out."""
    read = read_list(text, *explained)
    parts = (line.removesuffix("\n").split("\t") for line in read.lines)
    return [
        {
            name: value.replace("\\\\", "\\")
            for name, value in zip(read.fields, values, strict=True)
            if value != r"\N"
        }
        for values in parts
    ]


def problem(cells: str) -> str | None:
    (row,) = rows(f"email,name,topics,timezone,frequency,tags,joined\n{cells}\n")
    return row.get("problem")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_stand_in_any_order_case_and_with_any_delimiter(delimiter: str) -> None:
    header = delimiter.join(["TimeZone", " Topics", "Note", "NAME", "E" + "mail"])
    cells = delimiter.join(
        ["europe/berlin", '"Policy; chips"', "met once", "A  Reader", "A@example.com"]
    )
    read = read_list(f"{header}\r\n{cells}\r\n")
    assert read.ignored_columns == ("Note",)
    assert rows(f"{header}\r\n{cells}\r\n") == [
        {
            "line": "2",
            "email": "A@example.com",
            "name": "A Reader",
            "topics": "chips;policy",
            "zone": "Europe/Berlin",
        }
    ]


def test_a_list_of_bare_addresses_says_nothing_else() -> None:
    assert rows("email\na@example.com\n") == [{"line": "2", "email": "a@example.com"}]


def test_a_short_row_ends_in_blanks_and_a_blank_line_is_no_row() -> None:
    found = rows("email,name,topics\na@example.com\n\nb@example.com,B\n")
    assert [(row["line"], row.get("problem")) for row in found] == [("2", None), ("4", None)]


def test_lines_are_counted_through_quoted_line_ends() -> None:
    found = rows('email,note\na@example.com,"one\ntwo\nthree"\nb@example.com,\n')
    assert [row["line"] for row in found] == ["2", "5"]


def test_everything_may_be_asked_for_by_name() -> None:
    assert rows("email,topics\na@example.com,*;chips\n")[0]["topics"] == "*"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("nobody", "not an address"),
        ("", None),
        (",x", "no address"),
        ("a@example.com,,,,,,,more", "8 fields under 7 columns"),
        (f"{'a' * 310}@example.com", "longer than 320"),
    ],
)
def test_a_bad_cell_refuses_its_row_and_says_why(cells: str, words: str | None) -> None:
    if words is None:
        assert rows(f"email,name\n{cells}\n") == []
    else:
        assert words in (problem(cells) or "")


@pytest.mark.parametrize(
    ("cells", "words", "kept"),
    [
        ("a@example.com,,chips;gossip;rumour", "no topic: gossip, rumour", {"topics": "chips"}),
        ("a@example.com,,,Mars/Olympus", "unknown time zone: Mars/Olympus", {}),
        ("a@example.com,,,,hourly", "unknown frequency: hourly", {}),
        (f"a@example.com,,,,,{'t' * 51};x", "not a tag, which is printable", {"tags": "x"}),
        ('a@example.com,,,,,"0\n"""', "quotes cannot be read", {}),
        ("a@example.com,,,,,,1/2/2024", "may be two days: give --date-format", {}),
        ("a@example.com,,,,,,soon", "not a date: soon", {}),
        (f"a@example.com,{'n' * 201}", "longer than 200", {"name": "n" * 200}),
        ("a@example.com,N\x00N", "control character", {"name": "NN"}),
    ],
)
def test_a_side_fact_that_cannot_be_read_is_a_warning_and_never_refuses_the_person(
    cells: str, words: str, kept: dict[str, str]
) -> None:
    (row,) = rows(f"email,name,topics,timezone,frequency,tags,joined\n{cells}\n")
    assert words in (row.pop("warning") or "")
    assert row == {"line": "2", "email": "a@example.com", **kept}


def test_whoever_left_counts_whatever_else_is_wrong_with_the_row() -> None:
    header = "email,status,left,timezone,topics\n"
    (row,) = rows(f"{header}a@example.com,Unsubscribed,once,Mars/Olympus,gossip\n")
    assert row == {"line": "2", "email": "a@example.com", "leaves": "True", "paused": "False"}


def test_what_is_shown_of_a_refused_row_can_be_stored_and_printed() -> None:
    (row,) = rows("email\nbad\x00\x1baddr\\ess" + "x" * 1000 + "\n")
    assert row["email"] is not None
    assert row["email"].startswith("bad��addr\\ess")
    assert len(row["email"]) == 320
    assert "\x00" not in f"{row['problem']}"


def test_a_list_without_an_email_column_names_what_was_found() -> None:
    with pytest.raises(InvalidList, match=r"list\.csv.*found: who, name"):
        read_list("who;name\na@example.com;A\n")
    with pytest.raises(InvalidList, match="email"):
        read_list("")


def test_a_column_that_stands_twice_is_refused() -> None:
    with pytest.raises(InvalidList, match="more than one column is called “email”"):
        read_list("email,Email\n")


def test_a_quote_left_open_refuses_the_list_and_names_its_line() -> None:
    with pytest.raises(InvalidList, match=r"list\.csv, line 3: not CSV.*quote"):
        rows('email,name\na@example.com,A\nb@example.com,"B\nc@example.com,C\n')


def test_only_an_armed_cell_loses_its_apostrophe() -> None:
    (row,) = rows("email,name\n'+a@example.com,'tis\n")
    assert (row["email"], row["name"]) == ("+a@example.com", "'tis")
    (row,) = rows("email,name\na@example.com,''=1+1\n")
    assert row["name"] == "'=1+1"
