"""Signing in to the console, and confirming later that one is still there.

By passkey, by password and code, by a link from the command line, or (`provider_sign_in`) by the
company's own sign-in: `accepted` ends every road.
What was wrong is said to nobody. See docs/decisions/staff-sign-in.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from newsletter.core.sign_in import (
    CHALLENGE,
    PENDING,
    PasskeyOptions,
    PasswordAccepted,
    SignInAccepted,
    SignInRefused,
    Wait,
    code_key,
)
from newsletter.core.staff import SignedIn, StaffActor, StaffMember
from newsletter.core.staff_password import LONGEST_PASSWORD
from newsletter.errors import NotAllowed
from newsletter.ports import Clock, PasskeyVerifier, PasswordHashes, TotpCodes
from newsletter.services.staff_sessions import StaffSessions
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.sign_in_attempts import SignInAttemptStore
from newsletter.stores.staff import StaffStore
from newsletter.stores.staff_credentials import StaffCredentialStore
from newsletter.stores.staff_tokens import StaffTokenStore, TokenPurpose
from subscribers.signup.model import network_of

T = TypeVar("T")
SignInResult = SignInAccepted | SignInRefused | Wait


@dataclass(eq=False)
class SigningIn:
    """Lets the staff in."""

    staff: StaffStore
    credentials: StaffCredentialStore
    tokens: StaffTokenStore
    attempts: SignInAttemptStore
    sessions: StaffSessions
    decisions: DecisionLog
    passwords: PasswordHashes
    totp: TotpCodes
    passkeys: PasskeyVerifier
    new_token: Callable[[], str]
    clock: Clock

    def by_password(
        self, email: str, password: str, *, address: str
    ) -> PasswordAccepted | SignInRefused | Wait:
        """Check a password; a code is always needed besides."""
        return self.limited(email, address, lambda: self._by_password(email, password))

    def by_code(self, pending: str, code: str, *, address: str, device: str) -> SignInResult:
        """Sign in whoever had the password, with a code of their app or a recovery code."""
        now = self.clock.now()
        found = self.tokens.look(pending, TokenPurpose.PENDING, now)
        member = self._member(found and found.staff_id)
        if member is None:
            return SignInRefused()

        def check() -> SignInAccepted | SignInRefused:
            if not self._is_code(member, code):
                return SignInRefused()
            if self.tokens.take(pending, TokenPurpose.PENDING, now) is None:
                return SignInRefused()
            return self.accepted(member, "password", address=address, device=device)

        return self.limited(member.email, address, check)

    def by_link(self, token: str, *, address: str, device: str) -> SignInResult:
        """Sign in with a link that the command line printed."""
        found = self.tokens.take(token, TokenPurpose.LINK, self.clock.now())
        member = self._member(found and found.staff_id)
        if member is None:
            return SignInRefused()
        return self.accepted(member, "link", address=address, device=device)

    def passkey_options(self) -> PasskeyOptions:
        """Return what a browser is asked for, whoever is in front of it."""
        return self._options(None)

    def by_passkey(self, ticket: str, response: str, *, address: str, device: str) -> SignInResult:
        """Sign in with a browser's answer to the options that came with this ticket."""
        member = self._passkey_owner(ticket, response)
        if member is None:
            return SignInRefused()
        return self.accepted(member, "passkey", address=address, device=device)

    def confirm_options(self, signed_in: SignedIn) -> PasskeyOptions:
        """Return what the browser of somebody signed in is asked for."""
        return self._options(signed_in.member.id)

    def confirm_by_passkey(
        self, signed_in: SignedIn, token: str, ticket: str, response: str
    ) -> SignInResult:
        """Make a session fresh, under a new token, by one of its person's passkeys."""
        member = self._passkey_owner(ticket, response)
        if member is None or member.id != signed_in.member.id:
            return SignInRefused()
        return self.confirmed(signed_in, token, "passkey")

    def confirm_by_password(
        self, signed_in: SignedIn, token: str, password: str, code: str, *, address: str
    ) -> SignInResult:
        """Make a session fresh, under a new token, by password and code."""
        member = signed_in.member

        def check() -> SignInAccepted | SignInRefused:
            if not self._is_password(member, password) or not self._is_code(member, code):
                return SignInRefused()
            return self.confirmed(signed_in, token, "password")

        return self.limited(member.email, address, check)

    def limited(self, email: str, address: str, check: Callable[[], T]) -> T | Wait:
        """Return what `check` returns; unless that is a refusal, the attempt does not count."""
        network = network_of(address) or address
        attempt = self.attempts.begin(email, network, self.clock.now())
        if isinstance(attempt, Wait):
            return attempt
        result = check()
        if not isinstance(result, SignInRefused):
            self.attempts.succeeded(attempt)
        return result

    def _by_password(self, email: str, password: str) -> PasswordAccepted | SignInRefused:
        member = self.staff.by_email(email)
        if not self._is_password(member, password) or member is None:
            return SignInRefused()
        pending, expires_at = self.new_token(), self.clock.now() + PENDING
        self.tokens.add(pending, TokenPurpose.PENDING, member.id, expires_at=expires_at)
        return PasswordAccepted(pending=pending)

    def _is_password(self, member: StaffMember | None, password: str) -> bool:
        """Compare the password, at the same cost whoever there is; alone it opens nothing."""
        usable = member is not None and member.accepted_at and len(password) <= LONGEST_PASSWORD
        hashed = self.credentials.password_hash(member.id) if member and usable else None
        second = self.credentials.totp_secret(member.id) if member and usable else None
        return self.passwords.verify(password[:LONGEST_PASSWORD], hashed if second else None)

    def _is_code(self, member: StaffMember, code: str) -> bool:
        """Use up a code of the app or a recovery code; False if it is neither, or was used."""
        typed = code_key(code)
        secret = self.credentials.totp_secret(member.id)
        if secret is None:
            return False
        step = self.totp.step_of(secret, typed, self.clock.now())
        if step is not None:
            return self.credentials.use_step(member.id, secret, step)
        if not self.credentials.use_recovery_code(member.id, typed):
            return False
        actor = StaffActor(member.email, staff_id=member.id)
        self.decisions.record(actor, f"staff {member.id}", "used a recovery code", {})
        return True

    def _options(self, staff_id: int | None) -> PasskeyOptions:
        ticket, challenge = self.new_token(), self.new_token()
        allowed = () if staff_id is None else self.credentials.credential_ids(staff_id)
        self.tokens.add(
            ticket,
            TokenPurpose.PASSKEY,
            staff_id,
            expires_at=self.clock.now() + CHALLENGE,
            detail={"challenge": challenge},
        )
        options = self.passkeys.authentication(allowed, challenge.encode())
        return PasskeyOptions(ticket=ticket, options=options)

    def _passkey_owner(self, ticket: str, response: str) -> StaffMember | None:
        """Return whose passkey answered; its challenge is used up, whatever the answer."""
        now = self.clock.now()
        asked = self.tokens.take(ticket, TokenPurpose.PASSKEY, now)
        credential_id = self.passkeys.credential_id(response)
        known = self.credentials.passkey(credential_id) if credential_id else None
        if asked is None or known is None:
            return None
        staff_id, material = known
        challenge = asked.detail["challenge"].encode()
        count = self.passkeys.sign_count(response, challenge, material)
        if count is None or asked.staff_id not in (None, staff_id):
            return None
        member = self._member(staff_id)  # before the use: a change after this voids the sign-in
        used = self.credentials.passkey_used(material.credential_id, count, now)
        return member if used else None

    def _member(self, staff_id: int | None) -> StaffMember | None:
        member = None if staff_id is None else self.staff.member(staff_id)
        return member if member and member.accepted_at else None

    def accepted(
        self,
        member: StaffMember,
        by: str,
        *,
        address: str,
        device: str,
        fresh_at: datetime | None = None,
    ) -> SignInAccepted | SignInRefused:
        """Sign in whoever has shown who they are; dangerous things may be done since `fresh_at`."""
        begun: dict[str, Any] = {"address": address, "device": device, "fresh_at": fresh_at}
        try:
            token = self.sessions.start(member, **begun)
        except NotAllowed:
            return SignInRefused()
        self.attempts.clear(member.email)
        if signed_in := self.sessions.find(token, self.clock.now()):
            detail = {"by": by}
            self.decisions.record(signed_in.actor, f"staff {member.id}", "signed in", detail)
        return SignInAccepted(token=token, member=member)

    def confirmed(self, signed_in: SignedIn, token: str, by: str) -> SignInAccepted:
        """Make a session fresh, under a new token, once its person has shown who they are."""
        renewed = self.sessions.confirm(token)
        self.attempts.clear(signed_in.member.email)
        subject = f"staff {signed_in.member.id}"
        self.decisions.record(signed_in.actor, subject, "confirmed", {"by": by})
        return SignInAccepted(token=renewed, member=signed_in.member)
