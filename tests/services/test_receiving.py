"""Many briefs at once: each as if it came alone, at the cost of few transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event

from newsletter.core.brief import Brief, Source
from newsletter.core.verification import Ruling
from newsletter.services.intake import NotReceived
from newsletter.services.receiving import Arrival, Receipt
from tests.container import TODAY, TestContainer, brief, open_container
from tests.web.api.asking import given_brief

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return open_container(engine)


def many(count: int, **changes: object) -> list[Brief]:
    made = (given_brief(number) for number in range(1, count + 1))
    return [
        brief(
            title=one["title"],
            source=Source(name="Example Wire", url=str(one["source_url"])),
            **changes,
        )
        for one in made
    ]


def hand_over(container: TestContainer, *briefs: Brief) -> list[Receipt]:
    everything = tuple(container.settings.newsletters.values())
    found = container.intake.hand_over(briefs, to=everything, actor="token:test (1)")
    return [one for one in found if isinstance(one, Receipt)]


@contextmanager
def counted(engine: Engine) -> Iterator[dict[str, int]]:
    """Count the transactions and the statements of a block."""
    counts = {"begin": 0, "before_cursor_execute": 0}

    def counting(name: str):
        def count(*_: object) -> None:
            counts[name] += 1

        return count

    listeners = {name: counting(name) for name in counts}
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield counts
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


def test_two_hundred_briefs_take_as_many_transactions_as_two(container: TestContainer):
    cost = dict[int, dict[str, int]]()
    for size in (2, 200):
        container.query("TRUNCATE brief CASCADE")
        for minutes in (2, 3):  # new, and revised
            with counted(container.engine) as counts:
                receipts = hand_over(container, *many(size, minutes=minutes))
            cost[size * 10 + minutes] = counts
            assert {one.stored.ruling for one in receipts} == {Ruling.ACCEPTED}
            assert len(receipts) == size
    assert cost[2002] == cost[22]
    assert cost[2003] == cost[23]
    assert cost[2002]["begin"] <= 8
    assert len(container.query("SELECT 1 FROM decision")) == 404
    assert container.query("SELECT count(*) FROM brief_revision") == [(400,)]


def test_a_brief_is_compared_with_those_before_it_in_the_same_call(container: TestContainer):
    first, second = brief(), brief(key="again", source=Source(name="Other", url="https://o.org/x"))
    receipts = hand_over(container, brief("policy"), first, second, brief("policy", minutes=9))
    assert [one.stored.ruling for one in receipts] == [
        Ruling.ACCEPTED, Ruling.ACCEPTED, Ruling.HELD, Ruling.ACCEPTED,
    ]  # fmt: skip
    assert f"brief {receipts[1].stored.brief_id}, " in receipts[2].stored.reasons[0]
    assert [one.arrival for one in receipts][-1] is Arrival.REVISED
    for one in (receipts[1], receipts[2], receipts[3]):
        assert container.briefs.get(one.stored.brief_id) == one.stored


def test_one_that_cannot_be_stored_does_not_stop_its_neighbours(container: TestContainer):
    given = many(5)
    given[2] = replace(given[2], why="half\0")
    everything = tuple(container.settings.newsletters.values())
    found = container.intake.hand_over(given, to=everything, actor="token:test (1)")
    assert [isinstance(one, NotReceived) for one in found] == [False, False, True, False, False]
    assert container.query("SELECT count(*) FROM brief") == [(4,)]
    assert container.query("SELECT count(*) FROM decision") == [(4,)]


def test_revisions_in_one_call_leave_and_void_what_they_would_alone(container: TestContainer):
    container.receive("chips", "policy")
    container.publishing.assemble(container.newsletter, TODAY)
    seen, unseen = (
        brief(summary="A new summary of it that is long enough to be one, and more."),
        (brief("policy", published=container.clock.now())),
    )
    receipts = hand_over(container, seen, unseen)
    assert [one.arrival for one in receipts] == [Arrival.REVISED] * 2
    issue = container.publishing.issue(container.newsletter, TODAY)
    assert [entry.brief.key for entry in issue.issue.entries] == [unseen.key]


def test_a_brief_that_came_meanwhile_is_revised(
    container: TestContainer, monkeypatch: pytest.MonkeyPatch
):
    """Two calls at once with the same new brief: the second one takes the first into account."""
    ids = container.briefs.new_ids

    def late(count: int) -> tuple[int, ...]:
        monkeypatch.undo()
        hand_over(container, brief())
        return ids(count)

    monkeypatch.setattr(container.briefs, "new_ids", late)
    receipts = hand_over(container, brief("policy"), brief(minutes=7))
    assert [one.arrival for one in receipts] == [Arrival.NEW, Arrival.REVISED]
    assert receipts[1].stored.revision == 2
    assert container.briefs.get(receipts[1].stored.brief_id) == receipts[1].stored
