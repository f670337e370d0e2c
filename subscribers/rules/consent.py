"""What each act does to a subscription. Only its own subscriber undoes an unsubscribe."""

from collections.abc import Mapping

from subscribers.model import ConsentAct, SubscriptionStatus

_ACTIVE, _ENDED = SubscriptionStatus.ACTIVE, SubscriptionStatus.ENDED

#: From which status an act moves a subscription, and to which; any other status stays as it is.
#: Who confirms has shown that the address is theirs: that undoes an unsubscribe, as resuming does.
MOVES: Mapping[ConsentAct, Mapping[SubscriptionStatus, SubscriptionStatus]] = {
    ConsentAct.REQUESTED: {},
    ConsentAct.IMPORTED: {},
    ConsentAct.CONFIRMED: {_ENDED: _ACTIVE},
    ConsentAct.CHOSE: {},
    ConsentAct.WITHDRAWN: {_ACTIVE: _ENDED},
    ConsentAct.RESUMED: {_ENDED: _ACTIVE},
}


def status_after(status: SubscriptionStatus, act: ConsentAct) -> SubscriptionStatus:
    """Return a subscription's status after the act; repeating an act changes nothing more.

    The specification of `_APPLY` in `subscribers.db.consent`.
    """
    return MOVES[act].get(status, status)
