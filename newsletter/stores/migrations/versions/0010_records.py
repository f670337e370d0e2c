"""Consent and changes that nobody can rewrite; merged subscribers; old events found quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_FUNCTION = """
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('subscribers.forgetting', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$
"""


def upgrade() -> None:
    op.execute(_FUNCTION)
    for table in ("consent", "change"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION append_only()"
        )
    op.add_column("subscriber", sa.Column("merged_into", sa.BigInteger(), nullable=True))
    op.create_index(
        "subscriber_merged",
        "subscriber",
        ["merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_index(
        "delivery_event_received", "delivery_event", ["received_at"], postgresql_using="brin"
    )
