"""Counters: what this process has seen since it began, for whoever measures it."""

from collections import Counter
from collections.abc import Mapping
from threading import Lock


class Counters:
    """Named counts that several threads may raise."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, counts: Mapping[str, int]) -> None:
        """Raise these counts."""
        with self._lock:
            self._counts.update(counts)

    def values(self) -> dict[str, int]:
        """Return all counts by name, sorted; a name never raised is not there."""
        with self._lock:
            return dict(sorted(self._counts.items()))
