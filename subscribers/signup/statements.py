"""The SQL of sign-ups and new addresses; `store/signups.py` says when each is asked."""

FORMS_KEY = b"SELECT key FROM house_key WHERE name = 'forms'"

# Two askings at once wait for each other here, so that a limit is one.
LOCK_COUNT = b"SELECT pg_advisory_xact_lock(hashtextextended(encode(%(name)s, 'hex'), 0))"
COUNTED = b"SELECT at FROM asking WHERE counted_as = %(name)s AND at > %(since)s"
COUNT = b"INSERT INTO asking (counted_as, at) VALUES (%(name)s, %(at)s)"

# A confirmation may go to who once said goodbye through SendGrid, or whose mailbox was full.
FORBIDDEN = b"""
SELECT FROM suppression WHERE email_key = %(key)s AND NOT reason = ANY(%(owners)s)
"""

# Whoever is suppressed for something that they can lift needs to confirm, and is told nothing else.
SUBSCRIBED = b"""
SELECT subscription.id AS subscription_id
FROM subscription JOIN subscriber ON subscriber.id = subscriber_id
WHERE email_key = %(key)s AND newsletter = %(newsletter)s AND status = 'active'
  AND NOT EXISTS (SELECT FROM suppression WHERE suppression.email_key = subscriber.email_key)
"""

# The latest asking stands, under the link that was mailed before. Of askings, five are kept.
ASK = b"""
INSERT INTO signup AS old (newsletter, email, email_key, name, topics, zone, frequency, asked_at,
                           expires_at, network, mails, mailed_at, evidence)
VALUES (%(newsletter)s, %(email)s, %(key)s, %(name)s, %(topics)s, %(zone)s, %(frequency)s, %(at)s,
        %(expires_at)s, %(network)s, %(mails)s, CASE WHEN %(mails)s = 1 THEN %(at)s END,
        jsonb_build_object('requests', %(requests)s::jsonb))
ON CONFLICT (newsletter, email_key) DO UPDATE
SET email = excluded.email, name = excluded.name, topics = excluded.topics, zone = excluded.zone,
    frequency = excluded.frequency, asked_at = excluded.asked_at,
    expires_at = excluded.expires_at, network = excluded.network,
    mails = old.mails + excluded.mails, mailed_at = coalesce(excluded.mailed_at, old.mailed_at),
    evidence = jsonb_build_object('requests', CASE
        WHEN jsonb_array_length(old.evidence -> 'requests') < 5 THEN old.evidence -> 'requests'
        ELSE (old.evidence -> 'requests') - 0 END || (excluded.evidence -> 'requests'))
RETURNING id
"""

CONSENT_TEXT = b"""
INSERT INTO consent_text (hash, text, first_used_at) VALUES (%(hash)s, %(consent_text)s, %(at)s)
ON CONFLICT DO NOTHING
"""

WAITING = b"""
SELECT id FROM signup
WHERE email_key = %(key)s AND newsletter = %(newsletter)s AND expires_at > %(now)s
"""

MAILED = b"UPDATE signup SET mailed_at = %(now)s, mails = mails + 1 WHERE id = %(id)s"

SIGNUP = b"SELECT * FROM signup WHERE id = %(id)s"
TAKE_SIGNUP = b"DELETE FROM signup WHERE id = %(id)s RETURNING *"

CONFIRMED = b"""
SELECT confirmation.link_key, subscription.id AS subscription_id, subscriber_id, newsletter
FROM confirmation JOIN subscription ON subscription.id = subscription_id
WHERE signup_id = %(id)s
"""

CONFIRMATION = b"""
INSERT INTO confirmation (signup_id, subscription_id, link_key, at)
VALUES (%(id)s, %(subscription_id)s, %(link_key)s, %(at)s)
"""

# Who confirms at an address of their own is themselves again, whoever they were merged into; what
# became the other one's of newsletters they do not confirm stays so.
SUBSCRIBER = b"""
INSERT INTO subscriber AS old (email, email_key, name, created_at)
VALUES (%(email)s, %(email_key)s, %(name)s, %(at)s)
ON CONFLICT (email_key) DO UPDATE
SET name = CASE WHEN excluded.name = '' THEN old.name ELSE excluded.name END, merged_into = NULL
RETURNING id
"""

TOPIC_SET = b"INSERT INTO topic_set (slugs) VALUES (%(topics)s) ON CONFLICT DO NOTHING"

BEFORE = b"""
SELECT jsonb_build_object('status', status, 'topics', slugs, 'zone', zone, 'frequency', frequency,
                          'paused', paused_at IS NOT NULL) AS before
FROM subscription JOIN topic_set ON topic_set.id = topic_set_id
WHERE subscriber_id = %(subscriber)s AND newsletter = %(newsletter)s AND undone_at IS NULL
FOR NO KEY UPDATE OF subscription
"""

