import pytest

from subscribers.errors import InvalidList
from subscribers.roster import Roster, Row, read_roster

TOPICS = {"chips", "policy"}
ZONES = {"UTC", "Europe/Berlin"}


def roster(text: str) -> Roster:
    return read_roster(
        text.splitlines(keepends=True), "list.csv", known_topics=TOPICS, known_zones=ZONES
    )


def rows(text: str) -> list[Row]:
    return list(roster(text).rows)


def problem(cells: str) -> str | None:
    (row,) = rows(f"email,name,topics,timezone\n{cells}\n")
    return row.problem


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_stand_in_any_order_case_and_with_any_delimiter(delimiter: str) -> None:
    header = delimiter.join(["TimeZone", " Topics", "Note", "NAME", "E" + "mail"])
    cells = delimiter.join(["europe/berlin", '"Policy; chips"', "x", "A  Reader", "A@example.com"])
    read = roster(f"{header}\r\n{cells}\r\n")
    assert read.ignored_columns == ("Note",)
    expected = Row(
        2, "A@example.com", "a@example.com", "A Reader", "chips;policy", "Europe/Berlin", None
    )
    assert list(read.rows) == [expected]


def test_a_list_of_bare_addresses_says_nothing_of_topics_and_zones() -> None:
    assert rows("email\na@example.com\n") == [
        Row(2, "a@example.com", "a@example.com", "", None, None, None)
    ]


def test_a_short_row_ends_in_blanks_and_a_blank_line_is_no_row() -> None:
    found = rows("email,name,topics\na@example.com\n\nb@example.com,B\n")
    assert [(row.line, row.problem) for row in found] == [(2, None), (4, None)]


def test_lines_are_counted_through_quoted_line_ends() -> None:
    found = rows('email,note\na@example.com,"one\ntwo\nthree"\nb@example.com,\n')
    assert [row.line for row in found] == [2, 5]


def test_everything_may_be_asked_for_by_name() -> None:
    assert rows("email,topics\na@example.com,*;chips\n")[0].topics == "*"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("nobody,,,", "not an address"),
        (",,,", "no address"),
        ("a@example.com,,chips;gossip;rumour,", "unknown topic: gossip, rumour"),
        ("a@example.com,,,Mars/Olympus", "unknown time zone: Mars/Olympus"),
        ("a@example.com,,,,more", "5 fields under 4 columns"),
        (f"a@example.com,{'n' * 201},,", "longer than 200"),
        (f"{'a' * 310}@example.com,,,", "longer than 320"),
        ("a@example.com,N\x00N,,", "control character"),
    ],
)
def test_a_bad_cell_refuses_its_row_and_says_why(cells: str, words: str) -> None:
    assert words in (problem(cells) or "")


def test_what_is_shown_of_a_refused_row_can_be_stored_and_printed() -> None:
    (row,) = rows("email\nbad\x00\x1baddress" + "x" * 1000 + "\n")
    assert row.email.startswith("bad��address")
    assert len(row.email) == 320
    assert "\x00" not in f"{row.problem}"


def test_a_list_without_an_email_column_names_what_was_found() -> None:
    with pytest.raises(InvalidList, match=r"list\.csv.*found: e-mail, name"):
        roster("e-mail;Name\na@example.com;A\n")
    with pytest.raises(InvalidList, match="email"):
        roster("")


def test_a_column_that_stands_twice_is_refused() -> None:
    with pytest.raises(InvalidList, match="more than one column is called “email”"):
        roster("email,Email\n")


def test_a_quote_left_open_refuses_the_list_and_names_its_line() -> None:
    with pytest.raises(InvalidList, match=r"list\.csv, line 3: not CSV.*quote"):
        rows('email,name\na@example.com,A\nb@example.com,"B\nc@example.com,C\n')
