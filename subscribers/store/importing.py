"""Storing a whole list in one transaction: COPY into a staging table, rule on its rows, store sets.

The rules are those of `subscribers.consent` and `subscribers.audience`: an import never revives an
ended subscription, and touches nothing that belongs to a suppressed address.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from subscribers.model import EVERYTHING, ConsentAct, RowResult
from subscribers.ports import ListImport
from subscribers.roster import TOPIC_SEPARATOR, Row

_STAGED = """
CREATE TEMP TABLE staged (
    line integer, email text, email_key text COLLATE "C", name text, topics text, zone text,
    problem text
) ON COMMIT DROP
"""

# While rows are ruled on nobody else subscribes (which begins with a row in this table), and a
# second import waits. Goodbyes and choices change other tables: they are not kept waiting.
_LOCK = "LOCK TABLE subscriber IN SHARE ROW EXCLUSIVE MODE"

# What a list does not say (a null) leaves a known subscription as it is. New subscribers get their
# numbers here, in the order of their keys: every index is then written from left to right.
_RULED = """
CREATE TEMP TABLE ruled ON COMMIT DROP AS
WITH good AS (
    SELECT email_key, min(line) AS line FROM staged WHERE problem IS NULL GROUP BY email_key
), met AS (
    SELECT staged.*,
           good.line AS first_line,
           subscriber.id AS known_id,
           subscription.id AS subscription_id,
           subscription.status,
           suppression.reason AS suppressed,
           staged.name <> '' AND staged.name <> subscriber.name AS new_name,
           string_to_array(staged.topics, %(separator)s) <> topic_set.slugs AS new_topics,
           staged.zone <> subscription.zone AS new_zone
    FROM staged
    LEFT JOIN good USING (email_key)
    LEFT JOIN subscriber USING (email_key)
    LEFT JOIN subscription ON subscription.subscriber_id = subscriber.id
                          AND subscription.newsletter = %(newsletter)s
    LEFT JOIN topic_set ON topic_set.id = subscription.topic_set_id
    LEFT JOIN suppression USING (email_key)
), judged AS (
    SELECT *,
       CASE WHEN problem IS NOT NULL OR line <> first_line THEN 'refused'
            WHEN suppressed IS NOT NULL THEN 'suppressed'
            WHEN status = 'ended' THEN 'ended'
            WHEN subscription_id IS NULL THEN 'added'
            WHEN new_name OR new_topics OR new_zone THEN 'updated'
            ELSE 'unchanged'
       END AS result
    FROM met
    ORDER BY email_key
)
SELECT *,
       CASE WHEN result = 'added' AND known_id IS NULL
            THEN nextval('subscriber_id_seq')
            ELSE known_id
       END AS subscriber_id
FROM judged
"""

_ANSWERS = """
COPY (
    SELECT line, email, result,
           CASE WHEN problem IS NOT NULL THEN problem
                WHEN result = 'refused' THEN 'the same address as line ' || first_line
                WHEN result = 'suppressed' THEN suppressed
                WHEN result = 'ended' THEN 'said goodbye, which a list does not take back'
                WHEN result = 'updated' THEN concat_ws(', ',
                    CASE WHEN new_name THEN 'name' END,
                    CASE WHEN new_topics THEN 'topics' END,
                    CASE WHEN new_zone THEN 'timezone' END)
           END AS reason
    FROM ruled ORDER BY line
) TO STDOUT (FORMAT csv, HEADER)
"""

_LIST_IMPORT = """
INSERT INTO list_import (at, file, newsletter, consent_source, counts)
VALUES (%(at)s, %(file)s, %(newsletter)s, %(consent_source)s, %(counts)s)
RETURNING id
"""

_TOPIC_SETS = """
INSERT INTO topic_set (slugs)
SELECT string_to_array(topics, %(separator)s) FROM (
    SELECT DISTINCT COALESCE(topics, %(everything)s) AS topics FROM ruled
    WHERE result IN ('added', 'updated')
) AS chosen
ON CONFLICT DO NOTHING
"""

_SUBSCRIBERS = """
INSERT INTO subscriber (id, email, email_key, name, created_at)
SELECT subscriber_id, email, email_key, name, %(at)s FROM ruled
WHERE result = 'added' AND known_id IS NULL
"""

_NAMES = """
UPDATE subscriber SET name = ruled.name FROM ruled
WHERE subscriber.id = known_id AND new_name AND result IN ('added', 'updated')
"""

_SUBSCRIPTIONS = """
INSERT INTO subscription (subscriber_id, newsletter, topic_set_id, zone, status, created_at)
SELECT subscriber_id, %(newsletter)s, topic_set.id, COALESCE(zone, %(zone)s), 'active', %(at)s
FROM ruled
JOIN topic_set
    ON topic_set.slugs = string_to_array(COALESCE(topics, %(everything)s), %(separator)s)
