"""Purges undone imports; the log says who did it, and how many went."""

from collections.abc import Callable
from dataclasses import dataclass

from newsletter.stores.decisions import DecisionLog
from subscribers.lists.purge import ImportPurge, Purged


@dataclass(eq=False)
class ImportPurging:
    """Removes the addresses of an undone import, or says what that would remove."""

    purge: ImportPurge
    decisions: DecisionLog

    def count(self, import_id: int) -> Purged:
        """Return how many would go and stay; raise NoSuchImport or NotUndone."""
        return self.purge.purge(import_id, dry_run=True)

    def run(
        self, import_id: int, *, actor: str, on_progress: Callable[[int], object] = lambda _: None
    ) -> Purged:
        """Remove them; raise NoSuchImport or NotUndone. The log says it before and after."""
        counted, subject = self.count(import_id), f"import {import_id}"
        self.decisions.record(actor, subject, "begin purge", _counts(counted))
        purged = self.purge.purge(import_id, dry_run=False, on_progress=on_progress)
        self.decisions.record(actor, subject, "purge", _counts(purged))
        return purged


def _counts(purged: Purged) -> dict[str, int]:
    counts = {"removed": purged.removed, "kept": sum(purged.kept.values())}
    return {name: count for name, count in counts.items() if count}
