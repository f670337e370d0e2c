"""The line on which events come, broken while the processes live."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

from tests.torture.disturbances import Disturbance, rng_of
from tests.torture.installation import Installation

_OUTAGES = 2  #: in a round
_LATE_SHARE = 0.2  #: of the posts, where single ones are late


class Outages(Disturbance):
    """The line is down for longer than the quiet period; newer posts come first after it."""

    def __init__(self, installation: Installation, url: str) -> None:
        assert installation.relay, "events do not come by a relay"
        self._relay, self._quiet = installation.relay, installation.quiet
        self._rng = rng_of(url)
        self.done = Counter()

    def acts(self) -> Sequence[Callable[[], None]]:
        return [self._break]

    def _break(self) -> None:
        if self.done["outages"] >= _OUTAGES:
            time.sleep(0.2)
            return
        self.done["outages"] += 1
        time.sleep(self._rng.uniform(0.3, 2))
        self._relay.is_down = True
        time.sleep(self._quiet + self._rng.uniform(0.5, 2))
        self._relay.is_down = False
        time.sleep(2.5)  # newer posts come first, for longer than from one look to the next
        self.done["posts held back"] += self._relay.held
        self._relay.release(2)


class LatePosts(Disturbance):
    """Single posts come later than the quiet period, while the others come as ever.

    Nobody can see that the line is broken: a machine that re-sends doubles, and must say so.
    """

    def __init__(self, installation: Installation, url: str) -> None:
        assert installation.relay, "events do not come by a relay"
        self._rng, self._late = rng_of(url), installation.quiet + 8
        self.done = Counter()
        installation.relay.lateness = self._lateness

    def _lateness(self) -> float:
        if self._rng.random() > _LATE_SHARE:
            return 0.0
        self.done["posts held back"] += 1
        return self._late
