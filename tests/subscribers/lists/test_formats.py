"""Each sample holds the columns of a service's own export, and people who stand differently."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from subscribers.errors import InvalidList
from subscribers.lists.formats import FORMATS
from subscribers.lists.model import read_mapping
from tests.subscribers.lists.helpers import answers, import_text

pytestmark = pytest.mark.postgres

SAMPLES = Path(__file__).with_name("exports")

ADDED = ("added", "")


@pytest.mark.parametrize(
    ("sample", "name", "expected"),
    [
        (
            "mailchimp_subscribed",
            "Mailchimp",
            [ADDED, ADDED, ("refused", "not confirmed in Mailchimp: ask them to sign up")],
        ),
        (
            "mailchimp_unsubscribed",
            "Mailchimp, unsubscribed",
            [("ended", "left, in Mailchimp"), ("suppressed", "complaint in Mailchimp")],
        ),
        ("mailchimp_cleaned", "Mailchimp, cleaned", [("suppressed", "bounce in Mailchimp")]),
        ("substack", "Substack", [ADDED, ADDED, ("ended", "left, in Substack")]),
        (
            "beehiiv",
            "beehiiv",
            [
                ADDED,
                ("ended", "left, in beehiiv"),
                ("refused", "not confirmed in beehiiv: ask them to sign up"),
                ("suppressed", "invalid in beehiiv"),
            ],
        ),
        (
            "buttondown",
            "Buttondown",
            [
                ADDED,
                ("ended", "left, in Buttondown"),
                ("refused", "not confirmed in Buttondown: ask them to sign up"),
                ("suppressed", "complaint in Buttondown"),
                ("suppressed", "manual in Buttondown"),
                ADDED,
            ],
        ),
        (
            "listmonk",
            "listmonk",
            [ADDED, ("ended", "left, in listmonk"), ("suppressed", "manual in listmonk")],
        ),
        (
            "ghost",
            "Ghost",
            [ADDED, ("ended", "left, in Ghost"), ("ended", "left, in Ghost")],
        ),
        (
            "ours",
            "list",
            [
                ADDED,
                ("ended", "left, in the list"),
                ADDED,
                ("suppressed", "soft_bounce in the list"),
                ("suppressed", "complaint in the list"),
            ],
        ),
    ],
)
def test_an_export_is_known_by_its_columns_and_who_left_is_not_mailed(
    engine: Engine, tmp_path: Path, sample: str, name: str, expected: list[tuple[str, str]]
) -> None:
    content = (SAMPLES / f"{sample}.csv").read_bytes()
    said = {"listed_as": "subscribed"} if sample == "listmonk" else {}
    report = import_text(engine, tmp_path, content, **said)
    assert report.format == name
    assert [answer[2:] for answer in answers(report)] == expected
    with engine.begin() as connection:
        mailable = connection.execute(
            text("SELECT email FROM audience WHERE exclusion IS NULL ORDER BY email")
        ).scalars()
        paused = {"third@example.com"} if sample == "ours" else set()
        assert list(mailable) == sorted(
            answer[1]
            for answer in answers(report)
            if answer[2] == "added" and answer[1] not in paused
        )
    again = import_text(engine, tmp_path, content, **said)
    kept = {"added": "unchanged"}
    assert [answer[2] for answer in answers(again)] == [kept.get(e[0], e[0]) for e in expected]


SAID = """
SELECT name, array_to_string(slugs, ';') AS topics, zone, frequency, tags,
       subscription.created_at::date::text AS joined
