"""Settling unknown batches: by silence, which permits one re-send, or by a person's word."""

from datetime import datetime, timedelta

from newsletter.core.settlement import Ruling, Settlement, UnknownBatch, settle
from newsletter.errors import NotAllowed
from newsletter.ports import Clock, Decisions, UnknownStore

_SILENCE = "settlement by silence"


class Settling:
    """The desk for letters nobody knows the fate of. Events settle theirs as they come in."""

    def __init__(
        self, *, unknowns: UnknownStore, decisions: Decisions, clock: Clock, quiet: timedelta
    ) -> None:
        self._unknowns, self._decisions = unknowns, decisions
        self._clock, self._quiet = clock, quiet
        self._listens_since: datetime | None = None

    def listen(self) -> None:
        """Say that this process hears events from now on; one that hears none knows no silence."""
        self._listens_since = self._clock.now()

    def listed(self) -> tuple[tuple[UnknownBatch, Settlement], ...]:
        """Return every unknown batch, and what silence permits by now."""
        now = self._clock.now()
        return tuple(
            (batch, settle(batch, now=now, quiet_period=self._quiet))
            for batch in self._unknowns.unknown()
        )

    def by_silence(self) -> int:
        """Send again what silence permits; return how many batches that is.

        While nobody listened, events waited at SendGrid's to be posted again: a silence counts
        once this process itself has listened for a quiet period.
        """
        quiet = [batch for batch, found in self.listed() if found is Settlement.RESEND]
        since = self._listens_since
        if since is None or self._clock.now() < since + self._quiet:
            return 0
        return sum(self._decide(b.batch_id, Ruling.RESEND, _SILENCE, "no event") for b in quiet)

    def by_hand(self, batch_id: int, ruling: Ruling, *, actor: str, because: str) -> None:
        """Keep a person's decision; NotAllowed if the batch is not unknown (any more)."""
        if not self._decide(batch_id, ruling, actor, because):
            raise NotAllowed(f"batch {batch_id} is not unknown: there is nothing to settle")

    def _decide(self, batch_id: int, ruling: Ruling, actor: str, because: str) -> bool:
        told = f"settled by {actor}: {because}"
        if not self._unknowns.settle(batch_id, ruling, told):
            return False
        detail = {"ruling": ruling.value, "because": because}
        self._decisions.note(actor, f"batch {batch_id}", "settle", detail)
        return True
