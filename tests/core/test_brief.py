"""A brief's key and digest say when two briefs are one."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.brief import (
    Brief,
    Doubt,
    Importance,
    Picture,
    Source,
    Verification,
    brief_key,
    reading_minutes,
)

BRIEF = Brief(key="k", title="One two", pillar="Technology", summary="Three four five.", why="Six.")
CHANGES = {
    "key": "other",
    "title": "Other",
    "pillar": "Other",
    "summary": "Other",
    "body": ("Other",),
    "why": "Other",
    "source": Source(name="Other"),
    "verification": Verification.PARTIAL,
    "importance": Importance.HIGH,
    "minutes": 9,
    "topics": ("other",),
    "published": datetime(2026, 3, 31, tzinfo=UTC),
    "undated": True,
    "doubts": (Doubt(field="title", reason="Other"),),
    "short": "Other",
    "line": "Other",
    "unconfirmed": "Other",
    "picture": Picture(url="https://example.com/p.png"),
}


def test_equal_content_has_an_equal_digest_and_any_change_another() -> None:
    assert replace(BRIEF).digest == BRIEF.digest
    changed = {replace(BRIEF, **{name: value}).digest for name, value in CHANGES.items()}
    assert set(CHANGES) == set(Brief.__dataclass_fields__)
    assert len(changed | {BRIEF.digest}) == len(CHANGES) + 1


def test_a_key_ignores_case_and_punctuation() -> None:
    assert brief_key("Straße: “One”, two!") == brief_key("STRASSE one — TWO") == "strasse-one-two"


@given(st.text())
def test_a_key_is_short_and_has_no_spaces(title: str) -> None:
    key = brief_key(title)
    assert len(key) <= 200
    assert not any(character.isspace() for character in key)


def test_labels_and_letters_are_ordered() -> None:
    assert sorted(Verification, key=lambda label: label.rank) == [
        "unverified",
        "partial",
        "verified",
    ]
    assert sorted(Importance, key=lambda letter: letter.rank) == ["L", "M", "H"]


def test_reading_takes_whole_minutes_and_at_least_one() -> None:
    assert [reading_minutes(words) for words in (0, 1, 230, 231, 460)] == [1, 1, 1, 2, 2]
