"""The sunset: find inactive readers, ask them, pause those who do not answer."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from subscribers.db.transaction import transaction
from subscribers.model import SunsetPolicy
from subscribers.rules.sunset import Inactivity, Step, inactive_since, next_step
from subscribers.sunset import statements

#: Counts, by subscription of these subscribers, the emails planned since then that a mailbox took.
Delivered = Callable[[Collection[int], datetime], Mapping[int, int]]

#: Returns, of subscriptions asked at a moment, those whose question SendGrid accepted.
Arrived = Callable[[Mapping[int, datetime]], Collection[int]]


@dataclass(frozen=True, kw_only=True)
class Due:
    """What is to be done about a page of inactive subscriptions."""

    ask: tuple[Inactivity, ...]
    pause: tuple[Inactivity, ...]
    last: int | None  #: number of the last one looked at; None when there are no more


class Sunsets:
    """Finds inactive readers, records what they were asked and answered, and pauses them."""

    def __init__(self, engine: Engine, *, delivered: Delivered, arrived: Arrived) -> None:
        self._engine = engine
        self._delivered, self._arrived = delivered, arrived

    def due(
        self, newsletter: str, policy: SunsetPolicy, *, now: datetime, after: int, limit: int
    ) -> Due:
        """Look at the next inactive subscriptions after a number, and return what is due."""
        day = inactive_since(policy, now)
        with transaction(self._engine) as session:
            page = statements.find_inactive(session, newsletter, day, after=after, limit=limit)
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
        letters = self._delivered([one.subscriber_id for one in page], since)
        arrived = self._arrived({one.subscription_id: one.asked_at for one in page if one.asked_at})
        return {
            (number := one.subscription_id): next_step(
                one, policy, now, letters=letters.get(number, 0), arrived=number in arrived
            )
            for one in page
        }

    def ask(self, inactive: Sequence[Inactivity], *, now: datetime) -> tuple[int, ...]:
        """Record that these are asked; return the subscriptions that have not changed since."""
        with transaction(self._engine) as session:
            return statements.ask(session, inactive, now)

    def pause(self, inactive: Sequence[Inactivity], *, now: datetime) -> int:
        """Pause these until they answer; return how many have not changed since."""
        with transaction(self._engine) as session:
            return statements.pause(session, inactive, now)

    def record_still_wanted(self, subscription_id: int, *, now: datetime) -> None:
        """Record that a subscriber still wants it; doing so twice changes nothing more."""
        with transaction(self._engine) as session:
            today = now.astimezone(UTC).date()
            statements.record_still_wanted(session, subscription_id, now, today)
