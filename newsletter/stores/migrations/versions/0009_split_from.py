"""Which earlier requests stood for a batch that was split off."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "split_from",
        sa.Column("batch_id", sa.BigInteger(), sa.ForeignKey("batch.id"), primary_key=True),
        sa.Column("attempt_id", sa.Text(), sa.ForeignKey("attempt.id"), primary_key=True),
    )
    op.create_index("ix_split_from_attempt_id", "split_from", ["attempt_id"])
