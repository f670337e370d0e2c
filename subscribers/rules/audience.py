"""Who may be written to: the rule for one subscription, which the database applies to all."""

from subscribers.model import Exclusion, SubscriptionStatus


def exclusion(
    status: SubscriptionStatus, *, suppressed: bool, paused: bool = False
) -> Exclusion | None:
    """Return why a subscription gets no letter at all; None when it may be written to."""
    if suppressed:
        return Exclusion.SUPPRESSED
    if status is SubscriptionStatus.ENDED:
        return Exclusion.ENDED
    return Exclusion.PAUSED if paused else None
