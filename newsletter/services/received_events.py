"""Events about the letters of an issue, for programs: what shows nothing that opens a page."""

from collections.abc import Collection, Generator, Iterable
from dataclasses import dataclass, replace

from newsletter.core.received_event import (
    COMMITTED_AFTER,
    EventPosition,
    ReceivedEvent,
    first_position,
    link_to_show,
)
from newsletter.core.stored import StoredIssue
from newsletter.ports import Clock
from newsletter.stores.received_events import ReceivedEventStore


@dataclass(eq=False)
class ReceivedEvents:
    """Shows the events of an issue, each once it is so old that none comes before it any more."""

    store: ReceivedEventStore
    clock: Clock
    own_hosts: Collection[str]  #: where our own pages are

    def of(
        self, stored: StoredIssue, after: EventPosition, *, limit: int
    ) -> tuple[ReceivedEvent, ...]:
        """Return events of an issue in the order in which they came, from a position on."""
        if stored.planned_at is None:
            return ()
        start = first_position(after, stored.planned_at)
        before = self.clock.now() - COMMITTED_AFTER
        return self._shown(self.store.received(stored.id, start, before=before, limit=limit))

    def all_of(self, stored: StoredIssue) -> Generator[tuple[ReceivedEvent, ...]]:
        """Yield all events of an issue letter by letter, a portion at a time."""
        before = self.clock.now() - COMMITTED_AFTER
        for portion in self.store.by_letter(stored.id, before=before):
            yield self._shown(portion)

    def _shown(self, found: Iterable[ReceivedEvent]) -> tuple[ReceivedEvent, ...]:
        return tuple(replace(one, url=link_to_show(one.url, self.own_hosts)) for one in found)
