"""Which reason for silence stands when there are several."""

from subscribers.model import SuppressionReason

#: From the lightest to the weightiest: what may be mended, what an operator decided, what the
#: address's owner said.
LADDER = (
    SuppressionReason.INVALID,
    SuppressionReason.BOUNCE,
    SuppressionReason.MANUAL,
    SuppressionReason.COMPLAINT,
)


def weightier(stands: SuppressionReason, said: SuppressionReason) -> bool:
    """Tell whether what is said now replaces the reason that stands; equals leave it alone."""
    return LADDER.index(said) > LADDER.index(stands)
