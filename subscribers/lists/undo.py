"""Taking an import back: what it added goes, what it changed becomes what it was.

What belongs to a subscriber stays: a subscription whose owner chose, confirmed, paused or left
since, and every goodbye and suppression, whoever brought it. What goes counts for nothing any
more, but its row is kept with the evidence of the import: a letter may have reached its owner in
between, and the goodbye behind that letter's link is still heard.
"""

from datetime import datetime
from typing import Any

from psycopg import Connection

from subscribers.db.connection import rows
from subscribers.model import ConsentAct, Kept, Undone

# Whoever writes to this table waits for an import: it has ruled on rows that this would undo.
_WAIT = "LOCK TABLE subscriber IN ROW EXCLUSIVE MODE"

_IMPORT = "SELECT * FROM list_import WHERE id = %(import)s FOR UPDATE"

# Held in the order of all writers of this table, so that nobody leaves or chooses in between.
_HOLD = """
SELECT count(*) FROM (
    SELECT FROM subscription
    WHERE import_id = %(import)s
       OR id IN (SELECT subscription_id FROM import_change WHERE import_id = %(import)s)
    ORDER BY id FOR NO KEY UPDATE
) AS held
"""

# The latest thing that each owner did since; how they stand says it where no record does.
_CONCERNED = """
CREATE TEMP TABLE concerned ON COMMIT DROP AS
SELECT subscription.id, subscription.subscriber_id, subscription.newsletter, import_line,
       status, ended_at,
       (status = 'ended' AND EXISTS (
            SELECT FROM consent
            WHERE consent.subscriber_id = subscription.subscriber_id
              AND consent.newsletter = subscription.newsletter
              AND act = 'withdrawn' AND consent.source = %(source)s
       )) AS goodbye,
       COALESCE(
           (SELECT act FROM consent
            WHERE consent.subscriber_id = subscription.subscriber_id
              AND consent.newsletter = subscription.newsletter
              AND consent.at >= %(at)s AND consent.source <> %(source)s AND act <> %(imported)s
            ORDER BY consent.id DESC LIMIT 1),
           (SELECT 'changed ' || what FROM change
            WHERE change.subscriber_id = subscription.subscriber_id
              AND COALESCE(change.newsletter, subscription.newsletter) = subscription.newsletter
              AND change.at >= %(at)s AND actor = 'subscriber'
            ORDER BY change.id DESC LIMIT 1),
           CASE WHEN status = 'ended' THEN 'left' WHEN paused_at > %(at)s THEN 'paused' END
       ) AS did
FROM subscription
WHERE import_id = %(import)s
"""

_STAYED = """
SELECT email, did AS why FROM concerned
JOIN subscriber ON subscriber.id = subscriber_id
WHERE did IS NOT NULL AND NOT goodbye
ORDER BY email
"""

_COUNTS = """
SELECT count(*) FILTER (WHERE did IS NULL) AS removed,
       (SELECT count(*) FROM consent WHERE source = %(source)s AND act = 'withdrawn') AS goodbyes,
       (SELECT count(*) FROM suppression WHERE source = %(source)s) AS suppressions
FROM concerned
"""

_EVIDENCE = """
INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail)
SELECT subscriber_id, newsletter, %(at)s, %(imported)s, %(source)s, jsonb_build_object(
    'line', import_line, 'file', %(file)s::text, 'statement', %(statement)s::text,
    'undone', %(now)s::timestamptz, 'undone_by', %(actor)s::text)
FROM concerned WHERE did IS NULL
ORDER BY subscriber_id
"""

_REMOVED = """
UPDATE subscription
SET status = 'ended', ended_at = %(now)s, undone_at = %(now)s, paused_at = NULL, paused_until = NULL
FROM concerned
WHERE subscription.id = concerned.id AND concerned.did IS NULL
"""

# What imports changed about it is not to be restored to what may come in its place.
_FORGOTTEN = """
DELETE FROM import_change USING concerned
WHERE subscription_id = concerned.id AND concerned.did IS NULL
"""

