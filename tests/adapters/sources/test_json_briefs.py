"""JSON files: one brief or several, all or none."""

import json
from pathlib import Path
from typing import Any

import pytest

from newsletter.adapters.sources.files import read_file
from newsletter.adapters.sources.json_briefs import read_json
from newsletter.core.brief import Verification
from newsletter.errors import InvalidBrief

ONE: dict[str, Any] = {
    "title": "A title of some length",
    "pillar": "Technology",
    "summary": "What <b>happened</b>.",
    "body": ["One.", 'Two <a href="https://example.com">links</a>.'],
    "verification": "Not verified",
    "minutes": 3,
    "topics": "chips, policy",
    "why": None,
}


def dumps(**changes: Any) -> str:
    return json.dumps({**ONE, **changes})


def test_an_object_is_one_brief() -> None:
    (brief,) = read_json(dumps(), "a.json")
    assert brief.key == "a-title-of-some-length"
    assert brief.summary == "What happened."
    assert brief.body == ("One.", 'Two <a href="https://example.com">links</a>.')
    assert brief.verification is Verification.UNVERIFIED
    assert (brief.minutes, brief.topics, brief.why) == (3, ("chips", "policy"), "")


def test_a_body_in_one_piece_is_parted_into_paragraphs() -> None:
    (brief,) = read_json(dumps(body="<p>One.</p><p>Two.</p>\n\nThree."), "a.json")
    assert brief.body == ("One.", "Two.", "Three.")


def test_a_list_is_several_briefs_in_order() -> None:
    briefs = read_json(f"[{dumps()}, {dumps(title='Another title')}]", "a.json")
    assert [brief.title for brief in briefs] == [ONE["title"], "Another title"]


def test_half_a_surrogate_pair_does_not_survive() -> None:
    (brief,) = read_json(dumps(title="Half \ud83d a pair"), "a.json")
    assert brief.title == "Half a pair"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ('{"title": "x",\n "pil', "a.json, line 2, column 2", "not JSON"),
        ("", "a.json, line 1, column 1", "not JSON"),
        ("3", "a.json", "must be an object or a list"),
        ('["x"]', "a.json, item 1", "must be an object"),
        ("[" * 100_000, "a.json", "nested too deeply"),
        ('{"minutes": ' + "9" * 5_000 + "}", "a.json", "a number too long"),
        ('{"title": "x", "title": "y"}', "a.json, field title", "given twice"),
        (dumps(colour="red"), "a.json, field colour", "unknown field"),
        (dumps(title=7), "a.json, field title", "must be text, not int"),
        (dumps(title=" "), "a.json, field title", "is missing"),
        (dumps(minutes=2.5), "a.json, field minutes", "not float"),
        (dumps(minutes=True), "a.json, field minutes", "not bool"),
        (dumps(topics={"a": 1}), "a.json, field topics", "not dict"),
        (dumps(body=["x", 1]), "a.json, field body", "texts only, not int"),
        (f"[{dumps()}, {dumps(why=[])}]", "a.json, item 2, field why", "must be text"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, place: str, reason: str) -> None:
    with pytest.raises(InvalidBrief) as caught:
        read_json(text, "a.json")
    assert caught.value.place == place
    assert reason in caught.value.reason


def test_two_briefs_of_one_key_refuse_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(f"[{dumps()}, {dumps(summary='Otherwise.')}]")
    with pytest.raises(InvalidBrief, match=r"item 2: the key 'a-title-of-some-length'"):
        read_file(path)
