"""What each act does to a subscription. Only its own subscriber takes a goodbye back."""

from collections.abc import Mapping

from subscribers.model import ConsentAct, SubscriptionStatus

_ACTIVE, _ENDED = SubscriptionStatus.ACTIVE, SubscriptionStatus.ENDED

#: From which status an act moves a subscription, and to which; any other status stays as it is.
#: Who confirms has shown that the address is theirs: that takes a goodbye back, as resuming does.
MOVES: Mapping[ConsentAct, Mapping[SubscriptionStatus, SubscriptionStatus]] = {
    ConsentAct.REQUESTED: {},
    ConsentAct.IMPORTED: {},
    ConsentAct.CONFIRMED: {_ENDED: _ACTIVE},
    ConsentAct.CHOSE: {},
    ConsentAct.WITHDRAWN: {_ACTIVE: _ENDED},
    ConsentAct.RESUMED: {_ENDED: _ACTIVE},
}


def status_after(status: SubscriptionStatus, act: ConsentAct) -> SubscriptionStatus:
    """Return how a subscription stands after the act; repeating an act changes nothing more."""
    return MOVES[act].get(status, status)
