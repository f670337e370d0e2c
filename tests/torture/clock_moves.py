"""The clock of the service's processes is moved back and forth in mid-send."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

from tests.torture.disturbances import Disturbance, rng_of
from tests.torture.installation import Installation
from tests.torture.moved_clock import set_clock

_FURTHEST = 20  #: seconds; three times the quiet period, ten times a lease


class ClockMoves(Disturbance):
    """Moves the clock again and again."""

    def __init__(self, installation: Installation, url: str) -> None:
        self._path = installation.clock
        set_clock(self._path, 0)
        self._rng = rng_of(url)
        self.done = Counter()

    def acts(self) -> Sequence[Callable[[], None]]:
        return [self._move]

    def _move(self) -> None:
        set_clock(self._path, self._rng.randint(-_FURTHEST, _FURTHEST))
        self.done["clock moves"] += 1
        time.sleep(self._rng.uniform(0.5, 4))
