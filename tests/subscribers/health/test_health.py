"""A list's health, shown of a small list that was made by hand."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from newsletter.services.list_health import ListHealthReports
from newsletter.stores.sent_letters import SentLetters
from subscribers.health.service import Growth, ListHealth, Week
from subscribers.model import AudienceCounts, Frequency, SuppressionReason
from tests.fakes import FakeClock
from tests.settings import TECHNOLOGY

pytestmark = pytest.mark.postgres

CLOCK = FakeClock()  #: a Monday morning
NOW = CLOCK.now()

#: Topics, status, paused, weekly, days since they joined, left, and read; and what suppressed them.
READERS = (
    ("chips", "active", False, False, 0, None, None, None),
    ("chips;policy", "active", False, True, 8, None, 2, None),
    ("*", "active", False, False, 200, None, 100, None),
    ("policy", "active", False, False, 200, None, None, None),
    ("policy", "active", True, False, 40, None, 50, None),
    ("chips", "ended", False, False, 300, 6, 30, None),
    ("chips", "ended", False, False, 20, 1, None, "complaint"),
    ("chips", "active", False, False, 400, None, None, "bounce"),
)

_READER = """
WITH reader AS (
    INSERT INTO subscriber (email, email_key, created_at) VALUES (:email, :email, :now)
    RETURNING id
), choice AS (
    INSERT INTO topic_set (slugs) VALUES (string_to_array(:topics, ';'))
    ON CONFLICT (slugs) DO UPDATE SET slugs = excluded.slugs RETURNING id
)
INSERT INTO subscription (subscriber_id, newsletter, topic_set_id, zone, status, created_at,
                          ended_at, frequency, paused_at, engaged_on)
SELECT reader.id, 'technology', choice.id, 'UTC', :status, :joined, :left, :frequency, :paused,
       CAST(:read AS date)
FROM reader, choice
"""
_SUPPRESS = """
INSERT INTO suppression (email_key, reason, source, since) VALUES (:email, :reason, 'test', :since)
"""
_SIGNUP = """
INSERT INTO signup (newsletter, email, email_key, zone, asked_at, expires_at)
VALUES ('technology', :email, :email, 'UTC', :asked, :asked + interval '2 days')
"""
_ISSUE = """
INSERT INTO issue (newsletter, list, date, state, assembled_at, planned_at)
VALUES ('technology', 'technology', :day, 'sent', :at, :at) RETURNING id
"""
_BATCH = """
WITH one AS (
    INSERT INTO edition (issue_id, key, brief_ids) VALUES (:issue, :key, '{1}') RETURNING id
)
INSERT INTO batch (issue_id, edition_id, ordinal, size, state, first_place, last_place)
SELECT :issue, id, 0, :size, :state, after + 1, after + :size
  FROM one, (SELECT COALESCE(max(last_place), 0) AS after FROM batch
              WHERE issue_id = :issue) AS last
"""


def ago(days: float | None) -> datetime | None:
    return None if days is None else NOW - timedelta(days=days)


@pytest.fixture
def list_of_eight(engine: Engine) -> Engine:
    with engine.begin() as connection:
        for number, reader in enumerate(READERS):
            topics, status, paused, weekly, joined, left, read, suppressed = reader
            values = {
                "email": f"r{number}@example.com",
                "joined": ago(joined),
                "left": ago(left),
                "now": NOW,
                "paused": NOW if paused else None,
                "read": ago(read),
                "status": status,
                "topics": topics,
                "frequency": "weekly" if weekly else "daily",
            }
            connection.execute(text(_READER), values)
            if suppressed:
                suppression = {
                    "email": values["email"],
                    "reason": suppressed,
                    "since": ago(left or 90),
                }
                connection.execute(text(_SUPPRESS), suppression)
        for asked in (1, 0.5, 5):
            values = {"email": f"s{asked}@example.com", "asked": ago(asked)}
            connection.execute(text(_SIGNUP), values)
        for days, size in ((3, 40), (50, 1000)):
            at = ago(days)
            issue = connection.execute(text(_ISSUE), {"day": at.date(), "at": at}).scalar_one()
            for state in ("accepted", "refused"):
                batch = {"issue": issue, "key": state, "size": size, "state": state}
                connection.execute(text(_BATCH), batch)
    return engine


def test_every_figure_of_a_small_list_is_right(list_of_eight: Engine):
    health = ListHealth(list_of_eight).report("technology", NOW)
    figures = health.figures

    assert figures.counts == AudienceCounts(mailable=4, suppressed=2, ended=1, paused=1)
    assert {r: n for r, n in figures.suppressed.items() if n} == {"bounce": 1, "complaint": 1}
    assert {r: n for r, n in figures.recently_suppressed.items() if n} == {"complaint": 1}
    assert figures.waiting.open == 2
    assert figures.waiting.oldest == ago(1)
    assert figures.waiting.expired == 1
    assert figures.inactive == {30: 2, 90: 2, 180: 1}
    assert figures.never == 2
    assert figures.frequencies == {Frequency.DAILY: 3, Frequency.WEEKLY: 1}
    assert figures.topics == {"*": 1, "chips": 2, "policy": 2}
    assert health.latest == {
        1: Growth(joined=1, left=0),
        7: Growth(joined=1, left=2),
        30: Growth(joined=3, left=2),
    }
    assert health.weeks[-3:] == (
        Week(begins=date(2026, 11, 9), joined=1, left=0),
        Week(begins=date(2026, 11, 16), joined=0, left=2),
        Week(begins=date(2026, 11, 23), joined=1, left=0),
    )
    assert len(health.weeks) == 8
    assert ListHealth(list_of_eight).report("science", NOW).figures.never == 0


def test_trouble_is_a_share_of_the_letters_that_were_accepted(list_of_eight: Engine):
    accepted = SentLetters(list_of_eight).accepted_since
    lists = ListHealth(list_of_eight)
    report = ListHealthReports(lists=lists, accepted=accepted, clock=CLOCK).report(TECHNOLOGY)
    assert report.accepted == 40
    assert report.share(SuppressionReason.COMPLAINT) == 1 / 40
    assert report.share(SuppressionReason.BOUNCE, SuppressionReason.INVALID) == 0
