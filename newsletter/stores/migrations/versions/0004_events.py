"""Soft bounces counted, and a suppression list that can be kept by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "soft_bounce",
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("forgiven", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("delivery_id"),
    )
    op.create_index(
        op.f("ix_soft_bounce_subscriber_id"), "soft_bounce", ["subscriber_id"], unique=False
    )
    op.create_table(
        "suppression_lift",
        sa.Column("email_key", sa.Text(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("email_key", "reason"),
    )
    op.add_column("suppression", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.drop_constraint("reason_is_known", "suppression", type_="check")
    op.create_check_constraint(
        "reason_is_known",
        "suppression",
        "reason IN ('bounce', 'complaint', 'invalid', 'manual', 'soft_bounce', 'unsubscribe')",
    )
