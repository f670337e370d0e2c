"""The first sentence of a summary, and what a letter prints of a story."""

import doctest

import pytest

from newsletter.core import edition, story_size
from newsletter.core.story_size import first_sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("The plant opens. It is large.", "The plant opens."),
        ("The U.S. plant opens. It is large.", "The U.S. plant opens."),
        ("Speed rose by 4.5 percent, says Dr. Ada. Then it fell.", None),
        ("“Is it open?” they asked. It is.", "“Is it open?”"),
        ("一份合同将供暖。第二个冬天停用锅炉。", "一份合同将供暖。"),
        ("آیا این کارخانه باز شد؟ بله.", "آیا این کارخانه باز شد؟"),
        ("No end at all", "No end at all"),
        ("", ""),
    ],
)
def test_the_first_sentence_is_whole(text: str, sentence: str | None) -> None:
    assert first_sentence(text) == (text.rpartition(" Then")[0] if sentence is None else sentence)


def test_the_examples_hold() -> None:
    assert not any(doctest.testmod(module).failed for module in (story_size, edition))
