"""Which channels a notice has been told through."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    column = sa.Column("heard", ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'"))
    op.add_column("notice", column)
