"""Reading ahead: the same items in the same order, never many of them, and no more once closed."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from subscribers.lists.read_ahead import read_ahead


def test_items_come_in_their_order_and_an_error_after_those_before_it() -> None:
    def broken() -> Iterator[int]:
        yield from range(5)
        raise ValueError("the sixth")

    found: list[int] = []
    with pytest.raises(ValueError, match="the sixth"):
        found.extend(read_ahead(broken(), 3))
    assert found == [0, 1, 2, 3, 4]


def test_no_more_are_fetched_than_may_wait_and_none_once_it_is_closed() -> None:
    fetched: list[int] = []

    def counted() -> Iterator[int]:
        for number in range(100):
            fetched.append(number)
            yield number

    source = counted()
    with closing(source), closing(read_ahead(source, 3)) as coming:
        assert [next(coming), next(coming)] == [0, 1]
    assert len(fetched) <= 5
