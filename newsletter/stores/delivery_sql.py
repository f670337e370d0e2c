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

#: Half a million rows are sorted in memory; compiling a statement takes longer than running it.
ROOM = "SET LOCAL work_mem = '64MB'; SET LOCAL jit = off"

#: The list as of this moment, read once: all that follows is about these rows.
READERS = f"""
    CREATE TEMPORARY TABLE reader ON COMMIT DROP AS
    SELECT audience.subscriber_id, audience.subscription_id, audience.topic_set_id, audience.zone,
           {_EXCLUSION} AS exclusion
      FROM audience
     WHERE audience.newsletter = :newsletter
"""

TOPIC_SETS = """
    SELECT id, slugs FROM topic_set
     WHERE id IN (SELECT topic_set_id FROM reader WHERE exclusion IS NULL)
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
ZONES = "SELECT DISTINCT zone FROM reader WHERE exclusion IS NULL"

WAVE_TABLE = """
    CREATE TEMPORARY TABLE wave (zone text PRIMARY KEY, not_before timestamptz NOT NULL)
    ON COMMIT DROP
"""

ADD_WAVES = """
    INSERT INTO wave SELECT * FROM unnest(CAST(:zones AS text[]), CAST(:moments AS timestamptz[]))
"""

#: Who gets nothing, and why.
EXCLUDE = """
    INSERT INTO exclusion (issue_id, subscriber_id, reason)
    SELECT :issue, subscriber_id, COALESCE(exclusion, 'no_story')
      FROM reader LEFT JOIN choice USING (topic_set_id)
     WHERE exclusion IS NOT NULL OR edition_id IS NULL
"""

#: Who gets what, and in which batch of its edition.
PLACE = """
    CREATE TEMPORARY TABLE placed ON COMMIT DROP AS
    SELECT subscriber_id, subscription_id, edition_id,
           CAST((row_number() OVER (PARTITION BY edition_id ORDER BY subscriber_id) - 1) / :size
                AS integer) AS ordinal,
           CAST(NULL AS timestamptz) AS not_before
      FROM reader JOIN choice USING (topic_set_id)
     WHERE exclusion IS NULL
"""

#: The same in reader time: a batch is also of one wave. Zones whose clocks agree share theirs.
PLACE_IN_WAVES = """
    CREATE TEMPORARY TABLE placed ON COMMIT DROP AS
    SELECT subscriber_id, subscription_id, edition_id, not_before,
           CAST(dense_rank() OVER (PARTITION BY edition_id ORDER BY not_before, place) - 1
                AS integer) AS ordinal
      FROM (SELECT subscriber_id, subscription_id, edition_id, not_before,
                   (row_number() OVER (PARTITION BY edition_id, not_before
                                       ORDER BY subscriber_id) - 1) / :size AS place
              FROM reader JOIN choice USING (topic_set_id) JOIN wave USING (zone)
             WHERE exclusion IS NULL) AS counted
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
    UPDATE issue SET audience = (SELECT count(*) FROM reader) WHERE id = :issue
    """,
)

#: A batch's readers are looked up one by one, by key. Joining whole lists instead, as the planner
#: likes to when a list is not much larger, takes ten times as long.
LOOK_UP = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"

#: An event may have proved it accepted before the loss of its answer is recorded. An answer counts
#: once, however often it is recorded.
END_ATTEMPT = """
    UPDATE attempt SET finished_at = :now, reason = :reason,
           outcome = CASE outcome WHEN 'accepted' THEN outcome ELSE :outcome END
     WHERE id = :attempt AND (outcome IS NULL OR outcome = 'accepted')
    RETURNING id
"""

#: An answer that comes after the lease ran out still counts, as long as nobody asked again: also
#: when that was permitted already, and the batch is planned once more.
RECORD = """
    UPDATE batch SET state = :state, reason = :reason, not_before = :not_before, lease_until = NULL
     WHERE id = :batch AND state IN ('claimed', 'unknown', 'planned') AND attempts = :number
    RETURNING id
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
