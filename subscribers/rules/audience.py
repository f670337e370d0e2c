"""Who may be written to: the rule for one subscription, which the database applies to all.

See docs/decisions/audience-view.md.
"""

from subscribers.model import Exclusion, SubscriptionStatus


def exclusion(
    status: SubscriptionStatus, *, suppressed: bool, paused: bool = False
) -> Exclusion | None:
    """Return why a subscription gets no email at all; None when it may be written to.

    The specification of the view `audience` (`subscribers.db.tables`), which production reads.
    """
    if suppressed:
        return Exclusion.SUPPRESSED
    if status is SubscriptionStatus.ENDED:
        return Exclusion.ENDED
    return Exclusion.PAUSED if paused else None