# Only what is still as the import left it.
_RESTORABLE = """
CREATE TEMP TABLE restorable ON COMMIT DROP AS
SELECT subscription_id, subscription.subscriber_id, subscription.newsletter, field.key AS what,
       field.value -> 'from' AS former, field.value -> 'to' AS became
FROM import_change
JOIN subscription ON subscription.id = subscription_id
JOIN subscriber ON subscriber.id = subscription.subscriber_id
JOIN topic_set ON topic_set.id = topic_set_id,
     jsonb_each(before) AS field
WHERE import_change.import_id = %(import)s AND field.value -> 'to' = CASE field.key
    WHEN 'name' THEN to_jsonb(subscriber.name)
    WHEN 'topics' THEN to_jsonb(topic_set.slugs)
    WHEN 'zone' THEN to_jsonb(subscription.zone)
    WHEN 'frequency' THEN to_jsonb(subscription.frequency)
    WHEN 'tags' THEN to_jsonb(subscription.tags)
END
"""

_RESTORED = """
UPDATE subscription
SET topic_set_id = COALESCE(
        (SELECT topic_set.id FROM topic_set
         WHERE slugs = ARRAY(SELECT jsonb_array_elements_text(was -> 'topics'))), topic_set_id),
    zone = COALESCE(was ->> 'zone', zone),
    frequency = COALESCE(was ->> 'frequency', frequency),
    tags = CASE WHEN was ? 'tags'
        THEN ARRAY(SELECT jsonb_array_elements_text(was -> 'tags')) ELSE tags END
FROM (
    SELECT subscription_id, jsonb_object_agg(what, former) AS was
    FROM restorable GROUP BY subscription_id
) AS restored
WHERE subscription.id = subscription_id AND was - 'name' <> '{}'
"""

_NAMES = """
UPDATE subscriber SET name = former #>> '{}'
FROM restorable WHERE what = 'name' AND subscriber.id = subscriber_id
"""

_RECORDED = """
INSERT INTO change (subscriber_id, newsletter, at, actor, what, detail)
SELECT subscriber_id, newsletter, %(now)s, %(actor)s, what,
       jsonb_build_object('from', became, 'to', former, 'undone', %(source)s::text)
FROM restorable
"""

_UNDONE = "UPDATE list_import SET undone_at = %(now)s WHERE id = %(import)s"

# Names first: a name may have come to somebody whose new subscription goes.
_CHANGING = (_NAMES, _RESTORED, _RECORDED, _EVIDENCE, _REMOVED, _FORGOTTEN, _UNDONE)


def undo(
    connection: Connection[Any], import_id: int, *, at: datetime, actor: str, dry_run: bool
) -> Undone | None:
    """Undo within the caller's transaction; see `subscribers.ports.ListStore`."""
    connection.execute(_WAIT)
    found = rows(connection, _IMPORT, {"import": import_id})
    if not found:
        return None
    if found[0]["undone_at"]:
        return Undone(import_id=import_id, before=True, dry_run=dry_run)
    values = {
        "actor": actor,
        "at": found[0]["at"],
        "file": found[0]["file"],
        "import": import_id,
        "imported": ConsentAct.IMPORTED.value,
        "now": at,
        "source": f"import {import_id}",
        "statement": found[0]["consent_source"],
    }
    for statement in (_HOLD, _CONCERNED, _RESTORABLE):
        connection.execute(statement, values)
    report = Undone(import_id=import_id, dry_run=dry_run, **_told(connection, values))
    if not dry_run:
        for statement in _CHANGING:
            connection.execute(statement, values)
    return report


def _told(connection: Connection[Any], values: dict[str, Any]) -> dict[str, Any]:
    (counts,) = rows(connection, _COUNTS, values)
    (restored,) = rows(
        connection,
        "SELECT count(DISTINCT subscription_id) FROM restorable"
        " WHERE subscription_id NOT IN (SELECT id FROM concerned WHERE did IS NULL)",
        {},
    )
    stayed = tuple(Kept(**row) for row in rows(connection, _STAYED, {}))
    return {**counts, "restored": restored["count"], "stayed": stayed}
