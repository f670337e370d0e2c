"""Grades of the machine, the server, the site and a trial letter."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from newsletter.core.events import DeliveryEvent, EventKind
from newsletter.core.machine import (
    MachineFacts,
    ServerFacts,
    backup_finding,
    machine_findings,
    server_findings,
)
from newsletter.core.setup_finding import SetupGrade, worst
from newsletter.core.site import SiteAnswer, certificate_finding, link_findings, unsigned_finding
from newsletter.core.staff_letter import StaffLetter, StaffLetterStatus
from newsletter.core.trial_letter import has_ended, trial_findings, unsent_finding

OK, UNKNOWN, WARN, FAIL = SetupGrade
NOW, GB = datetime(2026, 11, 27, tzinfo=UTC), 1024**3
MACHINE = MachineFacts(
    disk_free=50 * GB, memory_free=4 * GB, open_files=4096, zones=500, encoding="UTF-8"
)
DURABLE = dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit", "autovacuum"), "on")
SERVER = ServerFacts(version=18, encoding="UTF8", settings=DURABLE)


@pytest.mark.parametrize(
    ("change", "grade"),
    [
        ({}, OK),
        ({"disk_free": GB // 2}, FAIL),
        ({"disk_free": 2 * GB}, WARN),
        ({"memory_free": GB // 4}, WARN),
        ({"open_files": 256}, WARN),
        ({"open_files": -1}, OK),
        ({"zones": 0}, FAIL),
        ({"encoding": "ANSI_X3.4-1968"}, WARN),
    ],
)
def test_a_machine_has_enough_of_everything(change: dict[str, Any], grade: SetupGrade) -> None:
    assert worst(machine_findings(replace(MACHINE, **change))) is grade


@pytest.mark.parametrize(
    ("change", "grade"),
    [
        ({}, OK),
        ({"version": 13}, FAIL),
        ({"version": 14}, WARN),
        ({"encoding": "SQL_ASCII"}, FAIL),
        ({"settings": DURABLE | {"fsync": "off"}}, FAIL),
        ({"settings": DURABLE | {"full_page_writes": "off"}}, FAIL),
        ({"settings": DURABLE | {"synchronous_commit": "off"}}, WARN),
        ({"settings": DURABLE | {"autovacuum": "off"}}, WARN),
    ],
)
def test_a_server_loses_nothing(change: dict[str, Any], grade: SetupGrade) -> None:
    assert worst(server_findings(replace(SERVER, **change))) is grade


@pytest.mark.parametrize(("hours", "grade"), [(None, FAIL), (3, OK), (40, WARN), (200, FAIL)])
def test_a_backup_is_fresh(hours: int | None, grade: SetupGrade) -> None:
    newest = None if hours is None else NOW - timedelta(hours=hours)
    assert backup_finding(newest, NOW).grade is grade


@pytest.mark.parametrize(("days", "grade"), [(None, FAIL), (-1, FAIL), (5, WARN), (60, OK)])
def test_a_certificate_holds_for_a_while(days: int | None, grade: SetupGrade) -> None:
    end = None if days is None else NOW + timedelta(days=days)
    assert certificate_finding("https://news.example.com", end, NOW).grade is grade


def answer(status: int = 200, text: str = "", location: str = "") -> SiteAnswer:
    return SiteAnswer(status=status, location=location, text=text)


GOT, POSTED = answer(text='{"doctor": "GET"}'), answer(text='{"doctor": "POST"}')


@pytest.mark.parametrize(
    ("got", "posted", "words"),
    [
        (GOT, POSTED, "changes nothing"),
        (answer(301, location="https://www.example.com/u"), POSTED, "redirected to https://www"),
        (GOT, answer(308, location="https://www.example.com/u"), "redirected"),
        (GOT, GOT, "a POST arrives here as a GET"),
        (answer(404), answer(404), "not by this installation"),
        (GOT, answer(403, "blocked"), "answered 403"),
        (answer(200, "<html>"), POSTED, "answered 200"),
        (answer(200, "[]"), POSTED, "answered 200"),
    ],
)
def test_an_unsubscribe_link_arrives_as_it_was_asked(
    got: SiteAnswer, posted: SiteAnswer, words: str
) -> None:
    [found] = link_findings(got, posted)
    assert words in found.sentence
    assert found.fine is ((got, posted) == (GOT, POSTED))


@pytest.mark.parametrize(
    ("status", "grade"), [(403, OK), (204, FAIL), (302, FAIL), (404, FAIL), (502, FAIL)]
)
def test_a_webhook_refuses_what_nobody_signed(status: int, grade: SetupGrade) -> None:
    assert unsigned_finding(answer(status)).grade is grade


LETTER = StaffLetter(
    id=5,
    at=NOW,
    by="ada",
    email="ada@example.com",
    newsletter="technology",
    date=date(2026, 11, 27),
    content_hash="",
    state=StaffLetterStatus.ACCEPTED,
)


def event(kind: EventKind, reason: str = "") -> DeliveryEvent:
    ids = dict.fromkeys(("delivery", "attempt_id", "installation_id"))
    return DeliveryEvent(event_id=kind, kind=kind, at=NOW, reason=reason, raw={}, **ids)


@pytest.mark.parametrize(
    ("kinds", "grade", "words"),
    [
        ([EventKind.PROCESSED, EventKind.DELIVERED], OK, "whole way is proven"),
        ([EventKind.DELIVERED, EventKind.BOUNCED], FAIL, "refused it: no such box"),
        ([EventKind.DROPPED], FAIL, "SendGrid did not send it"),
        ([EventKind.BLOCKED], FAIL, "blocked it"),
        ([EventKind.PROCESSED], WARN, "within 5 minutes none says that it was delivered"),
        ([], FAIL, "no event of it came back within 5 minutes"),
    ],
)
def test_the_way_of_a_letter_is_proven_or_said_to_end_somewhere(
    kinds: list[EventKind], grade: SetupGrade, words: str
) -> None:
    events = [event(one, "no such box") for one in kinds]
    found = [*trial_findings(LETTER, events, timedelta(minutes=5))]
    assert worst(found) is grade
    assert words in found[-1].sentence
    assert has_ended(events) is (kinds not in ([EventKind.PROCESSED], []))


@pytest.mark.parametrize("state", [StaffLetterStatus.REFUSED, StaffLetterStatus.UNKNOWN])
def test_a_letter_that_did_not_leave_says_why(state: StaffLetterStatus) -> None:
    found = unsent_finding(replace(LETTER, state=state, reason="403: not verified"))
    assert found
    assert (found.grade, "403: not verified" in found.sentence) == (FAIL, True)
    assert unsent_finding(LETTER) is None
