"""The suppression list's statements: what is kept, what a lift answers, what is shown."""

# Several reasons for one address in one call: the weightiest counts, then the earliest. The first
# condition is `subscribers.rules.suppression.is_answered`, which a property test holds it to. An address
# that was erased is not written down again.
SUPPRESS = """
INSERT INTO suppression (email_key, reason, source, since, note)
SELECT DISTINCT ON (email_key) email_key, reason, source, since, note
FROM unnest(%(keys)s::text[], %(reasons)s::text[], %(sources)s::text[], %(since)s::timestamptz[],
            %(notes)s::text[])
    AS said (email_key, reason, source, since, note)
WHERE NOT EXISTS (
    SELECT FROM suppression_lift AS lift
    WHERE lift.email_key = said.email_key AND said.since <= lift.at
      AND array_position(%(ladder)s::text[], said.reason)
       <= array_position(%(ladder)s::text[], lift.reason)
)
  AND NOT EXISTS (
    SELECT FROM erasure WHERE hash = sha256(
        (SELECT key FROM house_key WHERE name = 'erasure') || convert_to(said.email_key, 'UTF8'))
)
ORDER BY email_key, array_position(%(ladder)s::text[], reason) DESC, since
ON CONFLICT (email_key) DO UPDATE
SET reason = excluded.reason, source = excluded.source, since = excluded.since,
    note = excluded.note
WHERE array_position(%(ladder)s::text[], excluded.reason)
    > array_position(%(ladder)s::text[], suppression.reason)
"""

LIFT = """
WITH lifted AS (
    DELETE FROM suppression WHERE email_key = %(key)s AND reason = ANY(%(reasons)s)
    RETURNING *
), noted AS (
    INSERT INTO suppression_lift (email_key, reason, at)
    SELECT email_key, reason, %(at)s FROM lifted
    ON CONFLICT (email_key, reason) DO UPDATE SET at = excluded.at
)
SELECT * FROM lifted
"""

SUPPRESSIONS = """
SELECT * FROM suppression
WHERE (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND position(%(part)s IN email_key) > 0
ORDER BY since DESC, email_key LIMIT %(limit)s
"""
