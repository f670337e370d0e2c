"""The SQL of deliveries.

`audience` is the subscribers' view: one row per subscription, with the reason for which it must not
be written to, or none. `segment_member` is theirs, too: who was in a segment when it was planned.
"""
# The pieces put together here are this module's own.
# ruff: noqa: S608

#: Why a subscription gets nothing of an issue, whatever is in it; null when it may.
_EXCLUSION = """
    COALESCE(audience.exclusion, CASE
        WHEN audience.frequency <> :frequency THEN 'other_frequency'
        WHEN CAST(:segment AS text) IS NOT NULL
             AND NOT EXISTS (SELECT FROM segment_member AS member
                              WHERE member.send = :segment
                                AND member.subscription_id = audience.subscription_id)
        THEN 'outside_segment' END)
"""

#: Planning happens once: whoever comes second finds the issue taken.
TAKE_ISSUE = """
    UPDATE issue SET state = 'sending', planned_at = :now, reason = NULL, list = :newsletter,
           frequency = :frequency, segment = :segment
     WHERE id = :issue AND state = 'approved' AND planned_at IS NULL
    RETURNING id
"""

#: News is fresh for so long after the last wave's moment, or after the plan.
SEND_BY = """
    UPDATE issue SET send_by = CAST(:fresh_for AS interval)
           + greatest(CAST(:now AS timestamptz),
                      (SELECT max(not_before) FROM batch WHERE issue_id = :issue))
     WHERE id = :issue
"""

TOPIC_SETS = f"""
    SELECT DISTINCT topic_set.id, topic_set.slugs
      FROM audience JOIN topic_set ON topic_set.id = audience.topic_set_id
     WHERE audience.newsletter = :newsletter AND {_EXCLUSION} IS NULL
"""

CHOICE_TABLE = """
    CREATE TEMPORARY TABLE choice (topic_set_id integer PRIMARY KEY, edition_id bigint NOT NULL)
    ON COMMIT DROP
"""

ADD_EDITION = "INSERT INTO edition (issue_id, key, brief_ids) VALUES (:issue, :key, :ids)"

CHOOSE = """
    INSERT INTO choice
    SELECT chosen.topic_set_id, edition.id
      FROM unnest(CAST(:sets AS integer[]), CAST(:keys AS text[])) AS chosen (topic_set_id, key)
      JOIN edition ON edition.issue_id = :issue AND edition.key = chosen.key
"""

#: In reader time: the zones in use, and the moment the core gives each.
ZONES = f"""
    SELECT DISTINCT zone FROM audience WHERE newsletter = :newsletter AND {_EXCLUSION} IS NULL
"""

WAVE_TABLE = """
    CREATE TEMPORARY TABLE wave (zone text PRIMARY KEY, not_before timestamptz NOT NULL)
    ON COMMIT DROP
"""

ADD_WAVES = """
    INSERT INTO wave SELECT * FROM unnest(CAST(:zones AS text[]), CAST(:moments AS timestamptz[]))
"""

#: Who gets nothing, and why.
EXCLUDE = f"""
    INSERT INTO exclusion (issue_id, subscriber_id, reason)
    SELECT :issue, subscriber_id, COALESCE(reason, 'no_story')
      FROM (SELECT audience.subscriber_id, {_EXCLUSION} AS reason, choice.edition_id
              FROM audience LEFT JOIN choice USING (topic_set_id)
             WHERE audience.newsletter = :newsletter) AS asked
     WHERE reason IS NOT NULL OR edition_id IS NULL
"""

#: Who gets what, and in which batch of its edition.
PLACE = f"""
    CREATE TEMPORARY TABLE placed ON COMMIT DROP AS
    SELECT audience.subscriber_id, audience.subscription_id, choice.edition_id,
           CAST((row_number() OVER (PARTITION BY choice.edition_id
                                    ORDER BY audience.subscriber_id) - 1) / :size AS integer)
           AS ordinal, CAST(NULL AS timestamptz) AS not_before
      FROM audience JOIN choice USING (topic_set_id)
     WHERE audience.newsletter = :newsletter AND {_EXCLUSION} IS NULL
"""

