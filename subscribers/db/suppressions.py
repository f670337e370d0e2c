"""The suppression list: look up, suppress, lift."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from subscribers.addresses import email_key
from subscribers.db.statements import erasure_hash
from subscribers.db.tables import SuppressionLiftRow, SuppressionRow
from subscribers.db.transaction import execute
from subscribers.model import Suppression, SuppressionReason
from subscribers.rules.suppression import LADDER

#: The reasons from the lightest to the weightiest, as the statements take them.
LADDER_VALUES = [reason.value for reason in LADDER]

#: To follow an INSERT; `subscribers.rules.suppression.weightier` must agree.
WEIGHTIER_WINS = """
ON CONFLICT (email_key) DO UPDATE
SET reason = excluded.reason, source = excluded.source, since = excluded.since,
    note = excluded.note
WHERE array_position(%(ladder)s::text[], excluded.reason)
    > array_position(%(ladder)s::text[], suppression.reason)
"""


def answered_by_lift(key: str, reason: str, since: str) -> str:
    """Return the SQL condition that `subscribers.rules.suppression.is_answered` specifies."""
    return f"""EXISTS (
        SELECT FROM suppression_lift AS lift
        WHERE lift.email_key = {key} AND COALESCE({since}, lift.at) <= lift.at
          AND array_position(%(ladder)s::text[], {reason})
           <= array_position(%(ladder)s::text[], lift.reason)
    )"""


# Several reasons for one address in one call: the weightiest counts, then the earliest. An address
# that was erased is not stored again.
_SUPPRESS = f"""
INSERT INTO suppression (email_key, reason, source, since, note)
SELECT DISTINCT ON (email_key) email_key, reason, source, since, note
FROM unnest(%(keys)s::text[], %(reasons)s::text[], %(sources)s::text[], %(since)s::timestamptz[],
            %(notes)s::text[])
    AS given (email_key, reason, source, since, note)
WHERE NOT {answered_by_lift("given.email_key", "given.reason", "given.since")}
  AND NOT EXISTS (SELECT FROM erasure WHERE hash = {erasure_hash("given.email_key")})
ORDER BY email_key, array_position(%(ladder)s::text[], reason) DESC, since
{WEIGHTIER_WINS}
"""


def suppress(session: Session, suppressions: Iterable[Suppression]) -> int:
    """Store what is weightier than what stands and not answered by a lift; count the addresses."""
    given = list(suppressions)
    values = {
        "keys": [email_key(each.email) for each in given],
        "ladder": LADDER_VALUES,
        "notes": [each.note for each in given],
        "reasons": [each.reason.value for each in given],
        "since": [each.since for each in given],
        "sources": [each.source for each in given],
    }
    return execute(session, _SUPPRESS, values)


def suppression_of(session: Session, key: str) -> Suppression | None:
    row = session.get(SuppressionRow, key)
    return _suppression(row) if row else None


def lift(
    session: Session, key: str, reasons: Collection[SuppressionReason], *, at: datetime
) -> Suppression | None:
    """Take an address off the list if it is there for one of these reasons; return what stood."""
    table = SuppressionRow
    lifted = session.scalars(
        delete(table)
        .where(col(table.email_key) == key, col(table.reason).in_([each.value for each in reasons]))
        .returning(table)
    ).first()
    if lifted is None:
        return None
    answer = insert(SuppressionLiftRow).values(email_key=key, reason=lifted.reason, at=at)
    session.exec(
        answer.on_conflict_do_update(index_elements=["email_key", "reason"], set_={"at": at})
    )
    return _suppression(lifted)


def suppressions(
    session: Session, reason: SuppressionReason | None, part: str, limit: int
) -> tuple[Suppression, ...]:
    """Return suppressions, the latest first: of a reason, with this part in the address."""
    row = SuppressionRow
    found = select(row).order_by(col(row.since).desc(), row.email_key).limit(limit)
    if reason:
        found = found.where(row.reason == reason.value)
    if part:
        found = found.where(func.strpos(row.email_key, part) > 0)
    return tuple(map(_suppression, session.exec(found)))


def suppression_counts(session: Session) -> dict[SuppressionReason, int]:
    """Count the list by reason; every reason is there."""
    counts = select(SuppressionRow.reason, func.count()).group_by(SuppressionRow.reason)
    found = dict(session.exec(counts).all())
    return {reason: found.get(reason.value, 0) for reason in SuppressionReason}


def _suppression(row: SuppressionRow) -> Suppression:
    return Suppression(
        email=row.email_key,
        reason=SuppressionReason(row.reason),
        source=row.source,
        since=row.since,
        note=row.note,
    )
