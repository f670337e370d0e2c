"""Undoing an import: what it added goes, what it changed becomes what it was.

What belongs to a subscriber stays: a subscription whose owner chose, confirmed, paused or left
since, and every unsubscribe and suppression, whoever brought it. What goes counts for nothing any
more, but its row stays. See docs/decisions/an-undone-import-keeps-its-rows.md.
"""

from datetime import datetime

from sqlmodel import Session

from subscribers.db.record_tables import ListImportRow
from subscribers.db.statements import (
    INSERT_CHANGE,
    INSERT_CONSENT,
    WAIT_FOR_IMPORT,
    lock_subscriptions,
)
from subscribers.db.transaction import execute, rows, scalar
from subscribers.errors import NoSuchImport
from subscribers.lists.fields import for_each_text
from subscribers.lists.importing import set_given
from subscribers.model import ConsentAct, Kept, Undone

# Nobody leaves or chooses in between.
_LOCK = lock_subscriptions("""import_id = %(import)s
    OR id IN (SELECT subscription_id FROM import_change WHERE import_id = %(import)s)""")

# The latest thing that each owner did since; the status says it where no record does.
_CONCERNED = """
CREATE TEMP TABLE concerned ON COMMIT DROP AS
SELECT subscription.id, subscription.subscriber_id, subscription.newsletter, import_line,
       status, ended_at,
       (status = 'ended' AND EXISTS (
            SELECT FROM consent
            WHERE consent.subscriber_id = subscription.subscriber_id
              AND consent.newsletter = subscription.newsletter
              AND act = 'withdrawn' AND consent.source = %(source)s
       )) AS unsubscribed,
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

_KEPT = """
SELECT email, did AS why FROM concerned
JOIN subscriber ON subscriber.id = subscriber_id
WHERE did IS NOT NULL AND NOT unsubscribed
ORDER BY email
"""

_COUNTS = """
SELECT count(*) FILTER (WHERE did IS NULL) AS removed,
       (SELECT count(*) FROM consent WHERE source = %(source)s AND act = 'withdrawn')
           AS unsubscribes,
       (SELECT count(*) FROM suppression WHERE source = %(source)s) AS suppressions
FROM concerned
"""

_CONSENT = f"""
{INSERT_CONSENT}
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

# What imports changed about it is not restored to what may come in its place.
_FORGOTTEN = """
DELETE FROM import_change USING concerned
WHERE subscription_id = concerned.id AND concerned.did IS NULL
"""

# Only what is still as the import left it.
_RESTORABLE = f"""
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
    {for_each_text("WHEN '{name}' THEN to_jsonb(subscription.{name})", " ")}
    WHEN 'tags' THEN to_jsonb(subscription.tags)
END
"""

_RESTORED = f"""
{set_given("given")}
FROM (
    SELECT subscription_id, jsonb_object_agg(what, former) AS given
    FROM restorable WHERE what <> 'name' GROUP BY subscription_id
) AS restored
WHERE subscription.id = subscription_id
"""

_NAMES = """
UPDATE subscriber SET name = former #>> '{}'
FROM restorable WHERE what = 'name' AND subscriber.id = subscriber_id
"""

_RECORDED = f"""
{INSERT_CHANGE}
SELECT subscriber_id, newsletter, %(now)s, %(actor)s, what,
       jsonb_build_object('from', became, 'to', former, 'undone', %(source)s::text)
FROM restorable
"""

_RESTORED_COUNT = """
SELECT count(DISTINCT subscription_id) FROM restorable
WHERE subscription_id NOT IN (SELECT id FROM concerned WHERE did IS NULL)
"""

# Names first: a name may have come to somebody whose new subscription goes.
_CHANGING = (_NAMES, _RESTORED, _RECORDED, _CONSENT, _REMOVED, _FORGOTTEN)


def undo(session: Session, import_id: int, *, at: datetime, actor: str, dry_run: bool) -> Undone:
    execute(session, WAIT_FOR_IMPORT)  # it may have decided on rows that this would undo
    found = session.get(ListImportRow, import_id, with_for_update=True)
    if found is None:
        raise NoSuchImport(f"there was no import {import_id}")
    if found.undone_at:
        return Undone(import_id=import_id, before=True, dry_run=dry_run)
    values = {
        "actor": actor,
        "at": found.at,
        "file": found.file,
        "import": import_id,
        "imported": ConsentAct.IMPORTED.value,
        "now": at,
        "source": f"import {import_id}",
        "statement": found.consent_source,
    }
    for statement in (_LOCK, _CONCERNED, _RESTORABLE):
        execute(session, statement, values)
    [counts] = rows(session, _COUNTS, values)
    kept = tuple(Kept(**row) for row in rows(session, _KEPT))
    restored = scalar(session, _RESTORED_COUNT)
    report = Undone(import_id=import_id, dry_run=dry_run, restored=restored, kept=kept, **counts)
    if not dry_run:
        for statement in _CHANGING:
            execute(session, statement, values)
        found.undone_at = at
    return report