#: The same in reader time: a batch is also of one wave. Zones whose clocks agree share theirs.
PLACE_IN_WAVES = f"""
    CREATE TEMPORARY TABLE placed ON COMMIT DROP AS
    SELECT subscriber_id, subscription_id, edition_id, not_before,
           CAST(dense_rank() OVER (PARTITION BY edition_id ORDER BY not_before, place) - 1
                AS integer) AS ordinal
      FROM (SELECT audience.subscriber_id, audience.subscription_id, choice.edition_id,
                   wave.not_before,
                   (row_number() OVER (PARTITION BY choice.edition_id, wave.not_before
                                       ORDER BY audience.subscriber_id) - 1) / :size AS place
              FROM audience JOIN choice USING (topic_set_id) JOIN wave USING (zone)
             WHERE audience.newsletter = :newsletter AND {_EXCLUSION} IS NULL) AS counted
"""

FILL = (
    """
    INSERT INTO batch (issue_id, edition_id, ordinal, size, not_before)
    SELECT :issue, edition_id, ordinal, count(*), min(not_before)
      FROM placed GROUP BY edition_id, ordinal
    """,
    """
    INSERT INTO delivery (issue_id, subscriber_id, subscription_id, batch_id)
    SELECT :issue, placed.subscriber_id, placed.subscription_id, batch.id
      FROM placed JOIN batch USING (edition_id, ordinal)
     ORDER BY batch.id
    """,
    # Counted from the list itself, not from what was just written: the two must agree.
    """
    UPDATE issue SET audience = (SELECT count(*) FROM audience WHERE newsletter = :newsletter)
     WHERE id = :issue
    """,
)

#: Until when this batch must wait, if it must.
WAIT = """
    SELECT greatest(batch.not_before, (SELECT closed_until FROM post_office)) AS until
      FROM batch
     WHERE batch.id = :batch AND batch.state = 'planned'
       AND greatest(batch.not_before, (SELECT closed_until FROM post_office)) > :now
"""

CLAIM = """
    UPDATE batch SET state = 'claimed', attempts = attempts + 1, lease_until = :until
      FROM issue, edition
     WHERE batch.id = :batch AND batch.state = 'planned'
       AND issue.id = batch.issue_id AND issue.state = 'sending'
       AND (issue.send_by IS NULL OR issue.send_by > :now)
       AND edition.id = batch.edition_id
    RETURNING batch.attempts, batch.issue_id, edition.brief_ids, issue.frequency
"""

#: A batch's thousand readers are looked up one by one, by key. Joining whole lists instead, as
#: the planner likes to when a list is not much larger, takes ten times as long.
LOOK_UP = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"

#: A goodbye said since the plan is heard here; an erased subscription is one, too.
ASK_CONSENT_AGAIN = """
    SELECT delivery.id, audience.email, audience.subscription_id, audience.link_key,
           CASE WHEN audience.subscription_id IS NULL THEN 'ended'
                WHEN audience.exclusion IS NOT NULL THEN audience.exclusion
                WHEN audience.frequency <> :frequency THEN 'other_frequency' END
           AS exclusion
      FROM delivery LEFT JOIN audience USING (subscription_id)
     WHERE delivery.batch_id = :batch AND delivery.skipped IS NULL AND delivery.refused IS NULL
     ORDER BY delivery.id
"""

SKIP = """
    UPDATE delivery SET skipped = left_out.reason
      FROM unnest(CAST(:ids AS bigint[]), CAST(:reasons AS text[])) AS left_out (id, reason)
     WHERE delivery.id = left_out.id
"""

VOID = """
    UPDATE batch SET state = 'void', lease_until = NULL, reason = 'nobody left to write to'
     WHERE id = :batch
"""

BEGIN_ATTEMPT = """
    INSERT INTO attempt (id, batch_id, number, recipients, started_at)
    VALUES (:attempt, :batch, :number, :recipients, :now)
"""

#: An event may have proved it accepted before its answer, or the loss of it, is recorded. An answer
#: counts once, however often it is recorded.
END_ATTEMPT = """
    UPDATE attempt SET finished_at = :now, reason = :reason, message_id = :message_id,
           outcome = CASE outcome WHEN 'accepted' THEN outcome ELSE :outcome END
     WHERE id = :attempt AND (outcome IS NULL OR outcome = 'accepted')
    RETURNING id
"""

