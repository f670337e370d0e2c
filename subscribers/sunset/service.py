"""The verbs of the sunset: find the silent, note what was asked, pause, and hear an answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from subscribers.model import SunsetPolicy
from subscribers.rules.sunset import Inactivity, Step, last_day_heard, step


class SunsetStore(Protocol):
    """Where the silent are found, and what was done about them is kept."""

    def silent(
        self, newsletter: str, heard_by: date, *, after: int, limit: int
    ) -> tuple[Inactivity, ...]:
        """Return who was last heard of by a day, in the order of their numbers."""
        ...

    def ask(self, silences: Sequence[Inactivity], at: datetime) -> tuple[int, ...]:
        """Note the question where nothing has changed since; return those subscriptions."""
        ...

    def pause(self, silences: Sequence[Inactivity], at: datetime) -> int:
        """Pause where nothing has changed since; return how many."""
        ...

    def keep(self, subscription_id: int, at: datetime, today: date) -> None:
        """Note the answer, and end the pause that its lack had brought."""
        ...


class Post(Protocol):
    """What the other house knows of the letters that readers were sent."""

    def delivered(self, subscriber_ids: Collection[int], since: datetime) -> Mapping[int, int]:
        """Count, by subscription, the letters planned since that a mailbox took."""
        ...

    def arrived(self, asked: Mapping[int, datetime]) -> Collection[int]:
        """Return, of subscriptions asked at a moment, those whose question SendGrid took."""
        ...


@dataclass(frozen=True, kw_only=True)
class Due:
    """What is to be done about a page of silent subscriptions."""

    ask: tuple[Inactivity, ...]
    pause: tuple[Inactivity, ...]
    last: int | None  #: number of the last one looked at; None when there are no more


class Sunsets:
    """Who is asked whether they still want it."""

    def __init__(self, store: SunsetStore, post: Post) -> None:
        self._store, self._post = store, post

    def due(
        self, newsletter: str, policy: SunsetPolicy, *, now: datetime, after: int, limit: int
    ) -> Due:
        """Look at the next silent subscriptions after a number, and say what is due."""
        page = self._store.silent(newsletter, last_day_heard(policy, now), after=after, limit=limit)
        steps = self._steps(page, policy, now)
        return Due(
            ask=tuple(one for one in page if steps[one.subscription_id] is Step.ASK),
            pause=tuple(one for one in page if steps[one.subscription_id] is Step.PAUSE),
            last=page[-1].subscription_id if len(page) == limit else None,
        )

    def _steps(
        self, page: Sequence[Inactivity], policy: SunsetPolicy, now: datetime
    ) -> Mapping[int, Step | None]:
        since = now - timedelta(days=policy.after_days)
        letters = self._post.delivered([one.subscriber_id for one in page], since)
        asked = {one.subscription_id: one.asked_at for one in page if one.asked_at}
        arrived = self._post.arrived(asked)
        return {
            (number := one.subscription_id): step(
                one, policy, now, letters=letters.get(number, 0), arrived=number in arrived
            )
            for one in page
        }

    def ask(self, silences: Sequence[Inactivity], *, now: datetime) -> tuple[int, ...]:
        """Note that these are asked; return the subscriptions of those who did not stir since."""
        return self._store.ask(silences, now)

    def pause(self, silences: Sequence[Inactivity], *, now: datetime) -> int:
        """Pause these until they say otherwise; return how many did not stir since."""
        return self._store.pause(silences, now)

    def keep(self, subscription_id: int, *, now: datetime) -> None:
        """Hear that a subscriber still wants it; to say so twice changes nothing more."""
        self._store.keep(subscription_id, now, now.astimezone(UTC).date())
