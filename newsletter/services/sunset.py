"""Asks inactive readers whether they still want the newsletter, then pauses who does not answer.

A bounded portion at a time, so that a list that was never asked is not asked all at once. A
question is recorded before it is queued: if the process dies in between, somebody is recorded whom
no question reached; they are asked again, and not paused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from newsletter.core.publication import Newsletter
from newsletter.errors import NotAllowed
from newsletter.ports import Clock
from subscribers.model import SunsetPolicy
from subscribers.sunset.service import Sunsets

_PAGE = 500  #: subscriptions looked at together
_PAGES = 50  #: in one run; the next one continues from there
_PORTION = 500  #: questions after which a run ends
_COUNTED = 10_000  #: counted together, where nothing is locked


@dataclass(frozen=True)
class Portion:
    """How many readers one run asked and paused, or would."""

    asked: int = 0
    paused: int = 0

    def __add__(self, other: "Portion") -> "Portion":
        return Portion(self.asked + other.asked, self.paused + other.paused)


@dataclass(eq=False)
class Sunset:
    """Runs the sunset policy of each newsletter that has one."""

    newsletters: Mapping[str, Newsletter]
    sunsets: Sunsets
    queue: Callable[[str, int], object]  #: queues the question about a newsletter's subscription
    clock: Clock
    _place: dict[str, int] = field(
        init=False, default_factory=dict[str, int]
    )  #: where the next run begins

    def run(self) -> None:
        for newsletter in self.newsletters.values():
            if newsletter.sunset:
                self.ask_inactive_readers(newsletter)

    def ask_inactive_readers(self, newsletter: Newsletter) -> Portion:
        slug, policy, now = newsletter.slug, _policy(newsletter), self.clock.now()
        done, place = Portion(), self._place.get(slug)
        for _ in range(_PAGES):
            due = self.sunsets.due(slug, policy, now=now, after=place or 0, limit=_PAGE)
            paused = self.sunsets.pause(due.pause, now=now)
            asked = self.sunsets.ask(due.ask, now=now)
            for subscription_id in asked:
                self.queue(slug, subscription_id)
            done += Portion(len(asked), paused)
            place = due.last
            if place is None or done.asked >= _PORTION:
                break
        self._place[slug] = place or 0
        return done

    def count(self, newsletter: Newsletter) -> Portion:
        """Count who would be asked and paused as things stand, changing nothing."""
        policy, now = _policy(newsletter), self.clock.now()
        found, place = Portion(), 0
        while place is not None:
            due = self.sunsets.due(newsletter.slug, policy, now=now, after=place, limit=_COUNTED)
            found += Portion(len(due.ask), len(due.pause))
            place = due.last
        return found


def _policy(newsletter: Newsletter) -> SunsetPolicy:
    if newsletter.sunset is None:
        raise NotAllowed(
            f"{newsletter.slug} has no [sunset] in its file: nobody is asked, and nobody is paused"
        )
    return newsletter.sunset
