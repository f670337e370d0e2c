"""Storing a whole list in one transaction: what `subscribers.lists.decisions` ruled, set by set.

Evidence of an imported subscription is not written a million times: its `import_id` and
`import_line` say it, together with the row of `list_import`, which has the moment, the file, the
operator's statement of where the consent came from, whose export it was, and who imported it. So
who reads a subscriber's evidence joins `list_import ON list_import.id = subscription.import_id` and
reads that as the act `imported`. When the subscription goes (an undone import, a merge) and the
subscriber stays, the act is to be written down as a row of `consent`; see `undoing`.

A goodbye that came with a list is an act of consent like any other, and has its own row.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from secrets import token_bytes
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.types.json import Jsonb

from subscribers.db.undone import FILL_ANEW
from subscribers.lists.decisions import ImportDecision, rule
from subscribers.model import EVERYTHING, ConsentAct, RowResult
from subscribers.ports import Imported, ListImport
from subscribers.rules.suppression import LADDER

# A refused address may be anything, and a spreadsheet would run some of it as a formula.
_ANSWERS = """
COPY (
    SELECT line,
           CASE WHEN left(email, 1) IN ('=', '+', '-', '@') THEN '''' || email ELSE email END
               AS email,
           result,
           CASE WHEN problem IS NOT NULL THEN problem
                WHEN line <> first_line THEN 'the same address as line ' || first_line
                WHEN result = 'refused' THEN 'another address of a subscriber; name the other one'
                WHEN result = 'erased' THEN 'asked to be forgotten, which a list does not undo'
                WHEN suppressed IS NOT NULL THEN suppressed
                WHEN result = 'suppressed' THEN suppress || ' in ' || %(service)s
                WHEN result = 'ended' AND ends THEN 'left, in ' || %(service)s
                WHEN result = 'ended' THEN 'said goodbye, which a list does not take back'
                WHEN said_goodbye THEN 'took that goodbye back here since'
                WHEN suppress IS NOT NULL THEN suppress || ' was lifted here since'
                WHEN result = 'updated' THEN concat_ws(', ',
                    CASE WHEN new_name THEN 'name' END,
                    CASE WHEN new_topics THEN 'topics' END,
                    CASE WHEN new_zone THEN 'timezone' END,
                    CASE WHEN new_frequency THEN 'frequency' END,
                    CASE WHEN new_tags THEN 'tags' END)
           END AS reason
    FROM ruled ORDER BY line
) TO STDOUT (FORMAT csv, HEADER)
"""

_LIST_IMPORT = """
INSERT INTO list_import (at, file, newsletter, consent_source, counts, format, actor)
VALUES (%(at)s, %(file)s, %(newsletter)s, %(consent_source)s, %(counts)s, %(format)s, %(actor)s)
RETURNING id
"""

_TOPIC_SETS = """
INSERT INTO topic_set (slugs)
SELECT string_to_array(topics, ';') FROM (
    SELECT DISTINCT COALESCE(topics, %(everything)s) AS topics FROM ruled
    WHERE result IN ('added', 'updated') OR ends
) AS chosen
ON CONFLICT DO NOTHING
"""

# A small table that is known to be small: with it the planner joins without sorting, and what
# follows is written in the order of the keys.
_CHOSEN = """
CREATE TEMP TABLE chosen ON COMMIT DROP AS
SELECT id, array_to_string(slugs, ';') AS topics FROM topic_set
"""

_SUBSCRIBERS = """
INSERT INTO subscriber (id, email, email_key, name, created_at)
SELECT subscriber_id, email, email_key, COALESCE(name, ''), %(at)s FROM ruled
WHERE (result = 'added' OR ends) AND known_id IS NULL
"""

# What an undone import left is locked in the one order of all writers before it is filled anew.
_HOLD_UNDONE = """
SELECT count(*) FROM (
    SELECT FROM subscription
    WHERE undone_at IS NOT NULL AND newsletter = %(newsletter)s
      AND subscriber_id IN (SELECT subscriber_id FROM ruled WHERE result = 'added' OR ends)
    ORDER BY id FOR NO KEY UPDATE
) AS held
"""

# Links are signed with 16 bytes that nobody can guess: a hash of the subscriber's number under a
# seed that is forgotten after this statement. To ask the system a million times takes longer.
_SUBSCRIPTIONS = """
INSERT INTO subscription (
    subscriber_id, newsletter, topic_set_id, zone, status, created_at, ended_at, frequency,
    paused_at, paused_until, tags, source, import_id, import_line, link_key
)
SELECT subscriber_id, %(newsletter)s, chosen.id, COALESCE(zone, %(zone)s),
       CASE WHEN ends THEN 'ended' ELSE 'active' END,
       COALESCE(joined, %(at)s),
       CASE WHEN ends THEN COALESCE(gone_at, %(at)s) END,
       COALESCE(frequency, 'daily'),
       CASE WHEN paused THEN %(at)s::timestamptz END, CASE WHEN paused THEN paused_until END,
       COALESCE(string_to_array(tags, ';'), '{}'), %(source)s, %(import)s, line,
       substring(sha256(%(seed)s::bytea || int8send(subscriber_id)) FROM 1 FOR 16)
FROM ruled
JOIN chosen ON chosen.topics = COALESCE(ruled.topics, %(everything)s)
WHERE (result = 'added' OR ends) AND subscription_id IS NULL
"""

# Locked in the same order as everywhere: two writers may wait, never lock each other out.
_HOLD = """
SELECT count(*) FROM (
    SELECT FROM subscription
    WHERE id IN (SELECT subscription_id FROM ruled WHERE result = 'updated' OR ends)
    ORDER BY id FOR NO KEY UPDATE
) AS held
"""

# A goodbye said since the ruling still wins: its row is looked at again.
_REMEMBERED = """
INSERT INTO import_change (import_id, subscription_id, before)
SELECT %(import)s, subscription.id, jsonb_strip_nulls(jsonb_build_object(
    'name', CASE WHEN new_name THEN
        jsonb_build_object('from', subscriber.name, 'to', ruled.name) END,
    'topics', CASE WHEN new_topics THEN
        jsonb_build_object('from', topic_set.slugs, 'to', string_to_array(ruled.topics, ';')) END,
    'zone', CASE WHEN new_zone THEN
        jsonb_build_object('from', subscription.zone, 'to', ruled.zone) END,
    'frequency', CASE WHEN new_frequency THEN
        jsonb_build_object('from', subscription.frequency, 'to', ruled.frequency) END,
    'tags', CASE WHEN new_tags THEN
        jsonb_build_object('from', subscription.tags, 'to', ARRAY(
            SELECT unnest(subscription.tags || string_to_array(ruled.tags, ';')) AS tag
            GROUP BY tag ORDER BY tag)) END))
FROM ruled
JOIN subscription ON subscription.subscriber_id = ruled.subscriber_id
                 AND subscription.newsletter = %(newsletter)s
JOIN subscriber ON subscriber.id = ruled.subscriber_id
JOIN topic_set ON topic_set.id = subscription.topic_set_id
WHERE (result = 'updated' OR result = 'added' AND new_name)
  AND subscription.status <> 'ended'
ON CONFLICT DO NOTHING
"""

_NAMES = """
UPDATE subscriber SET name = before #>> '{name,to}'
FROM import_change JOIN subscription ON subscription.id = subscription_id
WHERE import_change.import_id = %(import)s AND before ? 'name'
  AND subscriber.id = subscription.subscriber_id
"""

_CHANGES = """
UPDATE subscription
SET topic_set_id = COALESCE(
        (SELECT topic_set.id FROM topic_set WHERE slugs = ARRAY(
            SELECT jsonb_array_elements_text(before #> '{topics,to}'))),
        topic_set_id),
    zone = COALESCE(before #>> '{zone,to}', zone),
    frequency = COALESCE(before #>> '{frequency,to}', frequency),
    tags = CASE WHEN before ? 'tags'
        THEN ARRAY(SELECT jsonb_array_elements_text(before #> '{tags,to}')) ELSE tags END
FROM import_change
WHERE import_change.import_id = %(import)s AND subscription.id = subscription_id
  AND before - 'name' <> '{}'
"""

_RECORDED = """
INSERT INTO change (subscriber_id, newsletter, at, actor, what, detail)
SELECT subscriber_id, newsletter, %(at)s, %(source)s, field.key, field.value
FROM import_change
JOIN subscription ON subscription.id = subscription_id, jsonb_each(before) AS field
WHERE import_change.import_id = %(import)s
"""

_GOODBYES = """
WITH ended AS (
    UPDATE subscription SET status = 'ended', ended_at = COALESCE(gone_at, %(at)s)
    FROM ruled
    WHERE subscription.id = ruled.subscription_id AND ends AND subscription.status <> 'ended'
)
INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail)
SELECT DISTINCT ON (subscriber_id)
       subscriber_id, %(newsletter)s, COALESCE(gone_at, %(at)s), %(withdrawn)s, %(source)s,
       jsonb_build_object('line', line, 'format', %(format)s::text)
FROM ruled WHERE ends
ORDER BY subscriber_id, line
"""

_SUPPRESSIONS = """
INSERT INTO suppression (email_key, reason, source, since, note)
SELECT email_key, suppress, %(source)s, COALESCE(gone_at, %(at)s), %(service)s
FROM ruled
WHERE suppress IS NOT NULL AND result = 'suppressed' AND NOT lifted
ON CONFLICT (email_key) DO UPDATE
SET reason = excluded.reason, source = excluded.source, since = excluded.since,
    note = excluded.note
WHERE array_position(%(ladder)s::text[], excluded.reason)
    > array_position(%(ladder)s::text[], suppression.reason)
"""

# The next to read these tables plans a send: the planner should know that they have grown.
_ANALYZE = "ANALYZE subscriber, subscription"

_MAKING_ROOM = (_TOPIC_SETS, _CHOSEN, "ANALYZE chosen", _SUBSCRIBERS)
_ADDING = (*_MAKING_ROOM, _SUBSCRIPTIONS)
# To look for a row in the way of each takes a sixth of an import's time: only where there may be
# one is it looked for.
_REFILLING = (*_MAKING_ROOM, _HOLD_UNDONE, _SUBSCRIPTIONS + FILL_ANEW)
_UPDATING = (_TOPIC_SETS, _HOLD, _REMEMBERED, _NAMES, _CHANGES, _RECORDED)
_HEARING = (_HOLD, _GOODBYES, _SUPPRESSIONS)


def import_rows(
    connection: Connection[Any],
    blocks: Iterable[bytes],
    fields: Collection[str],
    about: ListImport,
    answer: Callable[[bytes], object],
    *,
    dry_run: bool,
) -> Imported:
    """Import within the caller's transaction; see `subscribers.ports.ListStore`."""
    ruling = rule(connection, blocks, fields, about)
    values = {
        "at": about.at,
        "everything": EVERYTHING,
        "format": about.format,
        "ladder": [reason.value for reason in LADDER],
        "newsletter": about.newsletter,
        "seed": token_bytes(32),
        "service": about.service,
        "withdrawn": ConsentAct.WITHDRAWN.value,
        "zone": about.default_zone,
    }
    number = None
    if not dry_run:
        number = _keep(connection, about, ruling.counts)
        values |= {"import": number, "source": f"import {number}"}
        for statement in _needed(ruling):
            connection.execute(statement, values)
    with connection.cursor() as cursor, cursor.copy(_ANSWERS, values) as copy:
        for block in copy:
            answer(bytes(block))
    return Imported(number, ruling.counts)


def _needed(ruling: ImportDecision) -> Iterator[LiteralString]:
    """Yield the statements that have something to do: each reads a million rows."""
    if ruling.adds:
        yield from _REFILLING if ruling.refills else _ADDING
    if ruling.changes:
        yield from _UPDATING
    if ruling.hears:
        yield from _HEARING
    yield _ANALYZE


def _keep(connection: Connection[Any], about: ListImport, counts: Mapping[RowResult, int]) -> int:
    values = {
        "actor": about.actor,
        "at": about.at,
        "consent_source": about.consent_source,
        "counts": Jsonb(counts),
        "file": about.file,
        "format": about.format,
        "newsletter": about.newsletter,
    }
    (number,) = connection.execute(_LIST_IMPORT, values).fetchone() or (0,)
    return number
