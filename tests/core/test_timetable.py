"""When an issue is due: the hours of a zone, whatever its clocks do, and what they ask for."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.core.operator_alert import OperatorAlertKind
from newsletter.core.publication import Timetable, Weekday
from newsletter.core.stored import IssueStatus
from newsletter.core.timetable import (
    LOOK_BACK,
    Assemble,
    Miss,
    ScheduleCursor,
    ScheduledIssue,
    Send,
    appears_on,
    due,
    first_date,
    moment,
    wave_moment,
)

NEW_YORK = Timetable(
    zone="America/New_York",
    days=tuple(Weekday)[:5],
    assemble_at=time(5, 30),
    send_at=time(6, 10),
    catch_up_hours=12,
)
MONDAY = date(2026, 11, 23)
CUT_OFF = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
HOUR = datetime(2026, 11, 23, 11, 10, tzinfo=UTC)
STALE = HOUR + timedelta(hours=12)
A_MOMENT = timedelta(seconds=1)
SUMMER = datetime(2026, 6, 1, tzinfo=UTC)

ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # its clocks turn by half an hour
    "Asia/Kolkata",
    "America/Sao_Paulo",
    "Africa/Casablanca",  # its clocks go back for Ramadan
    "Africa/Cairo",  # its clocks turn at midnight
    "America/Nuuk",  # its clocks turn late on a Saturday, across midnight
    "Pacific/Chatham",
    "Pacific/Kiritimati",
)
DAYS = [date(2026, 1, 1) + timedelta(days=n) for n in range(3 * 365 + 1)]
TIMES = st.times().map(lambda at: at.replace(microsecond=0))


@pytest.mark.parametrize(
    ("on", "at", "zone", "utc"),
    [
        pytest.param(MONDAY, "06:10", "America/New_York", "23 11:10", id="winter"),
        pytest.param(date(2026, 7, 23), "06:10", "America/New_York", "23 10:10", id="summer"),
        pytest.param(date(2026, 3, 8), "02:30", "America/New_York", "08 07:00", id="gap"),
        pytest.param(date(2026, 3, 8), "02:00", "America/New_York", "08 07:00", id="gap begins"),
        pytest.param(date(2026, 3, 8), "03:00", "America/New_York", "08 07:00", id="gap is over"),
        pytest.param(date(2026, 11, 1), "01:30", "America/New_York", "01 05:30", id="repeat"),
        pytest.param(date(2026, 3, 29), "02:59:59", "Europe/Berlin", "29 01:00", id="gap ends"),
        pytest.param(date(2026, 10, 25), "02:15", "Europe/Berlin", "25 00:15", id="repeat east"),
        pytest.param(date(2026, 10, 4), "02:10", "Australia/Lord_Howe", "03 15:30", id="half gap"),
        pytest.param(date(2026, 4, 5), "01:45", "Australia/Lord_Howe", "04 14:45", id="half twice"),
        pytest.param(date(2026, 4, 24), "00:20", "Africa/Cairo", "23 22:00", id="no midnight"),
        pytest.param(date(2026, 3, 28), "23:30", "America/Nuuk", "29 01:00", id="next day's"),
        pytest.param(date(2011, 12, 30), "06:10", "Pacific/Apia", "30 10:00", id="no such day"),
    ],
)
def test_the_moment_of_an_hour(on: date, at: str, zone: str, utc: str):
    found = moment(on, time.fromisoformat(at), zone)

    assert found.tzinfo is UTC
    assert f"{found:%d %H:%M}" == utc


@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=25, deadline=None)
@given(at=TIMES)
def test_every_day_has_one_moment_and_each_comes_after_the_last(zone: str, at: time):
    moments = [moment(on, at, zone) for on in DAYS]

    assert all(earlier < later for earlier, later in pairwise(moments))


@settings(deadline=None)
@given(zone=st.sampled_from(ZONES), at=TIMES, on=st.sampled_from(DAYS))
def test_the_moment_is_the_first_at_which_the_clocks_show_the_time_or_a_later_one(
    zone: str, at: time, on: date
):
    def shown(instant: datetime) -> datetime:
        return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    wanted, found = datetime.combine(on, at), moment(on, at, zone)

    assert shown(found) >= wanted
    assert shown(found - A_MOMENT) < wanted
    assert all(shown(found - timedelta(minutes=n)) < wanted for n in range(1, 26 * 60, 7))


def test_a_zone_that_is_no_longer_known_is_read_as_the_newsletters_own():
    assert wave_moment(NEW_YORK, MONDAY, "Europe/Berlin") == HOUR - timedelta(hours=6)
    assert wave_moment(NEW_YORK, MONDAY, "Mars/Olympus_Mons") == HOUR
    assert wave_moment(NEW_YORK, MONDAY, "") == HOUR


def test_there_is_no_issue_on_a_day_of_rest_or_a_holiday():
    timetable = replace(NEW_YORK, holidays=(date(2026, 11, 26),))
    week = [MONDAY + timedelta(days=n) for n in range(7)]

    assert [on.day for on in week if appears_on(timetable, on)] == [23, 24, 25, 27]


def asked(
    now: datetime,
    issue: ScheduledIssue | None = None,
    *,
    timetable: Timetable = NEW_YORK,
    began: datetime = SUMMER,
    until: datetime = CUT_OFF - timedelta(hours=1),
):
    """Return what is due when only Monday's issue may be on file."""
    on_file = {MONDAY: issue} if issue else {}
    return due(timetable, ScheduleCursor(began=began, until=until), now, on_file)


