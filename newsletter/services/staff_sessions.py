"""Sessions at the console: however somebody signs in, `StaffSessions.start` makes the session."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.core.staff import SignedIn, StaffMember
from newsletter.errors import NotAllowed
from newsletter.ports import Clock
from newsletter.stores.staff_sessions import StaffSessionStore
from newsletter.stores.staff_tokens import FormKeyStore

_DEVICE_LENGTH = 200  #: of what a browser says of itself


@dataclass(eq=False)
class StaffSessions:
    """Starts, finds, confirms and ends sessions."""

    store: StaffSessionStore
    forms: FormKeyStore
    new_token: Callable[[], str]
    clock: Clock

    def start(
        self, member: StaffMember, *, address: str, device: str, fresh_at: datetime | None = None
    ) -> str:
        """Start a session and return its token; it is fresh from now, or since `fresh_at`.

        NotAllowed for whoever was removed, or had a credential changed, since they were looked up.
        """
        token, now = self.new_token(), self.clock.now()
        begun: dict[str, Any] = {"now": now, "fresh_at": min(fresh_at or now, now)}
        begun |= {"address": address, "device": " ".join(device.split())[:_DEVICE_LENGTH]}
        if self.store.start(member, token, **begun) is None:
            raise NotAllowed("this person may not sign in")
        return token

    def find(self, token: str, now: datetime) -> SignedIn | None:
        """Return the session, which counts as used now; None if it is over."""
        return self.store.find(token, now)

    def confirm(self, token: str) -> str:
        """Return the session's new token; it is fresh from now on. The old one is void.

        Whoever calls this has made sure that the person is still the same.
        """
        renewed = self.new_token()
        if not self.store.renew(token, renewed, self.clock.now()):
            raise NotAllowed("this session is over: sign in again")
        return renewed

    def spend(self, signed_in: SignedIn) -> None:
        """Use a confirmation up: the next approval from a phone asks for another one."""
        self.store.spend(signed_in.id)

    def listed(self, member_id: int) -> tuple[SignedIn, ...]:
        """Return a person's sessions, the latest used first."""
        return self.store.of(member_id, self.clock.now())

    def end(self, token: str) -> None:
        self.store.end(token)

    def end_one(self, member_id: int, session_id: int) -> bool:
        """End one of this person's sessions; False if there is no such one."""
        return self.store.end_one(member_id, session_id)

    def end_all(self, member_id: int, *, but: int | None = None) -> int:
        """End all sessions of a person, perhaps but one; return how many ended."""
        return self.store.end_all(member_id, but=but)

    def once(self, signed_in: SignedIn, form_key: str, act: Callable[[], str]) -> str:
        """Return the location that `act` returns; for a form posted again, the first answer.

        The form bears a random key. If `act` raises, the form may be posted again.
        """
        return self.forms.once(signed_in.id, form_key, act, self.clock.now())
