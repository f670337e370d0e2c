"""Freshness of an issue's batches, and the pace that every worker keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("issue", sa.Column("send_by", sa.DateTime(timezone=True)))
    op.add_column("post_office", sa.Column("free_at", sa.DateTime(timezone=True)))
    op.add_column("post_office", sa.Column("day", sa.Date()))
    op.add_column(
        "post_office", sa.Column("day_count", sa.Integer(), server_default="0", nullable=False)
    )
