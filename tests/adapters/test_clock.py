"""Ids: of the same length, never twice, and in the order in which they were made."""

from newsletter.adapters import clock


def test_ids_that_are_ordered_sort_by_the_moment_they_were_made_in(monkeypatch):
    moments = (1_795_000_000_000_000_000, 1_795_000_000_001_000_000, 1_900_000_000_000_000_000)
    made: list[str] = []
    for moment in moments:
        monkeypatch.setattr(clock.time, "time_ns", lambda moment=moment: moment)
        made.append(clock.new_ordered_id())
    assert made == sorted(made)


def test_two_of_one_moment_differ_and_are_as_long_as_random_ones(monkeypatch):
    monkeypatch.setattr(clock.time, "time_ns", lambda: 1_795_000_000_000_000_000)
    made = {clock.new_ordered_id() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(one) for one in (*made, clock.new_id())} == {32}
