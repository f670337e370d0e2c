"""The sunset: find inactive readers, ask them, pause those who do not answer.

The SQL is a narrow look at all, then one subscription after another.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from subscribers.db.statements import INSERT_CHANGE
from subscribers.db.transaction import execute, rows, transaction
from subscribers.model import SunsetPolicy
from subscribers.rules.sunset import Inactivity, Step, inactive_since, next_step

#: Counts, by subscription of these subscribers, the emails planned since then that a mailbox took.
Delivered = Callable[[Collection[int], datetime], Mapping[int, int]]

#: Returns, of subscriptions asked at a moment, those whose question SendGrid accepted.
Arrived = Callable[[Mapping[int, datetime]], Collection[int]]

# What somebody did on their own pages is activity as much as a click. Who joined another service
# years ago, and came here with a list, could not be active here before. Days are UTC's.
_INACTIVE = """
SELECT subscription_id, subscriber_id, last_active_on, engaged_on, asked_at
FROM (
    SELECT subscription.id AS subscription_id, subscription.subscriber_id, engaged_on, asked_at,
           greatest(engaged_on,
                    CAST(greatest(subscription.created_at, list_import.at, own_act.at,
                                  own_change.at) AT TIME ZONE 'UTC' AS date)) AS last_active_on
    FROM subscription
    LEFT JOIN list_import ON list_import.id = subscription.import_id
    JOIN audience ON audience.subscription_id = subscription.id
    CROSS JOIN LATERAL (
        SELECT max(consent.at) AS at FROM consent
        WHERE consent.subscriber_id = subscription.subscriber_id
          AND consent.newsletter = subscription.newsletter AND consent.act <> 'imported'
    ) AS own_act
    CROSS JOIN LATERAL (
        SELECT max(change.at) AS at FROM change
        WHERE change.subscriber_id = subscription.subscriber_id AND change.actor = 'subscriber'
          AND (change.newsletter IS NULL OR change.newsletter = subscription.newsletter)
    ) AS own_change
    WHERE subscription.newsletter = %(newsletter)s AND subscription.id > %(after)s
      AND audience.exclusion IS NULL
      AND (engaged_on IS NULL OR engaged_on <= %(inactive_since)s)
) AS activity
WHERE last_active_on <= %(inactive_since)s
ORDER BY subscription_id LIMIT %(limit)s
"""

# Those that are still as they were when they were looked at, locked in the one order of all
# writers of this table.
_UNCHANGED = """
    SELECT subscription.id
    FROM subscription
    JOIN unnest(%(ids)s::bigint[], %(engaged)s::date[], %(asked)s::timestamptz[])
         AS seen (id, engaged_on, asked_at) USING (id)
    WHERE subscription.engaged_on IS NOT DISTINCT FROM seen.engaged_on
      AND subscription.asked_at IS NOT DISTINCT FROM seen.asked_at
      AND subscription.status = 'active' AND subscription.paused_at IS NULL
    ORDER BY subscription.id FOR NO KEY UPDATE OF subscription
"""

_ASK = f"""
WITH asked AS (
    UPDATE subscription SET asked_at = %(at)s WHERE id IN ({_UNCHANGED})
    RETURNING id, subscriber_id, newsletter
), recorded AS (
    {INSERT_CHANGE}
    SELECT subscriber_id, newsletter, %(at)s, 'clock', 'asked',
           jsonb_build_object('question', 'still wanted')
    FROM asked
)
SELECT id FROM asked ORDER BY id
"""

_PAUSE = f"""
WITH paused AS (
    UPDATE subscription SET paused_at = %(at)s, paused_until = NULL, asked_at = NULL
    WHERE id IN ({_UNCHANGED})
    RETURNING subscriber_id, newsletter
)
{INSERT_CHANGE}
SELECT subscriber_id, newsletter, %(at)s, 'clock', 'paused',
       jsonb_build_object('until', NULL, 'reason', 'sunset')
FROM paused
"""

# A pause that is the reader's own is not ended by this answer: the record says which one it is.
_STILL_WANTED = f"""
WITH was AS (
    SELECT id, paused_at IS NOT NULL AND paused_until IS NULL AND EXISTS (
        SELECT FROM change
        WHERE change.subscriber_id = subscription.subscriber_id
          AND change.newsletter = subscription.newsletter AND change.at = subscription.paused_at
          AND what = 'paused' AND detail ->> 'reason' = 'sunset') AS by_sunset
    FROM subscription WHERE id = %(id)s AND status = 'active' FOR NO KEY UPDATE
), answered AS (
    UPDATE subscription
    SET engaged_on = greatest(engaged_on, %(today)s), asked_at = NULL,
        paused_at = CASE WHEN NOT was.by_sunset THEN paused_at END,
        paused_until = CASE WHEN NOT was.by_sunset THEN paused_until END
    FROM was
    WHERE subscription.id = was.id
      AND (was.by_sunset OR asked_at IS NOT NULL OR engaged_on IS DISTINCT FROM %(today)s)
    RETURNING subscriber_id, newsletter, was.by_sunset
)
{INSERT_CHANGE}
SELECT subscriber_id, newsletter, %(at)s, 'subscriber', 'still wanted',
       jsonb_build_object('unpaused', by_sunset)
FROM answered
"""


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
        values = {
            "newsletter": newsletter,
            "inactive_since": inactive_since(policy, now),
            "after": after,
            "limit": limit,
        }
        with transaction(self._engine) as session:
            page = [Inactivity(**row) for row in rows(session, _INACTIVE, values)]
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
            return tuple(row["id"] for row in rows(session, _ASK, _seen(inactive, now)))

    def pause(self, inactive: Sequence[Inactivity], *, now: datetime) -> int:
        """Pause these until they answer; return how many have not changed since."""
        with transaction(self._engine) as session:
            return execute(session, _PAUSE, _seen(inactive, now))

    def record_still_wanted(self, subscription_id: int, *, now: datetime) -> None:
        """Record that a subscriber still wants it; doing so twice changes nothing more."""
        values = {"id": subscription_id, "at": now, "today": now.astimezone(UTC).date()}
        with transaction(self._engine) as session:
            execute(session, _STILL_WANTED, values)


def _seen(inactive: Sequence[Inactivity], at: datetime) -> dict[str, object]:
    return {
        "at": at,
        "ids": [one.subscription_id for one in inactive],
        "engaged": [one.engaged_on for one in inactive],
        "asked": [one.asked_at for one in inactive],
    }