ASSEMBLE, SEND = (Assemble(MONDAY),), (Send(MONDAY),)
EMPTY, DRAFT, APPROVED = (
    ScheduledIssue(state=state)
    for state in (IssueStatus.EMPTY, IssueStatus.DRAFT, IssueStatus.APPROVED)
)
ALERTED_EMPTY = replace(EMPTY, alerted=frozenset({OperatorAlertKind.EMPTY_DAY}))
ALERTED_DRAFT = replace(DRAFT, alerted=frozenset({OperatorAlertKind.UNAPPROVED}))
FAILED = replace(APPROVED, alerted=frozenset({OperatorAlertKind.FAILED}))


@pytest.mark.parametrize(
    ("now", "issue", "actions"),
    [
        (CUT_OFF - A_MOMENT, None, ()),
        (CUT_OFF - A_MOMENT, DRAFT, ()),
        (CUT_OFF, None, ASSEMBLE),
        (CUT_OFF, DRAFT, ASSEMBLE),  # a person assembled it early: the cut-off takes all in
        (CUT_OFF, EMPTY, ASSEMBLE),
        (CUT_OFF, APPROVED, ()),
        (HOUR - A_MOMENT, APPROVED, ()),
        (HOUR, APPROVED, SEND),
        (HOUR, None, SEND),
        (HOUR, DRAFT, SEND),
        (HOUR, EMPTY, SEND),
        (HOUR, ALERTED_EMPTY, ()),
        (HOUR, ALERTED_DRAFT, ()),  # it is asked for once, and then waits for a person
        (STALE - A_MOMENT, FAILED, SEND),
        (STALE - A_MOMENT, None, SEND),
        (STALE, ALERTED_EMPTY, ()),
    ],
)
def test_what_is_due_when(now: datetime, issue: ScheduledIssue | None, actions: tuple[object, ...]):
    assert asked(now, issue) == actions


@pytest.mark.parametrize("issue", [None, EMPTY, DRAFT, ALERTED_DRAFT, APPROVED, FAILED])
def test_what_did_not_leave_while_it_was_fresh_is_missed(issue: ScheduledIssue | None):
    [missed] = asked(STALE, issue)

    assert isinstance(missed, Miss)
    assert missed.on == MONDAY
    assert "within 12 hours of 06:10:00 America/New_York" in missed.reason


@pytest.mark.parametrize("state", ["sending", "paused", "sent", "missed"])
@pytest.mark.parametrize("now", [CUT_OFF, HOUR, STALE])
def test_what_is_on_its_way_or_named_is_left_alone(now: datetime, state: str):
    assert asked(now, ScheduledIssue(state=IssueStatus(state))) == ()


