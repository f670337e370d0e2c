"""A subscription that an undone import had added is kept, for the links of letters already sent."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("subscription", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "subscription_undone",
        "subscription",
        ["subscriber_id"],
        postgresql_where=sa.text("undone_at IS NOT NULL"),
    )
    op.execute("DROP VIEW audience")
    op.execute(_AUDIENCE)
    op.execute(_ADDRESSEE)


_AUDIENCE = """
CREATE VIEW audience AS
SELECT subscription.id AS subscription_id,
       subscription.subscriber_id,
       subscription.newsletter,
       subscriber.email,
       subscription.topic_set_id,
       subscription.link_key,
       subscription.zone,
       subscription.frequency,
       CASE WHEN suppression.email_key IS NOT NULL THEN 'suppressed'
            WHEN subscription.status <> 'active' THEN 'ended'
            WHEN subscription.paused_at IS NOT NULL THEN 'paused'
       END AS exclusion
FROM subscription
JOIN subscriber ON subscriber.id = subscription.subscriber_id
LEFT JOIN suppression ON suppression.email_key = subscriber.email_key
WHERE subscription.undone_at IS NULL
"""

_ADDRESSEE = """
CREATE VIEW addressee AS
SELECT subscription.id AS subscription_id, subscriber.email
FROM subscription
JOIN subscriber ON subscriber.id = subscription.subscriber_id
"""
