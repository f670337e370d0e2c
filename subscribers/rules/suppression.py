"""Which reason for silence stands when there are several, and what a lifted one leaves behind."""

from collections.abc import Mapping
from datetime import datetime

from subscribers.model import SubscriptionStatus, SuppressionReason

#: From the lightest to the weightiest: what may be mended, what an operator decided, what the
#: address's owner said.
LADDER = (
    SuppressionReason.SOFT_BOUNCE,
    SuppressionReason.INVALID,
    SuppressionReason.BOUNCE,
    SuppressionReason.MANUAL,
    SuppressionReason.UNSUBSCRIBE,
    SuppressionReason.COMPLAINT,
)

#: What the address's owner said: no operator's slip may lift it.
OWNERS_WORD = frozenset({SuppressionReason.UNSUBSCRIBE, SuppressionReason.COMPLAINT})


def weightier(stands: SuppressionReason, said: SuppressionReason) -> bool:
    """Tell whether what is said now replaces the reason that stands; equals leave it alone."""
    return LADDER.index(said) > LADDER.index(stands)


def is_answered(
    said: SuppressionReason, since: datetime, lifts: Mapping[SuppressionReason, datetime]
) -> bool:
    """Tell whether a lift has answered this already: news from before it, and no weightier.

    `lifts` says when each reason was last lifted. Without this, the next look at SendGrid's own
    lists, or an event told twice, would undo what a person decided.
    """
    return any(since <= at and not weightier(reason, said) for reason, at in lifts.items())


def status_after_merge(
    kept: SubscriptionStatus | None, other: SubscriptionStatus, said: SuppressionReason | None
) -> SubscriptionStatus:
    """Return how a subscription stands once another one turned out to be the same person's.

    `kept` is None when only the other has it, and `said` is why the other's address must not be
    written to. A goodbye or a complaint counts, whichever address said it. An operator's word
    keeps what it silenced from moving; a mailbox that is broken does not.
    """
    word = OWNERS_WORD if kept else OWNERS_WORD | {SuppressionReason.MANUAL}
    if SubscriptionStatus.ENDED in (kept, other) or said in word:
        return SubscriptionStatus.ENDED
    return SubscriptionStatus.ACTIVE
