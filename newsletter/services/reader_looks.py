"""Looking at the letter of one reader: each look is recorded, and a link to it is good for an hour.

The link bears a random ticket, which is one person's: numbers cannot be counted through, and a
colleague to whom it is sent looks for themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from newsletter.core.staff import SignedIn
from newsletter.ports import Clock
from newsletter.services.archive import Archive
from newsletter.stores.staff_tokens import StaffTokenStore, TokenPurpose
from subscribers.model import Subscription

LOOK = timedelta(hours=1)  #: for which a recorded look may be gone back to


@dataclass(eq=False)
class ReaderLooks:
    """Records looks at single readers' letters, and knows whose letter a ticket shows."""

    tokens: StaffTokenStore
    archive: Archive
    new_token: Callable[[], str]
    clock: Clock

    def begin(self, signed_in: SignedIn, subscription: Subscription) -> str:
        """Record a look at this reader's letter; return the ticket that shows it."""
        self.archive.record_look(signed_in.actor, subscription.subscriber_id, "preview")
        ticket, expires_at = self.new_token(), self.clock.now() + LOOK
        detail = {"subscription": subscription.id}
        purpose, staff_id = TokenPurpose.LOOK, signed_in.member.id
        self.tokens.add(ticket, purpose, staff_id, expires_at=expires_at, detail=detail)
        return ticket

    def subscription_id(self, signed_in: SignedIn, ticket: str) -> int | None:
        """Return whose letter this person has just looked at; None for every other ticket."""
        found = self.tokens.look(ticket, TokenPurpose.LOOK, self.clock.now())
        if found is None or found.staff_id != signed_in.member.id:
            return None
        return found.detail["subscription"]
