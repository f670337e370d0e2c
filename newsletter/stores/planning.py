"""The plan of an issue: who gets which edition in which batch, by set-based SQL.

`audience` is the subscribers' view: one row per subscription, with the reason for which it must not
be written to, or none. `segment_member` is theirs, too: who was in a segment when it was planned.
See docs/decisions/audience-view.md.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from newsletter.core.edition import Edition
from newsletter.stores.exclusions import store_exclusions
from newsletter.stores.partitions import require_partition
from subscribers.db.transaction import driver, execute, rows
from subscribers.model import TopicSet

#: An issue is planned once: whoever comes second finds it taken.
_TAKE_ISSUE = """
    UPDATE issue SET state = 'sending', planned_at = %(now)s, planned_by = %(actor)s, reason = NULL,
           list = %(newsletter)s, frequency = %(frequency)s, segment = %(segment)s
     WHERE id = %(issue)s AND state = 'approved' AND planned_at IS NULL
       AND (%(leaves_at)s::timestamptz IS NULL OR leaves_at = %(leaves_at)s)
    RETURNING id
"""

#: Half a million rows are sorted in memory; compiling a statement takes longer than running it.
_SETTINGS = "SET LOCAL work_mem = '64MB'; SET LOCAL jit = off"

#: The list as of this moment, read once: all that follows is about these rows.
_READERS = """
    CREATE TEMPORARY TABLE reader ON COMMIT DROP AS
    SELECT subscriber_id, subscription_id, topic_set_id, zone,
           COALESCE(exclusion, CASE
               WHEN frequency <> %(frequency)s THEN 'other_frequency'
               WHEN %(segment)s::text IS NOT NULL
                    AND NOT EXISTS (SELECT FROM segment_member AS member
                                     WHERE member.send = %(segment)s
                                       AND member.subscription_id = audience.subscription_id)
               THEN 'outside_segment' END) AS exclusion
      FROM audience
     WHERE newsletter = %(newsletter)s
"""

_TOPIC_SETS = """
    SELECT id, slugs FROM topic_set
     WHERE id IN (SELECT topic_set_id FROM reader WHERE exclusion IS NULL)
"""

_CHOICE_TABLE = """
    CREATE TEMPORARY TABLE choice (topic_set_id integer PRIMARY KEY, edition_id bigint NOT NULL)
    ON COMMIT DROP
"""

_ADD_EDITION = """
    INSERT INTO edition (issue_id, key, brief_ids) VALUES (%(issue)s, %(key)s, %(ids)s)
"""

_CHOOSE = """
    INSERT INTO choice
    SELECT chosen.topic_set_id, edition.id
      FROM unnest(%(sets)s::integer[], %(keys)s::text[]) AS chosen (topic_set_id, key)
      JOIN edition ON edition.issue_id = %(issue)s AND edition.key = chosen.key
"""

#: In reader time: the zones in use, and the moment the core gives each.
_ZONES = "SELECT DISTINCT zone FROM reader WHERE exclusion IS NULL"

_WAVE_TABLE = """
    CREATE TEMPORARY TABLE wave (zone text PRIMARY KEY, not_before timestamptz NOT NULL)
    ON COMMIT DROP
"""

_ADD_WAVES = """
    INSERT INTO wave SELECT * FROM unnest(%(zones)s::text[], %(moments)s::timestamptz[])
"""

#: Who gets what, in which batch of its edition, and in which place: a batch has places in a row.
_PLACE = """
    CREATE TEMPORARY TABLE placed ON COMMIT DROP AS
    SELECT subscriber_id, subscription_id, edition_id,
           CAST(row_number() OVER (ORDER BY edition_id, subscriber_id) AS integer) AS place,
           CAST((row_number() OVER (PARTITION BY edition_id ORDER BY subscriber_id) - 1) / %(size)s
                AS integer) AS ordinal,
           CAST(NULL AS timestamptz) AS not_before
      FROM reader JOIN choice USING (topic_set_id)
     WHERE exclusion IS NULL
