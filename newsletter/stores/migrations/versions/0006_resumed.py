"""When a person let a paused issue go on."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("issue", sa.Column("resumed_at", sa.DateTime(timezone=True)))
