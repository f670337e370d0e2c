"""What each act does to a subscription. Only its own subscriber takes a goodbye back."""

from collections.abc import Mapping

from subscribers.model import ConsentAct, SubscriptionStatus

_ACTIVE, _ENDED, _PENDING = (
    SubscriptionStatus.ACTIVE,
    SubscriptionStatus.ENDED,
    SubscriptionStatus.PENDING,
)

#: From which status an act moves a subscription, and to which; any other status stays as it is.
MOVES: Mapping[ConsentAct, Mapping[SubscriptionStatus, SubscriptionStatus]] = {
    ConsentAct.IMPORTED: {_PENDING: _ACTIVE},
    ConsentAct.CONFIRMED: {_PENDING: _ACTIVE},
    ConsentAct.CHOSE: {},
    ConsentAct.WITHDRAWN: {_PENDING: _ENDED, _ACTIVE: _ENDED},
    ConsentAct.RESUMED: {_ENDED: _ACTIVE},
}


def status_after(status: SubscriptionStatus, act: ConsentAct) -> SubscriptionStatus:
    """Return how a subscription stands after the act; repeating an act changes nothing more."""
    return MOVES[act].get(status, status)
