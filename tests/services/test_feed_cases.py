"""Feeds as publishers really make them, polled, checked and assembled."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.adapters.sources.files import read_file
from newsletter.adapters.sources.polling import HttpSourceReader
from newsletter.core.operator_alert import OperatorAlertKind
from newsletter.core.source import PolledSource
from newsletter.core.source_record import PollResult, SourceState, Tally
from newsletter.core.stored import StoredBrief
from newsletter.core.verification import Ruling
from tests.container import open_container
from tests.fakes import FakeClock
from tests.settings import TECHNOLOGY
from tests.sources import Site, feed, rss, rss_item

pytestmark = pytest.mark.postgres

CASES = Path(__file__).parent.parent / "cases"
MORNING = datetime(2026, 11, 27, 5, tzinfo=UTC)


class Morning:
    """A newsletter on one morning, its sources on a server of the test's own."""

    def __init__(self, engine: Engine, reader: HttpSourceReader, site: Site) -> None:
        clock = FakeClock(MORNING)
        self.container = open_container(engine, source_reader=reader, clock=clock)
        self.clock, self.site = clock, site

    def serve(self, name: str) -> PolledSource:
        """Serve a case with its headers; its relative links stay its publisher's."""
        path = CASES / "feeds" / name
        headers = path.with_name(f"{name}.headers")
        given: dict[str, str] = json.loads(headers.read_text()) if headers.exists() else {}
        return feed(self.site.serve(f"/{name}", path.read_bytes(), headers=given))

    def poll(self, source: PolledSource) -> tuple[PollResult, Tally]:
        [one] = self.container.polling.poll_all(replace(TECHNOLOGY, sources=(source,)))
        return one.result, one.tally

    def refused(self) -> str:
        found = self.container.sources.find("technology", "wire").refused
        return " ".join(f"{one.item}: {one.reason}" for one in found)

    def state(self, source: PolledSource) -> SourceState:
        newsletter = replace(TECHNOLOGY, sources=(source,))
        return self.container.polling.reports(newsletter)[0].health.state

    def briefs(self) -> list[StoredBrief]:
        rows = self.container.query("SELECT id FROM brief ORDER BY id")
        return [self.container.briefs.get(brief_id) for (brief_id,) in rows]

    def titles(self) -> list[str]:
        return [one.brief.title for one in self.briefs()]

    def printed(self) -> list[str]:
        issue = self.container.publishing.upcoming(TECHNOLOGY, MORNING.date())
        return [entry.brief.title for entry in issue.entries]


@pytest.fixture
def morning(engine: Engine, reader: HttpSourceReader, site: Site) -> Morning:
    return Morning(engine, reader, site)


def test_an_archive_without_dates_is_no_news_and_what_comes_later_is_behind_the_dated(
    morning: Morning,
) -> None:
    source = morning.serve("undated.xml")
    assert morning.poll(source) == (PollResult.READ, Tally(undated=30))
    assert morning.poll(source) == (PollResult.READ, Tally(undated=30))
    document = (CASES / "feeds" / "undated.xml").read_text()
    fresh = rss_item(99, pubDate="", title="A robot learns to iron chips", guid="new")
    morning.site.serve("/undated.xml", document.replace("<item>", f"{fresh}<item>", 1))
    assert morning.poll(source) == (PollResult.READ, Tally(new=1, undated=30))
    morning.container.intake.receive_all(read_file(CASES / "briefs" / "today.md"), place="today.md")
    assert morning.printed() == [
        "Court lets the fab expansion of chips go ahead today",
        "A robot learns to iron chips",
    ]


def test_a_post_of_which_only_its_last_change_moved_is_not_new(morning: Morning) -> None:
    source = morning.serve("updonly.xml")
    assert morning.poll(source) == (PollResult.READ, Tally(new=1, older=1, undated=1))
    assert morning.titles() == ["Alerts say chips are & remain short"]
    assert morning.briefs()[0].brief.source.url == "https://www.example.com/ga"


@pytest.mark.parametrize("number", [1, 2])
def test_an_undated_item_counts_from_its_arrival_however_often_it_changes(
    morning: Morning, number: int
) -> None:
    source = feed(morning.site.serve("/rss", rss()))
    morning.poll(source)
    for change in range(number):
        morning.site.serve("/rss", rss(rss_item(pubDate="", title=f"A lathe learns {change}")))
        morning.poll(source)
        morning.clock.pass_time(hours=100)
    [one] = morning.briefs()
    assert one.ruling is (Ruling.ACCEPTED if number == 1 else Ruling.HELD)
    assert ("100 hours old" in " ".join(one.reasons)) == (number == 2)


