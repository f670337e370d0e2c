"""Sign-ups, frequency and pause, tags, segments, changes, erasures, and letters to one person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0007"
down_revision = "0006"

_LINK_KEY = sa.text("uuid_send(gen_random_uuid())")


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _word(name: str, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _id() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True)


def _number(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _link_key() -> sa.Column:
    return sa.Column("link_key", sa.LargeBinary(), nullable=False, server_default=_LINK_KEY)


def _json(name: str) -> sa.Column:
    return sa.Column(name, JSONB(), nullable=False, server_default=sa.text("'{}'"))


def _key(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(collation="C"), nullable=False)


def _slugs(name: str) -> sa.Column:
    return sa.Column(name, ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'"))


def upgrade() -> None:
    op.execute("DROP VIEW audience")
    _grow_subscriptions()
    _grow_others()
    _create_signups()
    _create_records()
    _create_correspondence()
    op.execute(_VIEW)


def _grow_subscriptions() -> None:
    # A subscriber who had not confirmed could not be made until now.
    op.execute("UPDATE subscription SET status = 'ended' WHERE status = 'pending'")
    op.drop_constraint("status_is_known", "subscription")
    op.create_check_constraint("status_is_known", "subscription", "status IN ('active', 'ended')")
    for column in (
        _word("frequency", "daily"),
        _moment("paused_at", nullable=True),
        _moment("paused_until", nullable=True),
        _slugs("tags"),
        _word("source", "import"),
        _number("import_id", nullable=True),
        sa.Column("engaged_on", sa.Date(), nullable=True),
        _moment("asked_at", nullable=True),
    ):
        op.add_column("subscription", column)
    op.create_check_constraint(
        "frequency_is_known", "subscription", "frequency IN ('daily', 'weekly')"
    )
    op.create_index(
        "subscription_paused",
        "subscription",
        ["paused_until"],
        postgresql_where=sa.text("paused_at IS NOT NULL"),
    )


def _grow_others() -> None:
    op.add_column("issue", _word("list", ""))
    op.execute("UPDATE issue SET list = newsletter")
    op.add_column("issue", _word("frequency", "daily"))
    op.add_column("issue", sa.Column("segment", sa.Text(), nullable=True))
    op.add_column("list_import", _word("format", ""))
    op.add_column("list_import", _word("actor", ""))
    op.add_column("list_import", _moment("undone_at", nullable=True))


def _create_signups() -> None:
    op.create_table(
        "signup",
        _id(),
        _word("newsletter"),
        _word("email"),
        _key("email_key"),
        _word("name", ""),
        _slugs("topics"),
        _word("zone"),
        _word("frequency", "daily"),
        _link_key(),
        _moment("asked_at"),
        _moment("expires_at"),
        _word("network", ""),
        sa.Column("mails", sa.Integer(), nullable=False, server_default="0"),
        _moment("mailed_at", nullable=True),
        _json("evidence"),
        sa.UniqueConstraint("newsletter", "email_key"),
    )
    op.create_index("ix_signup_asked_at", "signup", ["asked_at"])
    op.create_table(
        "address_change",
        _id(),
        _number("subscriber_id"),
        _word("email"),
        _key("email_key"),
        _link_key(),
        _moment("asked_at"),
        _moment("expires_at"),
        sa.UniqueConstraint("subscriber_id"),
    )
    op.create_table(
        "consent_text",
        sa.Column("hash", sa.Text(), primary_key=True),
        _word("text"),
        _moment("first_used_at"),
    )


def _create_records() -> None:
    op.create_table(
        "change",
        _id(),
        _number("subscriber_id"),
        sa.Column("newsletter", sa.Text(), nullable=True),
        _moment("at"),
        _word("actor"),
        _word("what"),
        _json("detail"),
    )
    op.create_index("ix_change_subscriber_id", "change", ["subscriber_id"])
    op.create_table(
        "segment",
        sa.Column("newsletter", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        _json("filter"),
        _moment("created_at"),
        _word("created_by"),
    )
    op.create_table(
        "segment_member",
        sa.Column("send", sa.Text(), primary_key=True),
        sa.Column("subscription_id", sa.BigInteger(), primary_key=True, autoincrement=False),
    )
    op.create_table(
        "import_change",
        sa.Column("import_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("subscription_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        _json("before"),
    )
    op.create_table("erasure", sa.Column("hash", sa.LargeBinary(), primary_key=True), _moment("at"))
    op.create_table(
        "house_key",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("key", sa.LargeBinary(), nullable=False),
    )
    op.execute(
        "INSERT INTO house_key (name, key) SELECT name, "
        "uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) "
        "FROM unnest(ARRAY['erasure', 'forms']) AS name"
    )


def _create_correspondence() -> None:
    op.create_table(
        "correspondence",
        _id(),
        _word("newsletter"),
        _word("kind"),
        _number("refers"),
        _moment("created_at"),
        _word("state", "waiting"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        _moment("not_before", nullable=True),
        _moment("lease_until", nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
    )
    op.create_index(
        "correspondence_waiting",
        "correspondence",
        ["id"],
        postgresql_where=sa.text("state IN ('waiting', 'claimed')"),
    )


_VIEW = """
CREATE VIEW audience AS
SELECT subscription.id AS subscription_id,
       subscription.subscriber_id,
       subscription.newsletter,
       subscriber.email,
       subscription.topic_set_id,
       subscription.link_key,
       subscription.zone,
       subscription.frequency,
       CASE WHEN suppression.email_key IS NOT NULL THEN 'suppressed'
            WHEN subscription.status <> 'active' THEN 'ended'
            WHEN subscription.paused_at IS NOT NULL THEN 'paused'
       END AS exclusion
FROM subscription
JOIN subscriber ON subscriber.id = subscription.subscriber_id
LEFT JOIN suppression ON suppression.email_key = subscriber.email_key
"""
