"""A decision needs a reason."""

import pytest

from newsletter.core.reason import given
from newsletter.errors import NotAllowed


@pytest.mark.parametrize("nothing", ["", " ", "\t\n "])
def test_an_empty_reason_is_none(nothing: str) -> None:
    with pytest.raises(NotAllowed, match="a reason is needed"):
        given(nothing)


def test_a_reason_stands_on_one_line() -> None:
    assert given(" seen\nin the  feed ") == "seen in the feed"
