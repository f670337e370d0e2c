"""A letter's size is counted as Gmail counts it, and told before it is sent."""

import pytest

from newsletter.core.edition import Letter, whole_edition
from newsletter.core.issue import sample_issue
from newsletter.core.letter_size import EditionSize, refusal, size_of
from newsletter.core.mailing import envelope_of
from tests.settings import TECHNOLOGY

_EDITION = whole_edition(sample_issue(TECHNOLOGY))


@pytest.mark.parametrize(
    ("size", "large", "refused"),
    [(90_000, False, False), (90_001, True, False), (102_001, True, True)],
)
def test_from_90_kb_it_is_large_and_over_102_refused(size: int, large: bool, refused: bool) -> None:
    one = EditionSize(edition=_EDITION, bytes=size)
    assert (one.is_large, bool(refusal([one]))) == (large, refused)


def test_a_refusal_names_the_edition_and_what_helps() -> None:
    said = refusal([EditionSize(edition=_EDITION, bytes=110_000)])
    assert said
    assert f"Edition {_EDITION.key}" in said
    assert "110 kB" in said
    assert "leave out a story" in said


def test_bytes_are_those_of_the_html_in_utf_8_with_a_readers_values() -> None:
    letter = Letter(subject="", text="", html="ж東-nl_address_html-")
    envelope = envelope_of(TECHNOLOGY, "https://news.example.com")
    assert size_of(envelope, _EDITION, letter).bytes == 2 + 3 + len("reader@example.com")
