"""Polling on a real database: twice is once, a change is a revision, trouble is kept."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine

from newsletter.adapters.sources.polling import HttpSourceReader
from newsletter.core.brief import Brief
from newsletter.core.publication import Newsletter
from newsletter.core.source import PolledSource
from newsletter.core.source_record import (
    Answer,
    PollResult,
    SourceReading,
    SourceRecord,
    SourceState,
    Tally,
    Unmodified,
)
from tests.container import open_container
from tests.services.test_receiving import counted, many
from tests.settings import TECHNOLOGY
from tests.sources import (
    NOW,
    Site,
    feed,
    post,
    posts,
    rss,
    rss_item,
    wordpress,
)

NO_ITEM = rss_item(2, title="", description="")

pytestmark = pytest.mark.postgres


def numbered(*numbers: int) -> list[Brief]:
    every = many(max(numbers))
    return [every[number - 1] for number in numbers]


class Polled:
    """Polling with a clock to wind, and the briefs it received."""

    def __init__(self, engine: Engine, reader: HttpSourceReader) -> None:
        self.container = open_container(engine, source_reader=reader)
        self.clock, self.store = self.container.clock, self.container.sources
        self.polling = self.container.polling

    def read_by(self, read: Callable[..., Answer]) -> None:
        """Let this function answer for the sources from now on."""
        self.polling = self.container.restarted(source_reader=SimpleNamespace(read=read)).polling

    def poll(self, *sources: PolledSource) -> list[tuple[PollResult, Tally]]:
        polls = self.polling.poll_all(replace(TECHNOLOGY, sources=sources))
        return [(one.result, one.tally) for one in polls]

    def titles(self) -> list[str]:
        return [title for (title,) in self.container.query("SELECT title FROM brief ORDER BY id")]

    def revisions(self) -> int:
        return self.container.query("SELECT count(*) FROM brief_revision")[0][0]


@pytest.fixture
def polled(engine: Engine, reader: HttpSourceReader) -> Polled:
    return Polled(engine, reader)


def test_polling_twice_is_polling_once(polled: Polled, site: Site) -> None:
    site.serve("/wp-json/wp/v2/posts", posts(post(1), post(2, title={"rendered": "Chips go dry"})))
    sources = (
        feed(site.serve("/rss", rss(rss_item(7, title="A lathe learns to listen")))),
        wordpress(site.url),
    )
    assert polled.poll(*sources) == [
        (PollResult.READ, Tally(new=1)),
        (PollResult.READ, Tally(new=2)),
    ]
    before = polled.titles(), polled.revisions()
    assert len(before[0]) == 3
    assert polled.poll(*sources) == [
        (PollResult.READ, Tally(unchanged=1)),
        (PollResult.READ, Tally(unchanged=2)),
    ]
    assert (polled.titles(), polled.revisions()) == before


def test_what_has_not_changed_is_asked_for_and_not_received(polled: Polled, site: Site) -> None:
    source = feed(site.serve("/rss", rss(rss_item(), NO_ITEM), headers={"ETag": '"1"'}))
    assert polled.poll(source) == [(PollResult.READ, Tally(new=1, refused=1))]
    assert polled.poll(source) == [(PollResult.UNMODIFIED, Tally())]
    assert site.asked[-1][1]["If-None-Match"] == '"1"'
    record = polled.store.find("technology", "wire")
    assert record.tally == Tally(new=1, refused=1), "what was last read is still shown"
    assert [one.item for one in record.refused] == ["item 2 https://wire.example.org/2"]


def test_a_changed_item_is_a_revision_and_its_neighbours_are_not(
    polled: Polled, site: Site
) -> None:
    other = rss_item(2, title="A lathe learns to listen")
    source = feed(site.serve("/rss", rss(rss_item(1), other)))
    polled.poll(source)
    site.serve("/rss", rss(rss_item(1, title="Foundry number 1 thirds the water it needs"), other))
    assert polled.poll(source) == [(PollResult.READ, Tally(revised=1, unchanged=1))]
    assert polled.titles()[0] == "Foundry number 1 thirds the water it needs"
    assert polled.revisions() == 3


def test_a_poll_costs_few_transactions_however_much_the_source_shows(
    polled: Polled, engine: Engine
) -> None:
    def cost(*numbers: int) -> int:
        shown = tuple(replace(one, key=f"technology/wire/{one.key}") for one in numbered(*numbers))
        polled.read_by(lambda *_: SourceReading(briefs=shown))
        with counted(engine) as counts:
            [(_, tally)] = polled.poll(feed("https://wire.example.org/"))
        assert tally.new == len(numbers)
        return counts["begin"]

    cost(1)  # the first reading also makes the baseline
    assert cost(2) == cost(*range(3, 60))


def test_one_that_is_refused_does_not_stop_its_neighbours_and_an_id_given_twice_is_two(
    polled: Polled,
) -> None:
    one, foreign, other = numbered(1, 2, 3)
    old = replace(other, key="old", published=NOW - timedelta(days=30))
    polled.read_by(
        lambda *_: SourceReading(
            briefs=(one, replace(foreign, pillar="Nothing"), replace(other, key=one.key), old, old)
        )
    )
    [(_, tally)] = polled.poll(feed("https://wire.example.org/"))
    assert tally == Tally(new=2, refused=1, older=2)
    assert polled.titles() == [one.title, other.title]


def test_the_same_id_in_two_sources_is_two_briefs(polled: Polled, site: Site) -> None:
    one = feed(site.serve("/one", rss(rss_item(1))))
    two = feed(site.serve("/two", rss(rss_item(1, title="A lathe learns to listen"))), slug="two")
    polled.poll(one, two)
    assert len(polled.titles()) == 2


def test_a_source_that_is_down_keeps_no_other_waiting_and_comes_back(
    polled: Polled, site: Site
) -> None:
    sources = (
        feed(site.serve("/bad", status=500), slug="bad"),
        feed(site.serve("/rss", rss(rss_item()))),
    )
    newsletter = replace(TECHNOLOGY, sources=sources)

    def health() -> tuple[SourceState, int]:
        bad, _ = polled.polling.reports(newsletter)
        return bad.health.state, bad.health.failures

    assert health() == (SourceState.UNPOLLED, 0)
    assert [result for result, _ in polled.poll(*sources)] == [PollResult.FAILED, PollResult.READ]
    assert health() == (SourceState.FAILING, 1)
    polled.clock.pass_time(hours=6)
    assert health() == (SourceState.DOWN, 1)
    polled.poll(*sources)
    assert health() == (SourceState.DOWN, 2)
    assert polled.polling.reports(newsletter)[0].health.since == NOW
    assert polled.polling.reports(newsletter)[0].health.error == "127.0.0.1 answered 500"
    site.serve("/bad", rss(rss_item(5, title="A lathe learns to listen")))
    assert polled.poll(*sources)[0] == (PollResult.READ, Tally(new=1))
    assert health() == (SourceState.UP, 0)


def test_a_source_is_polled_by_one_at_a_time(polled: Polled) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slowly(*_: object) -> Answer:
        asked.set()
        assert go_on.wait(30)
        return Unmodified()

    polled.read_by(slowly)
    source, found = feed("https://wire.example.org/"), []
    first = threading.Thread(target=lambda: found.extend(polled.poll(source)))
    first.start()
    assert asked.wait(30)
    assert polled.poll(source) == [(PollResult.BUSY, Tally())]
    go_on.set()
    first.join()
    assert found == polled.poll(source) == [(PollResult.UNMODIFIED, Tally())]


def test_a_poll_that_died_is_made_up_for_when_its_lease_runs_out(polled: Polled) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> Answer:
        raise Killed

    source = feed("https://wire.example.org/")
    polled.read_by(die)
    with pytest.raises(Killed):
        polled.poll(source)
    polled.read_by(lambda *_: Unmodified())
    assert polled.poll(source)[0][0] is PollResult.BUSY
    polled.clock.pass_time(minutes=10)
    assert polled.poll(source)[0][0] is PollResult.UNMODIFIED


def test_only_the_sources_that_are_due_are_asked(polled: Polled) -> None:
    asked: list[str] = []

    def note(_: Newsletter, source: PolledSource, *__: object) -> Answer:
        asked.append(source.slug)
        return Unmodified()

    polled.read_by(note)
    often = feed("https://wire.example.org/", slug="often", poll_minutes=5)
    newsletter = replace(
        TECHNOLOGY, sources=(often, replace(often, slug="seldom", poll_minutes=60))
    )
    for _ in range(4):
        polled.polling.poll_due(newsletter)
        polled.clock.pass_time(minutes=4)
    assert asked == ["often", "seldom", "often"]


def test_only_what_changed_lately_is_asked_for(polled: Polled) -> None:
    seen: list[object] = []

    def note(*given: object) -> Answer:
        seen.append(given[3])
        return Unmodified()

    polled.read_by(note)
    polled.poll(feed("https://wire.example.org/"))
    assert seen == [NOW - 2 * timedelta(hours=TECHNOLOGY.caps.age_hours)]


def test_a_record_comes_back_as_it_was_kept(polled: Polled, site: Site) -> None:
    source = feed(
        site.serve("/rss", rss(rss_item(), rss_item(2, title="")), headers={"ETag": '"1"'})
    )
    assert polled.store.find("technology", "wire") == SourceRecord()
    [poll] = polled.polling.poll_all(replace(TECHNOLOGY, sources=(source,)))
    assert polled.store.find("technology", "wire") == poll.report.record
