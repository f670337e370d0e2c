"""Operator alerts that still need somebody, and who has taken which."""

from collections.abc import Collection
from dataclasses import dataclass

from newsletter.core.alert_state import StoredAlert
from newsletter.core.publication import Newsletter
from newsletter.core.reason import given
from newsletter.errors import NotAllowed, NotFound
from newsletter.ports import Clock
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.operator_alerts import OperatorAlertStore


@dataclass(eq=False)
class OperatorAlerts:
    """Shows alerts while their causes are there; a person may take one, or close it."""

    store: OperatorAlertStore
    decisions: DecisionLog
    clock: Clock

    def open(self, newsletter: Newsletter) -> tuple[StoredAlert, ...]:
        """Return the alerts of a newsletter, or of all, that still need somebody."""
        now = self.clock.now()
        return tuple(one for one in self.store.unclosed(newsletter.slug, now) if one.is_open(now))

    def listed(
        self, newsletters: Collection[str], *, before: int | None, limit: int
    ) -> tuple[StoredAlert, ...]:
        """Return the alerts of these newsletters and of all, open or not, the newest first."""
        return self.store.listed(newsletters, before, limit)

    def alert(self, alert_id: int) -> StoredAlert:
        """Return one alert, open or not; NotFound if there is none of that number."""
        if found := self.store.find(alert_id):
            return found
        raise NotFound(f"there is no alert {alert_id}")

    def acknowledge(self, alert_id: int, actor: str) -> StoredAlert:
        """Record who takes care of an alert, so that no second person does.

        NotAllowed if somebody else has it, or if it is closed; harmless to repeat.
        """
        if self.store.acknowledge(alert_id, actor, self.clock.now()):
            self._record(alert_id, actor, "acknowledge", {})
        found = self.alert(alert_id)
        if found.acknowledged_by != actor:
            who = found.acknowledged_by or found.closed_by
            raise NotAllowed(f"{who} has taken care of this alert")
        return found

    def close(self, alert_id: int, *, actor: str, because: str) -> StoredAlert:
        """Close an alert whatever its cause; NotAllowed without a reason. Harmless to repeat."""
        because = given(because)
        found = self.alert(alert_id)
        if self.store.close(alert_id, actor, self.clock.now()):
            self._record(alert_id, actor, "close", {"because": because})
            return self.alert(alert_id)
        return found

    def _record(self, alert_id: int, actor: str, verb: str, detail: dict[str, str]) -> None:
        newsletter = self.alert(alert_id).alert.newsletter
        self.decisions.record(actor, f"alert {alert_id}", verb, detail, newsletter=newsletter)
