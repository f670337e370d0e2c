"""Where in its list an imported subscription stands: with the import, evidence of its consent."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("subscription", sa.Column("import_line", sa.Integer(), nullable=True))
