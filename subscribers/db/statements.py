"""SQL that several features share, each piece once.

`INSERT_CONSENT` and `INSERT_CHANGE` precede the SELECT of a set; a single row is added to the
session as a `ConsentRow` or a `ChangeRow`.
"""

from collections.abc import Mapping

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from subscribers.db.tables import SubscriptionRow, TopicSetRow
from subscribers.model import TopicSet

INSERT_CONSENT = "INSERT INTO consent (subscriber_id, newsletter, at, act, source, detail)"
INSERT_CHANGE = "INSERT INTO change (subscriber_id, newsletter, at, actor, what, detail)"

#: A portion of an import holds a stronger lock on this table: this waits until it is stored.
WAIT_FOR_IMPORT = "LOCK TABLE subscriber IN ROW EXCLUSIVE MODE"

#: The columns that an upsert may write; a row that is filled again keeps the others, so that a
#: link in an old email goes on working.
SUBSCRIPTION_COLUMNS = tuple(
    name
    for name in SubscriptionRow.model_fields
    if name not in ("id", "link_key", "undone_at", "merged_into_subscriber_id")
)

_REFILLED = ", ".join(
    f"{name} = excluded.{name}"
    for name in SUBSCRIPTION_COLUMNS
    if name not in ("subscriber_id", "newsletter", "engaged_on")
)

# What an undone import had added is as good as absent. If its owner has unsubscribed since, it is
# theirs (`undone_at` is null then), and stays.
_REFILL = f"""
ON CONFLICT (subscriber_id, newsletter) DO UPDATE
SET {_REFILLED}, engaged_on = greatest(subscription.engaged_on, excluded.engaged_on),
    undone_at = NULL
WHERE subscription.undone_at IS NOT NULL
"""


def upsert_subscriptions(values: Mapping[str, str], source: str, *, refill: bool = True) -> str:
    """Return the statement that adds subscriptions: an expression by column, from a FROM clause.

    A row that an undone import left is filled again, an existing one is left alone. Without
    `refill` there must be neither: to look for them takes a sixth of an import's time.
    """
    columns, expressions = ", ".join(values), ", ".join(values.values())
    statement = f"INSERT INTO subscription ({columns}) SELECT {expressions} {source}"
    return f"{statement} {_REFILL}" if refill else statement


_GIVEN = ("subscriber_id", "newsletter", "topic_set_id", "zone", "status", "created_at", "source")

#: Adds a subscription whose values have the names of its columns.
ADD_SUBSCRIPTION = upsert_subscriptions({name: f"%({name})s" for name in _GIVEN}, "")


def lock_subscriptions(condition: str) -> str:
    """Return the statement that locks these, in the one order of all writers of the table."""
    return f"""
SELECT count(*) FROM (
    SELECT FROM subscription WHERE {condition} ORDER BY id FOR NO KEY UPDATE
) AS locked
"""


def erasure_hash(key: str) -> str:
    """Return the SQL of an address key's hash as the table `erasure` has it."""
    installation = "(SELECT key FROM installation_key WHERE name = 'erasure')"
    return f"sha256({installation} || convert_to({key}, 'UTF8'))"


def topic_set_id(session: Session, topics: TopicSet) -> int:
    """Return the number of a topic set, which is stored if it is new."""
    slugs = sorted(topics.slugs)
    session.exec(insert(TopicSetRow).values(slugs=slugs).on_conflict_do_nothing())
    return session.exec(select(TopicSetRow.id).where(col(TopicSetRow.slugs) == slugs)).one()
