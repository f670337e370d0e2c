"""Which reason for a suppression stands when there are several, and what a lift answers.

See docs/decisions/suppressions-have-weights.md.
"""

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
OWNER_REASONS = frozenset({SuppressionReason.UNSUBSCRIBE, SuppressionReason.COMPLAINT})


def weightier(stands: SuppressionReason, said: SuppressionReason) -> bool:
    """Return whether a new reason replaces the one that stands; equals leave it alone.

    The specification of `WEIGHTIER_WINS` in `subscribers.db.suppressions`.
    """
    return LADDER.index(said) > LADDER.index(stands)


def is_answered(
    said: SuppressionReason, since: datetime, lifts: Mapping[SuppressionReason, datetime]
) -> bool:
    """Return whether a lift has answered this already: it is older, and no weightier.

    `lifts` says when each reason was last lifted. Without this, the next reading of SendGrid's own
    lists, or an event received twice, would undo what a person decided. The specification of
    `answered_by_lift` in `subscribers.db.suppressions`.
    """
    return any(since <= at and not weightier(reason, said) for reason, at in lifts.items())


def status_after_merge(
    kept: SubscriptionStatus | None, other: SubscriptionStatus, reason: SuppressionReason | None
) -> SubscriptionStatus:
    """Return a subscription's status once another one is merged into it.

    `kept` is None when only the other has it, and `reason` is why the other's address must not be
    written to. An unsubscribe or a complaint counts, at whichever address. What an operator
    suppressed does not move; a mailbox that bounces does not prevent it.
    """
    ending = OWNER_REASONS if kept else OWNER_REASONS | {SuppressionReason.MANUAL}
    if SubscriptionStatus.ENDED in (kept, other) or reason in ending:
        return SubscriptionStatus.ENDED
    return SubscriptionStatus.ACTIVE
