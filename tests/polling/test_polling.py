"""Polling on a real database: twice is once, a change is a revision, trouble is kept."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from newsletter.adapters.sources.polling import HttpSourceReader
from newsletter.core.publication import Newsletter
from newsletter.core.source import PolledSource
from newsletter.core.source_record import (
    Answer,
    SourceRecord,
    SourceState,
    Tally,
    Unmodified,
    Validators,
)
from newsletter.services.polling import Polling, PollResult
from newsletter.stores.sources import Sources
from tests.house import TECHNOLOGY, open_house
from tests.polling.conftest import NOW, Site, feed, post, posts, rss, rss_item, wordpress

pytestmark = pytest.mark.postgres


class Desk:
    """Polling as it is wired in earnest, with a clock to wind."""

    def __init__(self, engine: Engine, reader: HttpSourceReader) -> None:
        house = open_house(engine)
        self.engine, self.house, self.clock = engine, house, house.clock
        self.store = Sources(engine)
        self.polling = self.wired(reader.read)

    def wired(self, read: Callable[..., Answer]) -> Polling:
        class Reader:
            """A reader that is this one function."""

            def read(
                self,
                newsletter: Newsletter,
                source: PolledSource,
                validators: Validators,
                since: object,
            ) -> Answer:
                return read(newsletter, source, validators, since)

        return Polling(
            intake=self.house.intake,
            sources=self.store,
            reader=Reader(),
            clock=self.clock,
            down_after=timedelta(hours=6),
        )

    def poll(self, *sources: PolledSource) -> list[tuple[PollResult, Tally]]:
        polls = self.polling.poll_all(replace(TECHNOLOGY, sources=sources))
        return [(one.result, one.tally) for one in polls]

    def titles(self) -> list[str]:
        with self.engine.begin() as connection:
            return list(connection.execute(text("SELECT title FROM brief ORDER BY id")).scalars())

    def revisions(self) -> int:
        with self.engine.begin() as connection:
            return connection.execute(text("SELECT count(*) FROM brief_revision")).scalar_one()


@pytest.fixture
def desk(engine: Engine, reader: HttpSourceReader) -> Desk:
    return Desk(engine, reader)


def test_polling_twice_is_polling_once(desk: Desk, site: Site) -> None:
    site.serve("/wp-json/wp/v2/posts", posts(post(1), post(2, title={"rendered": "Chips go dry"})))
    sources = (
        feed(site.serve("/rss", rss(rss_item(7, title="A lathe learns to listen")))),
        wordpress(site.url),
    )
    assert desk.poll(*sources) == [
        (PollResult.READ, Tally(new=1)),
        (PollResult.READ, Tally(new=2)),
    ]
    before = desk.titles(), desk.revisions()
    assert len(before[0]) == 3
    assert desk.poll(*sources) == [
        (PollResult.READ, Tally(unchanged=1)),
        (PollResult.READ, Tally(unchanged=2)),
    ]
    assert (desk.titles(), desk.revisions()) == before


def test_what_has_not_changed_is_asked_for_and_not_received(desk: Desk, site: Site) -> None:
    source = feed(
        site.serve("/rss", rss(rss_item(), rss_item(2, title="")), headers={"ETag": '"1"'})
    )
    assert desk.poll(source) == [(PollResult.READ, Tally(new=1, refused=1))]
    assert desk.poll(source) == [(PollResult.UNMODIFIED, Tally())]
    assert site.asked[-1][1]["If-None-Match"] == '"1"'
    record = desk.store.find("technology", "wire")
    assert record.tally == Tally(new=1, refused=1), "what was last read is still told"
    assert [one.item for one in record.refused] == ["item 2"]


def test_a_changed_item_is_a_revision_and_its_neighbours_are_not(desk: Desk, site: Site) -> None:
    other = rss_item(2, title="A lathe learns to listen")
    source = feed(site.serve("/rss", rss(rss_item(1), other)))
    desk.poll(source)
    site.serve("/rss", rss(rss_item(1, title="Foundry number 1 thirds the water it needs"), other))
    assert desk.poll(source) == [(PollResult.READ, Tally(revised=1, unchanged=1))]
    assert desk.titles()[0] == "Foundry number 1 thirds the water it needs"
    assert desk.revisions() == 3


def test_the_same_id_in_two_sources_is_two_briefs(desk: Desk, site: Site) -> None:
    one = feed(site.serve("/one", rss(rss_item(1))))
    two = feed(site.serve("/two", rss(rss_item(1, title="A lathe learns to listen"))), slug="two")
    desk.poll(one, two)
    assert len(desk.titles()) == 2


def test_a_source_that_is_down_keeps_no_other_waiting_and_comes_back(
    desk: Desk, site: Site
) -> None:
    sources = (
        feed(site.serve("/bad", status=500), slug="bad"),
        feed(site.serve("/rss", rss(rss_item()))),
    )
    newsletter = replace(TECHNOLOGY, sources=sources)

    def health() -> tuple[SourceState, int]:
        bad, _ = desk.polling.reports(newsletter)
        return bad.health.state, bad.health.failures

    assert health() == (SourceState.UNPOLLED, 0)
    assert [result for result, _ in desk.poll(*sources)] == [PollResult.FAILED, PollResult.READ]
    assert health() == (SourceState.FAILING, 1)
    desk.clock.pass_time(hours=6)
    assert health() == (SourceState.DOWN, 1)
    desk.poll(*sources)
    assert health() == (SourceState.DOWN, 2)
    assert desk.polling.reports(newsletter)[0].health.since == NOW
    assert desk.polling.reports(newsletter)[0].health.error == "127.0.0.1 answered 500"
    site.serve("/bad", rss(rss_item(5, title="A lathe learns to listen")))
    assert desk.poll(*sources)[0] == (PollResult.READ, Tally(new=1))
    assert health() == (SourceState.UP, 0)


def test_a_source_is_polled_by_one_at_a_time(desk: Desk) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slowly(*_: object) -> Answer:
        asked.set()
        assert go_on.wait(5)
        return Unmodified()

    desk.polling = desk.wired(slowly)
    source, found = feed("https://wire.example.org/"), []
    first = threading.Thread(target=lambda: found.extend(desk.poll(source)))
    first.start()
    assert asked.wait(5)
    assert desk.poll(source) == [(PollResult.BUSY, Tally())]
    go_on.set()
    first.join()
    assert found == desk.poll(source) == [(PollResult.UNMODIFIED, Tally())]


def test_a_poll_that_died_is_made_up_for_when_its_lease_runs_out(desk: Desk) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> Answer:
        raise Killed

    source = feed("https://wire.example.org/")
    desk.polling = desk.wired(die)
    with pytest.raises(Killed):
        desk.poll(source)
    desk.polling = desk.wired(lambda *_: Unmodified())
    assert desk.poll(source)[0][0] is PollResult.BUSY
    desk.clock.pass_time(minutes=10)
    assert desk.poll(source)[0][0] is PollResult.UNMODIFIED


def test_only_the_sources_that_are_due_are_asked(desk: Desk) -> None:
    asked: list[str] = []

    def note(_: Newsletter, source: PolledSource, *__: object) -> Answer:
        asked.append(source.slug)
        return Unmodified()

    desk.polling = desk.wired(note)
    often = feed("https://wire.example.org/", slug="often", poll_minutes=5)
    newsletter = replace(
        TECHNOLOGY, sources=(often, replace(often, slug="seldom", poll_minutes=60))
    )
    for _ in range(4):
        desk.polling.poll_due(newsletter)
        desk.clock.pass_time(minutes=4)
    assert asked == ["often", "seldom", "often"]


def test_only_what_changed_lately_is_asked_for(desk: Desk) -> None:
    seen: list[object] = []

    def note(*given: object) -> Answer:
        seen.append(given[3])
        return Unmodified()

    desk.polling = desk.wired(note)
    desk.poll(feed("https://wire.example.org/"))
    assert seen == [NOW - 2 * timedelta(hours=TECHNOLOGY.caps.age_hours)]


def test_a_record_comes_back_as_it_was_kept(desk: Desk, site: Site) -> None:
    source = feed(
        site.serve("/rss", rss(rss_item(), rss_item(2, title="")), headers={"ETag": '"1"'})
    )
    assert desk.store.find("technology", "wire") == SourceRecord()
    [poll] = desk.polling.poll_all(replace(TECHNOLOGY, sources=(source,)))
    assert desk.store.find("technology", "wire") == poll.report.record
