"""What an undone import had added: rows that count for nothing, and keep old links alive.

Such a row is as good as absent to whoever adds a subscription, and is filled anew: it keeps its
number and its link key, so that a goodbye through an old letter ends what came after.
"""

from typing import LiteralString

#: To follow an INSERT. A goodbye said in between has made the row its subscriber's own: it stays.
FILL_ANEW: LiteralString = """
ON CONFLICT (subscriber_id, newsletter) DO UPDATE
SET topic_set_id = excluded.topic_set_id, zone = excluded.zone, status = excluded.status,
    created_at = excluded.created_at, ended_at = excluded.ended_at,
    frequency = excluded.frequency, paused_at = excluded.paused_at,
    paused_until = excluded.paused_until, tags = excluded.tags, source = excluded.source,
    import_id = excluded.import_id, import_line = excluded.import_line,
    engaged_on = greatest(subscription.engaged_on, excluded.engaged_on),
    asked_at = excluded.asked_at, undone_at = NULL
WHERE subscription.undone_at IS NOT NULL
"""
