"""Each subscription of a merged subscriber says whose it became, also when they come back."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("subscription", sa.Column("heir_subscriber_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "subscription_heir",
        "subscription",
        ["heir_subscriber_id"],
        postgresql_where=sa.text("heir_subscriber_id IS NOT NULL"),
    )
    op.execute(_HEIRS)


_HEIRS = """
UPDATE subscription SET heir_subscriber_id = merged_into
FROM subscriber WHERE subscriber.id = subscriber_id AND merged_into IS NOT NULL
"""
