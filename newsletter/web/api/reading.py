"""Reading along: what was decided, and what operators are told."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Self, cast

from pydantic import Field

from newsletter.core.alert_state import StoredAlert
from newsletter.core.api_token import Scope
from newsletter.core.operator_alert import ALL, OperatorAlertKind
from newsletter.core.webhook import without_addresses
from newsletter.errors import NotFound
from newsletter.services.archive import Decision
from newsletter.web.api.access import Caller, EditIssues, ReadLog
from newsletter.web.api.cursors import Part
from newsletter.web.api.route import api_router
from newsletter.web.api.schemas import ApiModel, ListPage, PathId

router = api_router()


class DecisionItem(ApiModel):
    """Who decided what about what, when, and from where."""

    id: int
    at: datetime
    actor: str
    verb: str
    subject: str
    newsletter: str | None
    network: str | None
    detail: dict[str, Any]
    before: Any
    after: Any

    @classmethod
    def of(cls, one: Decision, *, addresses: bool) -> Self:
        values = {name: getattr(one, name) for name in cls.model_fields}
        if not addresses:
            hidden = ("actor", "subject", "detail", "before", "after")
            values |= {name: _without_addresses(values[name]) for name in hidden}
        return cls(**values)


class OperatorAlertItem(ApiModel):
    """Something that operators were told."""

    id: int
    at: datetime
    kind: OperatorAlertKind
    newsletter: str | None = Field(description="Null: it is about all of them.")
    date: date
    sentence: str
    advice: str
    open: bool = Field(description="It needs somebody: nobody closed it, and its cause is there.")
    taken_by: str | None
    taken: datetime | None
    closed_by: str | None
    closed: datetime | None

    @classmethod
    def of(cls, one: StoredAlert, now: datetime) -> Self:
        alert = one.alert
        return cls.like(
            one,
            alert,
            newsletter=None if alert.newsletter == ALL else alert.newsletter,
            advice=alert.kind.advice,
            open=one.is_open(now),
            taken_by=one.acknowledged_by,
            taken=one.acknowledged_at,
            closed=one.closed_at,
        )


@router.get("/decisions")
def decisions(caller: ReadLog, part: Part, newsletter: str | None = None) -> ListPage[DecisionItem]:
    """List what was decided, the newest first; addresses need the scope readers:read as well."""
    found = caller.services.archive.recent(
        actor="",
        verb="",
        cursor=part.last("decisions"),
        newsletters=_seen(caller, newsletter),
        limit=part.rows,
    )
    addresses = caller.may(Scope.READERS_READ)
    return part.page(
        "decisions",
        found.decisions,
        show=lambda one: DecisionItem.of(one, addresses=addresses),
        key=lambda one: one.id,
    )


@router.get("/notices")
def alerts(
    caller: ReadLog, part: Part, newsletter: str | None = None
) -> ListPage[OperatorAlertItem]:
    """List what operators were told, the newest first, whether it is still open or not."""
    slugs = _seen(caller, newsletter) or caller.slugs
    found = caller.services.alerts.listed(slugs, before=part.last("notices"), limit=part.rows)
    now = caller.services.now()
    return part.page(
        "notices", found, show=lambda one: OperatorAlertItem.of(one, now), key=lambda one: one.id
    )


@router.post("/notices/{alert_id}/take")
def take(caller: EditIssues, alert_id: PathId) -> OperatorAlertItem:
    """Take care of what operators were told, so that no second person does."""
    kept = caller.services.alerts
    if kept.alert(alert_id).alert.newsletter not in {ALL, *caller.slugs}:
        raise NotFound(f"there is no notice {alert_id}")
    return OperatorAlertItem.of(kept.acknowledge(alert_id, caller.actor), caller.services.now())


def _seen(caller: Caller, newsletter: str | None) -> frozenset[str] | None:
    """Return the newsletters that a list is about; None for all, with what is about none."""
    if newsletter is not None:
        return frozenset({caller.newsletter(newsletter).slug})
    return None if caller.token.newsletters is None else caller.slugs


def _without_addresses(value: Any) -> Any:
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value)
        return {_without_addresses(key): _without_addresses(one) for key, one in pairs.items()}
    if isinstance(value, list):
        return [_without_addresses(one) for one in cast("list[Any]", value)]
    return without_addresses(value) if isinstance(value, str) else value