WHERE result = 'added'
"""

# Locked in the same order as everywhere: two writers may wait, never lock each other out.
_HOLD = """
SELECT count(*) FROM (
    SELECT FROM subscription
    WHERE id IN (SELECT subscription_id FROM ruled WHERE result = 'updated')
    ORDER BY id FOR NO KEY UPDATE
) AS held
"""

# A goodbye said since the ruling still wins: its row is looked at again.
_CHANGES = """
UPDATE subscription
SET topic_set_id = COALESCE(
        (SELECT id FROM topic_set WHERE slugs = string_to_array(topics, %(separator)s)),
        topic_set_id),
    zone = COALESCE(ruled.zone, subscription.zone)
FROM ruled
WHERE subscription.id = ruled.subscription_id AND result = 'updated'
  AND subscription.status <> 'ended'
"""

_CONSENT = """
INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail)
SELECT subscriber_id, %(newsletter)s, %(at)s, %(act)s, %(source)s,
       jsonb_build_object('line', line)
FROM ruled
WHERE result = 'added'
"""

# The next to read these tables plans a send: the planner should know that they have grown.
_ANALYZE = "ANALYZE subscriber, subscription"

_CHANGING = (_TOPIC_SETS, _SUBSCRIBERS, _NAMES, _SUBSCRIPTIONS, _HOLD, _CHANGES, _CONSENT, _ANALYZE)


def import_rows(
    connection: Connection[Any],
    rows: Iterable[Row],
    about: ListImport,
    answer: Callable[[bytes], object],
    *,
    dry_run: bool,
) -> Mapping[RowResult, int]:
    """Import within the caller's transaction; see `subscribers.ports.SubscriberStore`."""
    values = {
        "act": ConsentAct.IMPORTED.value,
        "at": about.at,
        "everything": EVERYTHING,
        "newsletter": about.newsletter,
        "separator": TOPIC_SEPARATOR,
        "zone": about.default_zone,
    }
    _stage(connection, rows)
    connection.execute(_LOCK)
    connection.execute(_RULED, values)
    counts = _count(connection)
    if not dry_run:
        values["source"] = f"import {_keep(connection, about, counts)}"
        for statement in _CHANGING:
            connection.execute(statement, values)
    _write_answers(connection, answer)
    return counts


def _stage(connection: Connection[Any], rows: Iterable[Row]) -> None:
    connection.execute("SET LOCAL work_mem = '64MB'")
    connection.execute(_STAGED)
    with connection.cursor() as cursor, cursor.copy("COPY staged FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    connection.execute("ANALYZE staged")  # nobody else does for a temporary table


def _count(connection: Connection[Any]) -> dict[RowResult, int]:
    connection.execute("ANALYZE ruled")
    found = dict(connection.execute("SELECT result, count(*) FROM ruled GROUP BY result"))
    return {result: found.get(result, 0) for result in RowResult}


def _keep(connection: Connection[Any], about: ListImport, counts: dict[RowResult, int]) -> int:
    values = {
        "at": about.at,
        "consent_source": about.consent_source,
        "counts": Jsonb(counts),
        "file": about.file,
        "newsletter": about.newsletter,
    }
    (number,) = connection.execute(_LIST_IMPORT, values).fetchone() or (0,)
    return number


def _write_answers(connection: Connection[Any], answer: Callable[[bytes], object]) -> None:
    with connection.cursor() as cursor, cursor.copy(_ANSWERS) as copy:
        for block in copy:
            answer(bytes(block))
