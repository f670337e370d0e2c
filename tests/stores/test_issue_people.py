"""Who is behind each number of an issue: all of them, page by page, and nobody twice."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from newsletter.core.delivery import Refused, Remedy, Unknown
from newsletter.core.issue_people import IssueGroup, IssuePerson, IssueReading
from newsletter.core.results import ResultWord
from newsletter.core.stored import StoredIssue
from newsletter.stores import exclusions, issue_people
from tests.container import TODAY, TestContainer, open_container
from tests.stores.test_results import event

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(9)} | {"robots@example.com": "robotics"}


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine)
    container.receive("chips")
    container.subscribe(tmp_path, READERS)
    return container


def people(container: TestContainer, group: IssueGroup, **narrowed: str) -> list[IssuePerson]:
    return list(_all(container, container.issues.find("technology", TODAY), group, **narrowed))


def _all(
    container: TestContainer, stored: StoredIssue, group: IssueGroup, **narrowed: str
) -> Iterator[IssuePerson]:
    cursor = None
    for _ in range(30):
        page = container.issue_people.page(stored, group, cursor=cursor, **narrowed)
        yield from page.people
        if not (cursor := page.cursor):
            return
    raise AssertionError("it never ends")


def emails(container: TestContainer, group: IssueGroup, **narrowed: str) -> list[str]:
    found = [one.email for one in people(container, group, **narrowed)]
    assert len(found) == len(set(found))
    return sorted(found)


@pytest.fixture(params=[50, 1])
def paged(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With pages as they are, and with pages and portions so small that all of them are walked."""
    if request.param == 1:
        for name in ("PAGE", "_BATCHES"):
            monkeypatch.setattr(issue_people, name, 1)
        monkeypatch.setattr(exclusions, "SIZE", 1)


@pytest.mark.usefixtures("paged")
def test_everybody_behind_a_number_is_found(container: TestContainer) -> None:
    for email in ("r0@example.com", "r1@example.com"):
        container.unsubscribe(email)
    stored = container.plan_issue()
    container.unsubscribe("r2@example.com")
    offended = Refused(reason="no such name", remedy=Remedy.EJECT, offenders=(0,))
    container.mailer.answers = [Unknown(reason="lost"), offended]
    container.queue.work(until_empty=True)

    assert emails(container, IssueGroup.EXCLUDED) == ["r0@example.com", "r1@example.com"]
    assert emails(container, IssueGroup.EXCLUDED, reason="paused") == []
    assert emails(container, IssueGroup.NOTHING) == ["robots@example.com"]
    assert [(p.email, p.reason) for p in people(container, IssueGroup.SKIPPED)] == [
        ("r2@example.com", "ended")
    ]
    [refused] = people(container, IssueGroup.REFUSED)
    assert refused.reason == "no such name"
    exact = container.deliveries.totals(stored.id).sums
    assert len(emails(container, IssueGroup.UNKNOWN)) == exact.unknown > 0
    assert exact.refused == 1


@pytest.mark.usefixtures("paged")
def test_whoever_bounced_complained_or_left_is_found_by_what_events_said(container) -> None:
    container.send_issue()
    about_us = {"bounce_classification": "Content"}
    container.receive_events(
        event(container, "r3@example.com", "bounce"),
        event(container, "r4@example.com", "spamreport"),
        event(container, "r5@example.com", "dropped"),
        event(container, "r6@example.com", "open"),
        event(container, "r7@example.com", "bounce", type="blocked", **about_us),
    )
    container.unsubscribe("r8@example.com")
    container.unsubscribe("r6@example.com")
    assert emails(container, IssueGroup.BOUNCED) == ["r3@example.com"]
    assert emails(container, IssueGroup.BLOCKED) == ["r7@example.com"]
    assert emails(container, IssueGroup.DROPPED) == ["r5@example.com"]
    assert emails(container, IssueGroup.COMPLAINED) == ["r4@example.com"]
    assert emails(container, IssueGroup.LEFT) == ["r6@example.com", "r8@example.com"]


@pytest.mark.usefixtures("paged")
def test_whoever_got_opened_or_clicked_it_is_listed_and_the_log_says_who_asked(
    container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.services.issue_people._LISTED", 2)
    stored = container.send_issue()
    container.receive_events(
        event(container, "r0@example.com", "delivered"),
        event(container, "r1@example.com", "open"),
        event(container, "r2@example.com", "open", sg_machine_open=True),
        event(container, "r3@example.com", "click", url="https://example.org/chips"),
        event(container, "r4@example.com", "bounce"),
    )
    words = container.results.of(stored).words
    for reading, names in (
        (IssueReading.ARRIVED, "0123"),
        (IssueReading.OPENED, "13"),
        (IssueReading.CLICKED, "3"),
    ):
        found = [one.email for one in container.issue_people.all(stored, reading, actor="anna")]
        assert sorted(found) == [f"r{n}@example.com" for n in names]
        assert len(found) == words[ResultWord(reading.value)]
    assert len(list(container.issue_people.all(stored, IssueReading.SENT, actor="anna"))) == 9
    log = [one for one in container.decisions.about(f"issue {stored.id}") if one.actor == "anna"]
    assert [(one.verb, one.detail) for one in log][-1] == ("list readers", {"group": "sent"})


def test_an_odd_cursor_begins_at_the_beginning(container: TestContainer) -> None:
    stored = container.plan_issue()
    for cursor in ("", "x", "1-", "-1", "9" * 30 + "-1"):
        page = container.issue_people.page(stored, IssueGroup.NOTHING, cursor=cursor)
        assert [one.email for one in page.people] == ["robots@example.com"]
