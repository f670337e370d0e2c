"""The statements of an import: what a portion's decision asks for, set by set.

Consent to an imported subscription is not recorded a million times: its `import_id` and the row of
`list_import` say it, and whoever reads a subscriber's consent joins the two. When the subscription
goes and the subscriber stays, `subscribers.lists.undo` writes the act as a row of `consent`. An
unsubscribe that came with a list has its own row. See docs/decisions/blank-cells-and-statements.md.
"""

from collections.abc import Iterator

from subscribers.db.statements import (
    INSERT_CHANGE,
    INSERT_CONSENT,
    lock_subscriptions,
    upsert_subscriptions,
)
from subscribers.db.suppressions import WEIGHTIER_WINS
from subscribers.lists.decisions import COUNTS, ImportDecision, Met, ruling
from subscribers.lists.fields import TEXTS, for_each_text

# What became of a row, unless it was added and nothing else is to be said of it.
ANSWER = f"""
INSERT INTO answered
    SELECT line, result,
           concat_ws('; ', CASE
                WHEN line <> first_line THEN 'the same address as line ' || first_line
                WHEN result = 'refused' THEN 'another address of a subscriber; name the other one'
                WHEN result = 'erased' THEN 'asked to be forgotten, which a list does not undo'
                WHEN suppressed IS NOT NULL THEN suppressed
                WHEN result = 'suppressed' THEN suppress || ' in ' || %(service)s
                WHEN result = 'ended' AND ends THEN 'left, in ' || %(service)s
                WHEN result = 'ended' THEN 'unsubscribed, which a list does not undo'
                WHEN unsubscribed THEN 'has resubscribed here since'
                WHEN suppress IS NOT NULL THEN suppress || ' was lifted here since'
                WHEN result = 'updated' THEN concat_ws(', ',
                    CASE WHEN new_name THEN 'name' END,
                    CASE WHEN new_topics THEN 'topics' END,
                    {for_each_text("CASE WHEN new_{name} THEN '{title}' END")},
                    CASE WHEN new_tags THEN 'tags' END)
           END, warning) AS reason
    FROM decided WHERE result <> 'added' OR warning IS NOT NULL
"""

_SUBSCRIBERS = """
INSERT INTO subscriber (id, email, email_key, name, created_at)
SELECT subscriber_id, email, email_key, COALESCE(name, ''), %(at)s FROM decided
WHERE (result = 'added' OR ends) AND known_id IS NULL
"""

# What an undone import left is locked before it is filled again.
_LOCK_UNDONE = lock_subscriptions("""undone_at IS NOT NULL AND newsletter = %(newsletter)s
    AND subscriber_id IN (SELECT subscriber_id FROM decided WHERE result = 'added' OR ends)""")

# Links are signed with 16 bytes that nobody can guess. A portion brings its own: to ask the system
# for each, or to hash, takes a tenth of an import's time.
_NEW = {
    "subscriber_id": "subscriber_id",
    "newsletter": "%(newsletter)s",
    "topic_set_id": "topic_set_id",
    "status": "CASE WHEN ends THEN 'ended' ELSE 'active' END",
    "created_at": "COALESCE(joined, %(at)s)",
    "ended_at": "CASE WHEN ends THEN COALESCE(gone_at, %(at)s) END",
    "paused_at": "CASE WHEN paused THEN %(at)s::timestamptz END",
    "paused_until": "CASE WHEN paused THEN paused_until END",
    "tags": "COALESCE(string_to_array(tags, ';'), '{}')",
    "source": "%(source)s",
    "import_id": "%(import)s",
    "import_line": "line",
    "link_key": "substring(%(link_keys)b FROM place::integer * 16 + 1 FOR 16)",
    **{name: f"COALESCE({name}, {text.default})" for name, text in TEXTS.items()},
}
_FROM_DECIDED = """
FROM decided WHERE (result = 'added' OR ends) AND subscription_id IS NULL
"""

_LOCK_KNOWN = lock_subscriptions(
    "id IN (SELECT subscription_id FROM decided WHERE result = 'updated' OR ends)"
)

_TEXT_CHANGES = for_each_text("""    '{name}', CASE WHEN new_{name} THEN
        jsonb_build_object('from', subscription.{name}, 'to', decided.{name}) END""")

