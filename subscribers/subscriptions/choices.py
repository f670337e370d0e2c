"""What a reader changes about their own subscription: one statement each, with its record.

Only what changes is recorded: the same choice again is nothing. Each statement takes the
subscription's `id`, the new value `to`, the moment `at`, and who did it, `actor`.
"""

import zoneinfo
from collections.abc import Mapping

from subscribers.db.statements import INSERT_CHANGE, INSERT_CONSENT
from subscribers.errors import InvalidChoice
from subscribers.model import NAME_LENGTH, Change

_RECORD = f"""
{INSERT_CHANGE}
SELECT subscriber_id, newsletter, %(at)s, %(actor)s, %(what)s, detail FROM changed
"""

# The row is locked before it is compared: of two changes at once, the second sees the first.
_WAS = """
WITH was AS (SELECT * FROM subscription WHERE id = %(id)s FOR NO KEY UPDATE),
"""


def _set(column: str) -> str:
    return f"""
{_WAS}
changed AS (
    UPDATE subscription SET {column} = %(to)s FROM was
    WHERE subscription.id = was.id AND was.{column} <> %(to)s
    RETURNING was.subscriber_id, was.newsletter,
              jsonb_build_object('from', was.{column}, 'to', %(to)s::text) AS detail
)
{_RECORD}
"""


_PAUSED = """
changed AS (
    UPDATE subscription
    SET paused_at = coalesce(was.paused_at, %(at)s), paused_until = %(to)s FROM was
    WHERE subscription.id = was.id
      AND (was.paused_at IS NULL OR was.paused_until IS DISTINCT FROM %(to)s)
    RETURNING was.subscriber_id, was.newsletter,
              jsonb_build_object('until', %(to)s::timestamptz) AS detail
)
"""

_UNPAUSED = """
changed AS (
    UPDATE subscription SET paused_at = NULL, paused_until = NULL FROM was
    WHERE subscription.id = was.id AND was.paused_at IS NOT NULL
    RETURNING was.subscriber_id, was.newsletter,
              jsonb_build_object('since', was.paused_at, 'until', was.paused_until) AS detail
)
"""

# A name is the subscriber's, in all newsletters.
_NAME = """
WITH changed AS (
    UPDATE subscriber SET name = %(to)s
    FROM (
        SELECT subscriber.id, name, newsletter
        FROM subscriber JOIN subscription ON subscriber_id = subscriber.id
        WHERE subscription.id = %(id)s FOR NO KEY UPDATE OF subscriber
    ) AS was
    WHERE subscriber.id = was.id AND was.name <> %(to)s
    RETURNING subscriber.id AS subscriber_id, was.newsletter,
              jsonb_build_object('from', was.name, 'to', %(to)s::text) AS detail
)
"""

# Recorded once after each unsubscribe: whoever has the link could otherwise fill the table.
_REASON = """
changed AS (
    SELECT subscriber_id, newsletter, %(to)s::jsonb AS detail FROM was
    WHERE status = 'ended' AND undone_at IS NULL AND NOT EXISTS (
        SELECT FROM change
        WHERE change.subscriber_id = was.subscriber_id AND change.newsletter = was.newsletter
          AND what = %(what)s AND change.at >= was.ended_at
    )
)
"""

CHANGES: Mapping[Change, str] = {
    Change.FREQUENCY: _set("frequency"),
    Change.ZONE: _set("zone"),
    Change.PAUSED: _WAS + _PAUSED + _RECORD,
    Change.UNPAUSED: _WAS + _UNPAUSED + _RECORD,
    Change.NAME: _NAME + _RECORD,
    Change.REASON: _WAS + _REASON + _RECORD,
}

CHOOSE_TOPICS = f"""
WITH chosen AS (
    UPDATE subscription SET topic_set_id = %(set)s WHERE id = %(id)s AND topic_set_id <> %(set)s
    RETURNING subscriber_id, newsletter
)
{INSERT_CONSENT}
SELECT subscriber_id, newsletter, %(at)s, %(act)s, %(source)s, %(detail)s FROM chosen
"""


def plain_name(name: str) -> str:
    """Return a name as it is stored; raise InvalidChoice."""
    plain = " ".join(name.split())
    if len(plain) > NAME_LENGTH or not plain.isprintable():
        said = f"A name has at most {NAME_LENGTH} characters, all of them printable."
        raise InvalidChoice("name", said)
    return plain


def known_zone(zone: str) -> str:
    """Return a zone that there is; raise InvalidChoice."""
    if zone not in zoneinfo.available_timezones():
        raise InvalidChoice("zone", "Choose a time zone from the list.")
    return zone