FROM subscription
JOIN subscriber ON subscriber.id = subscriber_id
JOIN topic_set ON topic_set.id = topic_set_id
WHERE email = 'first@example.com'
"""


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (
            "mailchimp_subscribed",
            ("Reader One", "*", "America/New_York", "daily", ["Spring event", "VIP"], "2023-05-01"),
        ),
        ("substack", ("", "*", "UTC", "daily", [], "2023-01-15")),
        ("beehiiv", ("Reader One", "*", "UTC", "daily", ["early", "podcast"], "2024-04-01")),
        ("buttondown", ("", "*", "UTC", "daily", ["early", "podcast"], "2024-05-01")),
        ("listmonk", ("Reader One", "*", "Europe/Berlin", "daily", ["early"], "2023-07-01")),
        ("ghost", ("Reader One", "*", "UTC", "daily", ["early", "podcast"], "2022-08-01")),
        (
            "ours",
            (
                "Reader One",
                "chips;policy",
                "Europe/Berlin",
                "weekly",
                ["early", "podcast"],
                "2024-01-02",
            ),
        ),
    ],
)
def test_what_an_export_says_of_somebody_is_kept(
    engine: Engine, tmp_path: Path, sample: str, expected: tuple[object, ...]
) -> None:
    said = {"listed_as": "subscribed"} if sample == "listmonk" else {}
    import_text(engine, tmp_path, (SAMPLES / f"{sample}.csv").read_bytes(), **said)
    with engine.begin() as connection:
        assert tuple(connection.execute(text(SAID)).one()) == expected


def test_what_left_elsewhere_is_evidence_here(engine: Engine, tmp_path: Path) -> None:
    import_text(engine, tmp_path, (SAMPLES / "mailchimp_unsubscribed.csv").read_bytes())
    with engine.begin() as connection:
        acts = connection.execute(
            text("SELECT act, at::date::text, source, detail FROM consent ORDER BY at DESC")
        ).all()
        inactive = connection.execute(
            text("SELECT email_key, reason, source, since::date::text, note FROM suppression")
        ).all()
    assert [tuple(act) for act in acts] == [
        (
            "withdrawn",
            day,
            "import 1",
            {"line": line, "format": "Mailchimp, unsubscribed"},
        )
        for day, line in (("2024-06-30", 2), ("2023-01-02", 3))
    ]
    expected = ("second@example.com", "complaint", "import 1", "2023-01-02", "Mailchimp")
    assert [tuple(one) for one in inactive] == [expected]


def test_a_foreign_list_is_explained_column_by_column(engine: Engine, tmp_path: Path) -> None:
    report = import_text(
        engine,
        tmp_path,
        "E-Mail;Interessen;Status;Vorname\n"
        "a@example.com;Chips, Rare earths;active;A\n"
        "b@example.com;;opted_out;B\n"
        "c@example.com;;??;C\n",
        explained=["E-Mail=email", "interessen=topics", "STATUS=status", "Vorname=first name"],
    )
    assert [answer[2:] for answer in answers(report)] == [
        ("added", "no topic: Rare earths, kept as a tag"),
        ("ended", "left, in the list"),
        ("refused", "unknown status: ??"),
    ]


def test_words_that_are_no_topics_are_tags_where_a_column_was_explained(
    engine: Engine, tmp_path: Path
) -> None:
    import_text(
        engine,
        tmp_path,
        "email,interests\nfirst@example.com,Chips|Rare earths\n",
        explained=["interests=topics"],
    )
    with engine.begin() as connection:
        found = connection.execute(text(SAID)).one()
    assert (found.topics, found.tags) == ("chips", ["Rare earths"])


def test_a_column_that_may_say_who_left_is_not_passed_over(engine: Engine, tmp_path: Path) -> None:
    content = "email,Unsubscribed At\na@example.com,2024-01-01\nb@example.com,\n"
    with pytest.raises(InvalidList, match="the column “Unsubscribed At” say"):
        import_text(engine, tmp_path, content)
    report = import_text(engine, tmp_path, content, explained=["unsubscribed at=ignore"])
    assert [answer[2] for answer in answers(report)] == ["added", "added"]
    report = import_text(engine, tmp_path, content, explained=["unsubscribed at=left"])
    assert [answer[2] for answer in answers(report)] == ["ended", "unchanged"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (["email"], "explains no column"),
        (["a=shoe size"], "explains no column.*email, name"),
        (["Nobody=email"], "no column “nobody” to explain; found: email"),
    ],
)
def test_an_explanation_that_explains_nothing_is_refused(
    engine: Engine, tmp_path: Path, said: list[str], words: str
) -> None:
    with pytest.raises(InvalidList, match=words):
        import_text(engine, tmp_path, "email\na@example.com\n", explained=said)


def test_every_format_says_where_the_address_is_and_has_a_name_of_its_own() -> None:
    assert len({kind.name for kind in FORMATS}) == len(FORMATS)
    assert all("email" in kind.columns.values() for kind in FORMATS)
    assert read_mapping(["a = First Name"]) == {"a": "first name"}