def test_two_stories_under_one_id_are_both_on_file_in_whatever_order_they_come(
    morning: Morning,
) -> None:
    source = morning.serve("sameguid.xml")
    assert morning.poll(source) == (PollResult.READ, Tally(new=2))
    port, farm = (
        rss_item(n, guid="SAME", title=t, pubDate="2026-11-27T03:21:36Z")
        for n, t in enumerate(morning.titles())
    )
    farm, port = (
        one.replace("wire.example.org/1", "www.example.com/s2").replace(
            "wire.example.org/0", "www.example.com/s1"
        )
        for one in (farm, port)
    )
    morning.site.serve("/sameguid.xml", rss(farm, port))
    assert morning.poll(source)[1] == Tally(revised=2), "another publisher's name, no other story"
    assert morning.titles() == [
        "Port robots learn to stack in the dark",
        "Farm robots learn to pick soft fruit",
    ]


def test_a_date_that_is_one_date_is_read_and_another_waits_for_a_person(morning: Morning) -> None:
    assert morning.poll(morning.serve("dates.xml"))[1] == Tally(new=12)
    held = [one for one in morning.briefs() if one.brief.doubts]
    [odd] = held
    assert odd.brief.title == "Humanoid tidies room number 98 alone"
    assert odd.ruling is Ruling.HELD
    assert "Fri, 26 Nov 2026" in odd.reasons[0]
    mended = morning.container.intake.edit(
        odd.brief_id, {"published": MORNING - timedelta(hours=3)}, actor="editor@example.com"
    )
    assert mended.stored.brief.doubts == ()


def test_an_item_without_a_title_waits_for_one(morning: Morning) -> None:
    source = feed(morning.site.serve("/rss", rss(rss_item(title="", pubDate="2026-11-27"))))
    morning.poll(source)
    [one] = morning.briefs()
    assert one.brief.title.startswith("Untitled: A plant reuses")
    assert (one.ruling, one.reasons) == (
        Ruling.HELD,
        ("Its source gives it no title; write one.",),
    )


def test_a_summary_that_is_nothing_but_boilerplate_is_held_with_that_reason(
    morning: Morning,
) -> None:
    text = "The post Foundry opens its doors again appeared first on Example Wire."
    source = feed(morning.site.serve("/rss", rss(rss_item(description=text, pubDate="2026-11-27"))))
    morning.poll(source)
    [one] = morning.briefs()
    assert one.ruling is Ruling.HELD
    assert "no prose: “The post Foundry" in " ".join(one.reasons)


def test_doubly_encoded_text_is_held(morning: Morning) -> None:
    odd = rss_item(title="CafÃ©â€™s chips are back on the shelf", pubDate="2026-11-27")
    morning.poll(feed(morning.site.serve("/rss", rss(odd))))
    [one] = morning.briefs()
    assert one.ruling is Ruling.HELD
    assert "wrong encoding" in " ".join(one.reasons)


def test_a_server_that_asks_to_wait_is_not_asked_before(morning: Morning) -> None:
    wait = {"Retry-After": "7200"}
    source = feed(morning.site.serve("/rss", status=429, headers=wait), poll_minutes=5)
    newsletter = replace(TECHNOLOGY, sources=(source,))
    assert morning.poll(source)[0] is PollResult.FAILED
    morning.clock.pass_time(minutes=119)
    assert morning.container.polling.poll_due(newsletter) == ()
    assert morning.poll(source)[0] is PollResult.WAITING
    assert len(morning.site.asked) == 1
    morning.clock.pass_time(minutes=2)
    assert len(morning.container.polling.poll_due(newsletter)) == 1


def test_a_source_that_is_quiet_for_longer_than_ever_is_an_alert(morning: Morning) -> None:
    source = feed(morning.site.serve("/rss", rss()))
    for number in range(1, 4):
        date = f"{morning.clock.now():%a, %d %b %Y %H:%M:%S} GMT"
        morning.site.serve("/rss", rss(rss_item(number, pubDate=date)), headers={"ETag": '"1"'})
        morning.container.query("UPDATE polled_source SET validators = '{}'")
        morning.poll(source)
        morning.clock.pass_time(days=1)
    assert morning.state(source) is SourceState.UP
    morning.clock.pass_time(days=3)
    assert morning.poll(source)[0] is PollResult.UNMODIFIED
    assert morning.state(source) is SourceState.QUIET
    newsletter = replace(TECHNOLOGY, sources=(source,))
    morning.container.alerting.newsletters = {"technology": newsletter}
    morning.container.alerting.check()
    [(_, alert)] = morning.container.alerting.schedule.pending_alerts()
    assert alert.kind is OperatorAlertKind.SOURCE_QUIET
    open_now = morning.container.operator_alerts.open
    assert [one.alert for one in open_now(newsletter)] == [alert]
    morning.site.serve("/rss", rss(rss_item(9, pubDate="2026-12-02T08:00:00Z")))
    assert morning.poll(source)[1] == Tally(new=1)
    assert not open_now(newsletter)