# What this portion changes, and nothing of those before it: their readers may have chosen since.
# An unsubscribe since the decision still wins: its row is looked at again.
_REMEMBER = f"""
INSERT INTO import_change (import_id, subscription_id, before)
SELECT %(import)s, subscription.id, jsonb_strip_nulls(jsonb_build_object(
    'name', CASE WHEN new_name THEN
        jsonb_build_object('from', subscriber.name, 'to', decided.name) END,
    'topics', CASE WHEN new_topics THEN
        jsonb_build_object('from', topic_set.slugs, 'to', string_to_array(decided.topics, ';')) END,
{_TEXT_CHANGES},
    'tags', CASE WHEN new_tags THEN
        jsonb_build_object('from', subscription.tags, 'to', ARRAY(
            SELECT unnest(subscription.tags || string_to_array(decided.tags, ';')) AS tag
            GROUP BY tag ORDER BY tag)) END))
FROM decided
JOIN subscription ON subscription.subscriber_id = decided.subscriber_id
                 AND subscription.newsletter = %(newsletter)s
JOIN subscriber ON subscriber.id = decided.subscriber_id
JOIN topic_set ON topic_set.id = subscription.topic_set_id
WHERE (result = 'updated' OR result = 'added' AND new_name)
  AND subscription.status <> 'ended'
ON CONFLICT DO NOTHING
RETURNING subscription_id, before
"""

_NAMES = """
UPDATE subscriber SET name = before #>> '{name,to}'
FROM remembered JOIN subscription ON subscription.id = subscription_id
WHERE before ? 'name' AND subscriber.id = subscription.subscriber_id
"""


def set_given(given: str, leaf: str = "") -> str:
    """Return the UPDATE of subscriptions to what a JSON object gives, each value below its field.

    An import sets new values, an undo the former ones; names are the subscriber's and not here.
    """
    return f"""
UPDATE subscription
SET topic_set_id = COALESCE(
        (SELECT topic_set.id FROM topic_set WHERE slugs = ARRAY(
            SELECT jsonb_array_elements_text({given} #> '{{topics{leaf}}}'))),
        topic_set_id),
    {for_each_text(f"{{name}} = COALESCE({given} #>> '{{{{name}}{leaf}}}', {{name}})")},
    tags = CASE WHEN {given} ? 'tags'
        THEN ARRAY(SELECT jsonb_array_elements_text({given} #> '{{tags{leaf}}}')) ELSE tags END
"""


_CHANGES = f"""
{set_given("before", ",to")}
FROM remembered
WHERE subscription.id = subscription_id AND before - 'name' <> '{{}}'
"""

_CHANGE = f"""
WITH remembered AS ({_REMEMBER}), named AS ({_NAMES}), changed AS ({_CHANGES})
{INSERT_CHANGE}
SELECT subscriber_id, newsletter, %(at)s, %(source)s, field.key, field.value
FROM remembered
JOIN subscription ON subscription.id = subscription_id, jsonb_each(before) AS field
"""

_UNSUBSCRIBES = f"""
WITH ended AS (
    UPDATE subscription SET status = 'ended', ended_at = COALESCE(gone_at, %(at)s)
    FROM decided
    WHERE subscription.id = decided.subscription_id AND ends AND subscription.status <> 'ended'
)
{INSERT_CONSENT}
SELECT DISTINCT ON (subscriber_id)
       subscriber_id, %(newsletter)s, COALESCE(gone_at, %(at)s), %(withdrawn)s, %(source)s,
       jsonb_build_object('line', line, 'format', %(format)s::text)
FROM decided WHERE ends
ORDER BY subscriber_id, line
"""

_SUPPRESSIONS = f"""
INSERT INTO suppression (email_key, reason, source, since, note)
SELECT email_key, suppress, %(source)s, COALESCE(gone_at, %(at)s), %(service)s
FROM decided
WHERE suppress IS NOT NULL AND result = 'suppressed' AND NOT lifted
{WEIGHTIER_WINS}
"""

_ADD = (_SUBSCRIBERS, upsert_subscriptions(_NEW, _FROM_DECIDED, refill=False))
_REFILL = (_SUBSCRIBERS, upsert_subscriptions(_NEW, _FROM_DECIDED))
_UPDATE = (_LOCK_KNOWN, _CHANGE)
_REMOVE = (_LOCK_KNOWN, _UNSUBSCRIBES, _SUPPRESSIONS)


def needed(decision: ImportDecision) -> Iterator[str]:
    """Yield the statements that have something to do: each reads the whole portion."""
    if decision.refills:
        yield _LOCK_UNDONE
    if decision.adds:
        yield from _REFILL if decision.refills else _ADD
    if decision.changes:
        yield from _UPDATE
    if decision.removes:
        yield from _REMOVE


def at_once(met: Met, *, dry_run: bool) -> str:
    """Return the one statement that decides on a portion of new people, adds them, and counts."""
    done = [ANSWER] if dry_run else [ANSWER, *_ADD]
    acts = "".join(f", act_{number} AS ({act})" for number, act in enumerate(done))
    return f"WITH decided AS MATERIALIZED ({ruling(met)}){acts} {COUNTS}"
