"""What people and policies decided: append-only, which the database enforces."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, insert, select

from newsletter.core.api_token import TokenActor
from newsletter.core.staff import StaffActor
from newsletter.ports import Clock
from newsletter.stores.tables import DecisionRow
from subscribers.db.transaction import scalar, transaction

Values = Mapping[str, Any]  #: what was changed, or what it was changed to, by name


_NEWSLETTER_OF = {
    "issue": "SELECT newsletter FROM issue WHERE id = %(id)s",
    "batch": """SELECT newsletter FROM issue JOIN batch ON issue_id = issue.id
                 WHERE batch.id = %(id)s""",
}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Who decided what about what, when, and from where."""

    at: datetime
    actor: str
    verb: str
    detail: dict[str, Any]
    id: int = 0
    subject: str = ""
    newsletter: str | None = None
    staff_id: int | None = None  #: whose account; None: the command line, or the scheduler
    session_id: int | None = None
    network: str | None = None
    before: Any = None
    after: Any = None


@dataclass(frozen=True, kw_only=True)
class DecisionEntry:
    """A decision that is stored together with what it is about."""

    subject: str
    verb: str
    detail: dict[str, Any]
    newsletter: str | None


@dataclass(frozen=True, kw_only=True)
class DecisionFilter:
    """Which decisions to read; what is None does not matter."""

    subject: str | None = None
    actor: str | None = None
    verb: str | None = None
    newsletter: str | None = None
    newsletters: frozenset[str] | None = None  #: only those about one of these


@dataclass(frozen=True, kw_only=True)
class DecisionPage:
    """Some decisions, the newest first, and where the older ones begin; None at the end."""

    decisions: tuple[Decision, ...]
    cursor: int | None


class DecisionLog:
    """Records who decided what about a subject."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def record(
        self,
        actor: str,
        subject: str,
        verb: str,
        detail: dict[str, Any],
        *,
        newsletter: str | None = None,
        before: Values | None = None,
        after: Values | None = None,
    ) -> None:
        """Add a decision; one of the console brings account, session and network address.

        About an issue or a batch, the newsletter need not be said.
        """
        row = DecisionRow(
            at=self._clock.now(),
            actor=str(actor),
            subject=subject,
            verb=verb,
            detail=detail,
            before=before and dict(before),
            after=after and dict(after),
            **_origin(actor),
        )
        with transaction(self._engine) as session:
            row.newsletter = newsletter or _newsletter_of(session, subject)
            session.add(row)

    def about(self, subject: str) -> tuple[Decision, ...]:
        """Return what was decided about a subject, the oldest first."""
        found = (
            select(DecisionRow).where(DecisionRow.subject == subject).order_by(col(DecisionRow.id))
        )
        with transaction(self._engine) as session:
            return tuple(_decision(row) for row in session.exec(found))

    def recent(
        self,
        which: DecisionFilter | None = None,
        cursor: int | None = None,
        *,
        limit: int = 50,
    ) -> DecisionPage:
        """Return decisions about whatever subject, the newest first, from a page's cursor on."""
        which = which or DecisionFilter()
        found = select(DecisionRow).order_by(col(DecisionRow.id).desc()).limit(limit + 1)
        for name in ("subject", "actor", "verb", "newsletter"):
            if (wanted := getattr(which, name)) is not None:
                found = found.where(getattr(DecisionRow, name) == wanted)
        if which.newsletters is not None:
            found = found.where(col(DecisionRow.newsletter).in_(sorted(which.newsletters)))
        if cursor is not None:
            found = found.where(col(DecisionRow.id) < cursor)
        with transaction(self._engine) as session:
            decisions = [_decision(row) for row in session.exec(found)]
        more = len(decisions) > limit
        shown = tuple(decisions[:limit])
        return DecisionPage(decisions=shown, cursor=shown[-1].id if more else None)


def add_decisions(
    session: Session, entries: Iterable[DecisionEntry], actor: str, now: datetime
) -> None:
    """Add what one actor decided, in the transaction of what it is about."""
    of_all = {"at": now, "actor": str(actor), **_origin(actor)}
    if rows := [of_all | vars(one) for one in entries]:
        session.exec(insert(DecisionRow), params=rows)


def _newsletter_of(session: Session, subject: str) -> str | None:
    kind, _, number = subject.partition(" ")
    if kind not in _NEWSLETTER_OF or not number.isdecimal():
        return None
    return scalar(session, _NEWSLETTER_OF[kind], {"id": int(number)})


def _origin(actor: str) -> dict[str, Any]:
    if isinstance(actor, TokenActor):
        return {"network": actor.address or None}
    if not isinstance(actor, StaffActor):
        return {}
    return {
        "staff_id": actor.staff_id,
        "session_id": actor.session_id,
        "network": actor.address or None,
    }


def _decision(row: DecisionRow) -> Decision:
    return Decision(**{name: getattr(row, name) for name in Decision.__dataclass_fields__})
