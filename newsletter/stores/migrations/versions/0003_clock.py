"""What the clock has seen, what operators are told, and the zone of each reader."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "watch",
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("newsletter"),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("DROP VIEW audience")
    op.execute("""
CREATE VIEW audience AS
SELECT subscription.id AS subscription_id,
       subscription.subscriber_id,
       subscription.newsletter,
       subscriber.email,
       subscription.topic_set_id,
       subscription.link_key,
       subscription.zone,
       CASE WHEN suppression.email_key IS NOT NULL THEN 'suppressed'
            WHEN subscription.status = 'active' THEN NULL
            WHEN subscription.status = 'ended' THEN 'ended'
            ELSE 'pending'
       END AS exclusion
FROM subscription
JOIN subscriber ON subscriber.id = subscription.subscriber_id
LEFT JOIN suppression ON suppression.email_key = subscriber.email_key
""")