def test_a_draft_is_not_set_again_once_the_cut_off_is_over():
    assert asked(HOUR - A_MOMENT, DRAFT, until=CUT_OFF) == ()
    assert asked(HOUR - A_MOMENT, None, until=CUT_OFF) == ASSEMBLE


def test_a_day_is_named_as_missed_once():
    assert asked(STALE, None, until=STALE - A_MOMENT) != ()
    assert asked(STALE, None, until=STALE) == ()


def test_an_hour_that_struck_before_the_clock_began_is_not_its_own():
    assert asked(HOUR + A_MOMENT, APPROVED, began=HOUR, until=HOUR) == ()
    assert asked(STALE, None, began=HOUR, until=HOUR) == ()
    assert asked(HOUR + A_MOMENT, APPROVED, began=HOUR - A_MOMENT, until=HOUR) == SEND


def test_in_reader_time_an_issue_leaves_as_soon_as_it_is_approved():
    timetable = replace(NEW_YORK, reader_time=True)

    assert asked(CUT_OFF - A_MOMENT, APPROVED, timetable=timetable) == ()
    assert asked(CUT_OFF, APPROVED, timetable=timetable) == SEND
    assert asked(CUT_OFF, DRAFT, timetable=timetable) == ASSEMBLE
    assert asked(HOUR, DRAFT, timetable=timetable) == SEND


def test_after_a_long_outage_each_day_is_named_and_the_last_is_caught_up():
    inactive_since = datetime(2026, 11, 17, 12, tzinfo=UTC)  # a Tuesday; its issue was sent
    on_file = {date(2026, 11, 17): ScheduledIssue(state=IssueStatus.SENT)}

    actions = due(NEW_YORK, ScheduleCursor(began=SUMMER, until=inactive_since), HOUR, on_file)

    assert [type(action).__name__ for action in actions] == ["Miss", "Miss", "Miss", "Send"]
    assert [action.on.day for action in actions] == [18, 19, 20, 23]


def test_days_longer_gone_than_a_month_are_not_named():
    actions = due(NEW_YORK, ScheduleCursor(began=SUMMER, until=SUMMER), HOUR, {})

    assert actions[0].on >= MONDAY - LOOK_BACK
    assert len(actions) == 22  # the weekdays of a month, and today


def test_a_clock_that_was_set_back_keeps_its_hours():
    ahead = HOUR + timedelta(days=40)
    assert asked(HOUR, APPROVED, until=ahead) == SEND


@settings(deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    at=TIMES,
    start=st.integers(0, 2 * 365 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    pauses=st.lists(st.timedeltas(timedelta(seconds=2), timedelta(days=4)), max_size=12),
)
def test_however_irregularly_it_is_asked_each_day_is_sent_or_named_once(
    zone: str, at: time, start: datetime, pauses: list[timedelta]
):
    timetable = replace(NEW_YORK, zone=zone, assemble_at=time.min, send_at=at, catch_up_hours=6)
    cursor, now = ScheduleCursor(began=start, until=start), start
    on_file: dict[date, ScheduledIssue] = {}
    ends: list[date] = []
    for pause in pauses:
        now += pause
        since = first_date(timetable, cursor, now)
        for action in due(timetable, cursor, now, _since(on_file, since)):
            if not isinstance(action, Assemble):
                ends.append(action.on)
            on_file[action.on] = ScheduledIssue(state=_after(action))
        cursor = replace(cursor, until=now)

    fresh = timedelta(hours=6)
    struck = {on for on in DAYS if appears_on(timetable, on) and moment(on, at, zone) > start}
    assert len(ends) == len(set(ends))
    assert set(ends) <= {on for on in struck if moment(on, at, zone) <= now}
    assert set(ends) >= {on for on in struck if moment(on, at, zone) + fresh <= now}


def _since(on_file: dict[date, ScheduledIssue], since: date) -> dict[date, ScheduledIssue]:
    return {on: issue for on, issue in on_file.items() if on >= since}


def _after(action: object) -> IssueStatus:
    match action:
        case Assemble():
            return IssueStatus.APPROVED
        case Send():
            return IssueStatus.SENT
        case _:
            return IssueStatus.MISSED
