"""Takes up what was left behind: by dead workers, by lost answers, by limits that ran out."""

from newsletter.ports import BatchQueue, Clock
from newsletter.services.planning import queue_waiting
from newsletter.services.reconciliation import Reconciling
from newsletter.services.sending_limits import SendingLimits
from newsletter.stores.deliveries import DeliveryStore


class Recovery:
    """Expires leases, enforces the sending limits, reconciles by events, and queues what waits."""

    def __init__(
        self,
        *,
        deliveries: DeliveryStore,
        limits: SendingLimits,
        reconciling: Reconciling,
        queue: BatchQueue,
        clock: Clock,
    ) -> None:
        self._deliveries, self._limits, self._reconciling = deliveries, limits, reconciling
        self._queue, self._clock = queue, clock

    def recover(self) -> int:
        """Recover once; harmless to repeat. Return how many batches became unknown."""
        expired = self._deliveries.expire_leases(self._clock.now())
        self._limits.enforce()
        self._reconciling.by_events()
        queue_waiting(self._deliveries, self._queue)
        return expired
