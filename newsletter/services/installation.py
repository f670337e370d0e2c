"""Shows and renews the id by which this installation recognizes its own events."""

from collections.abc import Callable
from dataclasses import dataclass

from newsletter.core.installation import ID_LENGTH, Installation
from newsletter.errors import NotAllowed
from newsletter.ports import Clock
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.installation import InstallationStore


@dataclass(eq=False)
class Installations:
    """Tells a copy of a database from its original."""

    store: InstallationStore
    decisions: DecisionLog
    new_id: Callable[[], str]
    clock: Clock

    def current(self) -> Installation:
        return self.store.get()

    def renew(self, *, because: str, by: str) -> Installation:
        """Give this database an id of its own, with the reason on record; NotAllowed if unsafe."""
        if not because.strip():
            raise NotAllowed("say why the installation gets a new id")
        before = self.store.get()
        if not self.store.renew(self.new_id()[:ID_LENGTH], self.clock.now()):
            raise NotAllowed(
                "a batch still waits for evidence, which bears the present id: "
                "resolve it first (`newsletter batches list`)"
            )
        detail = {"because": because, "before": before.id}
        self.decisions.record(by, "installation", "renewed", detail)
        return self.store.get()