#: An answer that comes after the lease ran out still counts, as long as nobody asked again: also
#: when that was permitted already, and the batch is planned once more.
RECORD = """
    UPDATE batch SET state = :state, reason = :reason, not_before = :not_before, lease_until = NULL
     WHERE id = :batch AND state IN ('claimed', 'unknown', 'planned') AND attempts = :number
    RETURNING EXISTS (SELECT 1 FROM batch waiting WHERE waiting.issue_id = batch.issue_id
                                                    AND waiting.state = 'planned') AS more
"""

EJECT = "UPDATE delivery SET refused = :reason WHERE id = ANY(:offenders)"

#: Held before a batch is split: proof of one of its attempts waits, and then sees both halves.
HOLD_ATTEMPTS = """
    SELECT id FROM attempt
     WHERE batch_id = :batch
        OR id IN (SELECT attempt_id FROM split_from WHERE batch_id = :batch)
     ORDER BY id FOR NO KEY UPDATE
"""

SPLIT_OFF = """
    INSERT INTO batch (issue_id, edition_id, ordinal, size)
    SELECT issue_id, edition_id,
           (SELECT max(ordinal) + 1 FROM batch b WHERE b.edition_id = batch.edition_id),
           cardinality(CAST(:deliveries AS bigint[]))
      FROM batch WHERE id = :batch
    RETURNING id
"""

#: Whatever was asked for the whole batch was asked for this part of it.
INHERIT_ATTEMPTS = """
    INSERT INTO split_from (batch_id, attempt_id)
    SELECT :new, id FROM attempt WHERE batch_id = :batch
     UNION
    SELECT :new, attempt_id FROM split_from WHERE batch_id = :batch
"""

MOVE = """
    WITH moved AS (
        UPDATE delivery SET batch_id = :new WHERE id = ANY(:deliveries) RETURNING id)
    UPDATE batch SET size = size - (SELECT count(*) FROM moved) WHERE id = :batch
"""

CLOSE_POST_OFFICE = """
    INSERT INTO post_office AS old (id, closed_until) VALUES (1, :closed_until)
    ON CONFLICT (id) DO UPDATE
       SET closed_until = greatest(old.closed_until, excluded.closed_until)
"""

#: Of many workers that find the same trouble, one pauses the issue, and operators are told once.
PAUSE = """
    WITH paused AS (
        UPDATE issue SET state = 'paused', reason = :reason WHERE id = :issue AND state = 'sending'
        RETURNING newsletter, date)
    INSERT INTO notice (at, newsletter, date, kind, sentence)
    SELECT :now, newsletter, date, 'paused', :told FROM paused
    RETURNING id
"""

#: Held while a batch takes its turn, so that many workers keep one pace.
OPEN_POST_OFFICE = "INSERT INTO post_office (id) VALUES (1) ON CONFLICT DO NOTHING"

ASK_FOR_TURN = "SELECT free_at, day, day_count FROM post_office WHERE id = 1 FOR UPDATE"

TAKE_TURN = """
    UPDATE post_office SET free_at = :free_at, day = :day,
           day_count = :size + CASE WHEN day = :day THEN day_count ELSE 0 END
     WHERE id = 1
"""

#: Run in a transaction of its own, after the batch's: of two workers that record the last two
#: batches at once, at least the later one sees both.
FINISH = """
    UPDATE issue SET state = 'sent'
     WHERE state = 'sending'
       AND NOT EXISTS (SELECT 1 FROM batch
                        WHERE issue_id = issue.id AND batch.state IN ('planned', 'claimed'))
"""

EXPIRE = """
    UPDATE batch SET state = 'unknown', lease_until = NULL,
           reason = 'the worker that held it never recorded an answer'
     WHERE state = 'claimed' AND lease_until < :now
"""

WAITING = """
    SELECT batch.id, batch.not_before FROM batch JOIN issue ON issue.id = batch.issue_id
     WHERE batch.state = 'planned' AND issue.state = 'sending'
       AND (CAST(:issue AS bigint) IS NULL OR issue.id = :issue)
     ORDER BY batch.id
"""

PROGRESS = """
    SELECT COALESCE(sum(size) FILTER (WHERE state NOT IN ('planned', 'claimed')), 0) AS done,
           COALESCE(sum(size), 0) AS total
      FROM batch WHERE issue_id = :issue
"""