# Confirming is as human a click as any: nobody is asked the next day whether they still read.
# What an undone import left begins anew, as theirs, and old links go on working.
SUBSCRIBE = b"""
INSERT INTO subscription AS old (subscriber_id, newsletter, topic_set_id, zone, status, frequency,
                                 created_at, source, engaged_on)
SELECT %(subscriber)s, %(newsletter)s, topic_set.id, %(zone)s, 'active', %(frequency)s, %(at)s,
       %(source)s, %(on)s
FROM topic_set WHERE slugs = %(topics)s
ON CONFLICT (subscriber_id, newsletter) DO UPDATE
SET topic_set_id = excluded.topic_set_id, zone = excluded.zone, frequency = excluded.frequency,
    status = 'active', ended_at = NULL, paused_at = NULL, paused_until = NULL, asked_at = NULL,
    engaged_on = greatest(old.engaged_on, excluded.engaged_on), undone_at = NULL,
    heir_subscriber_id = NULL,
    created_at = CASE WHEN old.undone_at IS NULL THEN old.created_at ELSE excluded.created_at END,
    source = CASE WHEN old.undone_at IS NULL THEN old.source ELSE excluded.source END,
    import_id = CASE WHEN old.undone_at IS NULL THEN old.import_id END,
    import_line = CASE WHEN old.undone_at IS NULL THEN old.import_line END,
    tags = CASE WHEN old.undone_at IS NULL THEN old.tags ELSE excluded.tags END
RETURNING id AS subscription_id, subscriber_id, newsletter
"""

CHANGE = b"""
INSERT INTO change (subscriber_id, newsletter, at, actor, what, detail)
VALUES (%(subscriber)s, %(newsletter)s, %(at)s, 'subscriber', 'signed up again', %(detail)s)
"""

CONSENT = b"""
INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail)
VALUES (%(subscriber)s, %(newsletter)s, %(at)s, %(act)s, %(source)s, %(detail)s)
"""

FORGET_ERASURE = b"""
DELETE FROM erasure USING house_key
WHERE name = 'erasure' AND hash = sha256(key || convert_to(%(key)s, 'UTF8'))
"""

LIFT = b"""
WITH lifted AS (
    DELETE FROM suppression WHERE email_key = %(key)s AND reason = ANY(%(reasons)s)
    RETURNING email_key, reason
)
INSERT INTO suppression_lift (email_key, reason, at) SELECT email_key, reason, %(at)s FROM lifted
ON CONFLICT (email_key, reason) DO UPDATE SET at = excluded.at
"""

# A new address gets a link of its own: the one mailed elsewhere must not confirm it.
ASK_ADDRESS = b"""
INSERT INTO address_change AS old (subscriber_id, email, email_key, asked_at, expires_at)
VALUES (%(subscriber)s, %(email)s, %(key)s, %(at)s, %(expires_at)s)
ON CONFLICT (subscriber_id) DO UPDATE
SET email = excluded.email, email_key = excluded.email_key, asked_at = excluded.asked_at,
    expires_at = excluded.expires_at,
    link_key = CASE WHEN old.email_key = excluded.email_key THEN old.link_key
                    ELSE excluded.link_key END
RETURNING id
"""

ADDRESS_CHANGE = b"""
SELECT address_change.id, subscriber_id, address_change.email, link_key, expires_at
FROM address_change JOIN subscriber ON subscriber.id = subscriber_id
WHERE address_change.id = %(id)s
"""

HOLDER = b"SELECT id FROM subscriber WHERE email_key = %(key)s AND merged_into IS NULL"

# Who moves, and who is in the way; locked in the one order.
MOVING = b"""
SELECT subscriber.id, subscriber.email, subscriber.email_key, merged_into,
       subscriber.id = change.subscriber_id AS moves,
       change.email AS new_email, change.email_key AS new_key
FROM address_change AS change
JOIN subscriber ON subscriber.id = change.subscriber_id OR subscriber.email_key = change.email_key
WHERE change.id = %(id)s ORDER BY subscriber.id FOR UPDATE OF subscriber
"""

# In the way is only the trace of who was merged. It goes where nothing was written under it; else
# it keeps its address to be read, and gives it up to be found by.
DELETE_BARE = b"""
DELETE FROM subscriber WHERE id = %(id)s
   AND NOT EXISTS (SELECT FROM subscription WHERE subscriber_id = %(id)s)
   AND NOT EXISTS (SELECT FROM consent WHERE subscriber_id = %(id)s)
   AND NOT EXISTS (SELECT FROM change WHERE subscriber_id = %(id)s)
"""

PUT_ASIDE = b"UPDATE subscriber SET email_key = email_key || ' ' || id WHERE id = %(id)s"

# The old address is still known as theirs: to a list that names it, and to an erasure.
LEAVE_TRACE = b"""
INSERT INTO subscriber (email, email_key, created_at, merged_into)
VALUES (%(email)s, %(email_key)s, %(at)s, %(id)s)
"""

ACTIVE = b"""
SELECT id FROM subscription WHERE subscriber_id = %(subscriber)s AND status = 'active' ORDER BY id
"""

MOVE = b"""
WITH moved AS (
    UPDATE subscriber SET email = %(new_email)s, email_key = %(new_key)s WHERE id = %(id)s
)
INSERT INTO change (subscriber_id, at, actor, what, detail)
VALUES (%(id)s, %(at)s, 'subscriber', 'address',
        jsonb_build_object('from', %(email)s::text, 'to', %(new_email)s::text))
"""

SWEEP_ASKINGS = b"DELETE FROM asking WHERE at <= %(day)s"
SWEEP_ADDRESSES = b"DELETE FROM address_change WHERE expires_at <= %(at)s"

SWEEP_SIGNUPS = b"""
DELETE FROM signup USING unnest(%(newsletters)s::text[], %(moments)s::timestamptz[])
                         AS old (newsletter, moment)
WHERE signup.newsletter = old.newsletter AND signup.asked_at <= old.moment
"""