"""

#: The same in reader time: a batch is also of one wave. Zones whose clocks agree share theirs.
_PLACE_IN_WAVES = """
    CREATE TEMPORARY TABLE placed ON COMMIT DROP AS
    SELECT subscriber_id, subscription_id, edition_id, not_before,
           CAST(row_number() OVER (ORDER BY edition_id, not_before, part, subscriber_id)
                AS integer) AS place,
           CAST(dense_rank() OVER (PARTITION BY edition_id ORDER BY not_before, part) - 1
                AS integer) AS ordinal
      FROM (SELECT subscriber_id, subscription_id, edition_id, not_before,
                   (row_number() OVER (PARTITION BY edition_id, not_before
                                       ORDER BY subscriber_id) - 1) / %(size)s AS part
              FROM reader JOIN choice USING (topic_set_id) JOIN wave USING (zone)
             WHERE exclusion IS NULL) AS counted
"""

_ADD_BATCHES = """
    INSERT INTO batch (issue_id, edition_id, ordinal, size, not_before, first_place, last_place)
    SELECT %(issue)s, edition_id, ordinal, count(*), min(not_before), min(place), max(place)
      FROM placed GROUP BY edition_id, ordinal ORDER BY min(place)
"""

_ADD_DELIVERIES = """
    INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id)
    SELECT %(issue)s, place, subscriber_id, subscription_id FROM placed ORDER BY place
"""

#: The audience is counted from the list itself, not from what was just written: the two must agree.
#: News is fresh for so long after the last wave's moment, or after the plan.
_SUM_UP = """
    UPDATE issue SET audience = (SELECT count(*) FROM reader),
           excluded = (SELECT COALESCE(sum(cardinality(offsets)), 0) FROM exclusion
                        WHERE issue_id = %(issue)s),
           send_by = %(fresh_for)s::interval
                     + greatest(%(now)s::timestamptz,
                                (SELECT max(not_before) FROM batch WHERE issue_id = %(issue)s))
     WHERE id = %(issue)s
"""


def plan_issue(
    session: Session,
    values: Mapping[str, Any],
    choose: Callable[[TopicSet], Edition | None],
    wave: Callable[[str], datetime] | None,
) -> bool:
    """Write down who gets which edition in which batch; False if that was done before.

    `wave` says, in reader time, when the readers of a zone get the issue.
    """
    require_partition(session, values["issue"])
    if not execute(session, _TAKE_ISSUE, values):
        return False
    execute(session, _SETTINGS)
    execute(session, _READERS, values)
    _choose_editions(session, values["issue"], choose)
    store_exclusions(session, values["issue"])
    if wave:
        _add_waves(session, wave)
    for step in (_PLACE_IN_WAVES if wave else _PLACE, _ADD_BATCHES, _ADD_DELIVERIES, _SUM_UP):
        execute(session, step, values)
    return True


def _choose_editions(
    session: Session, issue_id: int, choose: Callable[[TopicSet], Edition | None]
) -> None:
    """Let the core choose for each topic set in use, and write its choices beside them."""
    in_use = rows(session, _TOPIC_SETS)
    chosen = {row["id"]: choose(TopicSet(frozenset(row["slugs"]))) for row in in_use}
    editions = {edition.key: edition for edition in chosen.values() if edition}
    added = ({"issue": issue_id, "key": e.key, "ids": [*e.brief_ids]} for e in editions.values())
    with driver(session).cursor() as cursor:
        cursor.executemany(_ADD_EDITION, added)
    execute(session, _CHOICE_TABLE)
    choices = {
        "issue": issue_id,
        "sets": [set_id for set_id, edition in chosen.items() if edition],
        "keys": [edition.key for edition in chosen.values() if edition],
    }
    execute(session, _CHOOSE, choices)


def _add_waves(session: Session, wave: Callable[[str], datetime]) -> None:
    zones = [row["zone"] for row in rows(session, _ZONES)]
    execute(session, _WAVE_TABLE)
    execute(session, _ADD_WAVES, {"zones": zones, "moments": [wave(zone) for zone in zones]})
