"""What limits count by, and what a confirmed sign-up became."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "asking",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("counted_as", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("asking_counted", "asking", ["counted_as", "at"])
    op.create_table(
        "confirmation",
        sa.Column("signup_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("subscription_id", sa.BigInteger(), nullable=False),
        sa.Column("link_key", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
