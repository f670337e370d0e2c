"""The golden letter: a diff here is a design review. UPDATE_GOLDEN=1 writes it anew."""

import os
from pathlib import Path

import pytest

from newsletter.core.edition import Letter

_GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("part", ["html", "text"])
def test_the_sample_letter_is_the_golden_one(letter: Letter, part: str) -> None:
    golden = _GOLDEN / f"technology.{'html' if part == 'html' else 'txt'}"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_bytes(getattr(letter, part).encode())
    assert getattr(letter, part).encode() == golden.read_bytes()
