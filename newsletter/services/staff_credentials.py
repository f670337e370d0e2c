"""What somebody signed in changes about their own ways to sign in; every change ends the others.

Each needs a fresh session, and voids what was begun with a former credential.
"""

from collections.abc import Callable
from dataclasses import dataclass

from newsletter.core.sign_in import (
    CHALLENGE,
    RECOVERY_CODES,
    PasskeyOptions,
    StaffCredentials,
    TotpEnrolment,
    code_key,
    shown_code,
)
from newsletter.core.staff import SignedIn
from newsletter.core.staff_password import password_fault
from newsletter.errors import ConfirmationNeeded, NotAllowed
from newsletter.ports import Clock, PasskeyVerifier, PasswordHashes, TotpCodes
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.staff_credentials import StaffCredentialStore
from newsletter.stores.staff_tokens import StaffTokenStore, TokenPurpose

_ISSUER = "Newsletter console"
_NAME_LENGTH = 60


@dataclass(eq=False)
class ChangingCredentials:
    """Changes the passwords, apps, passkeys and recovery codes of whoever is signed in."""

    credentials: StaffCredentialStore
    tokens: StaffTokenStore
    decisions: DecisionLog
    passwords: PasswordHashes
    totp: TotpCodes
    passkeys: PasskeyVerifier
    new_token: Callable[[], str]
    clock: Clock

    def of(self, signed_in: SignedIn) -> StaffCredentials:
        """Return which ways to sign in this person has."""
        return self.credentials.of(signed_in.member.id)

    def set_password(self, signed_in: SignedIn, password: str) -> str | None:
        """Set the password, which counts together with an app; return why not, if it is refused."""
        self._check(signed_in)
        member = signed_in.member
        if fault := password_fault(password, email=member.email, name=member.name):
            return fault
        self.credentials.set_password(member.id, self.passwords.hash(password))
        self._changed(signed_in, "password changed")
        return None

    def offer_totp(self, signed_in: SignedIn) -> TotpEnrolment:
        """Return a secret for an authenticator app, which counts once a code of it is entered."""
        self._check(signed_in)
        secret = self.totp.new_secret()
        self.credentials.offer_totp(signed_in.member.id, secret)
        return self._enrolment(signed_in, secret)

    def totp_offered(self, signed_in: SignedIn) -> TotpEnrolment | None:
        """Return the secret that was offered and is not confirmed yet; None if there is none."""
        self._check(signed_in)
        secret = self.credentials.totp_offered(signed_in.member.id)
        return self._enrolment(signed_in, secret) if secret else None

    def confirm_totp(self, signed_in: SignedIn, code: str) -> tuple[str, ...] | None:
        """Use the app from now on and return new recovery codes; None if the code is wrong."""
        self._check(signed_in)
        member_id = signed_in.member.id
        secret = self.credentials.totp_offered(member_id)
        step = secret and self.totp.step_of(secret, code_key(code), self.clock.now())
        if not secret or not isinstance(step, int):
            return None
        if not self.credentials.confirm_totp(member_id, secret, step):
            return None
        codes = self._new_codes(member_id)
        self._changed(signed_in, "authenticator app added")
        return codes

    def remove_totp(self, signed_in: SignedIn) -> None:
        """Remove the app with its recovery codes; NotAllowed without a passkey to sign in with."""
        self._check(signed_in)
        if not (ways := self.of(signed_in)).passkeys and not ways.identity:
            raise NotAllowed(_ONLY_WAY)
        self.credentials.remove_totp(signed_in.member.id)
        self._changed(signed_in, "authenticator app removed")

    def renew_recovery_codes(self, signed_in: SignedIn) -> tuple[str, ...]:
        """Return ten new recovery codes, shown this once; the former ones are void."""
        self._check(signed_in)
        codes = self._new_codes(signed_in.member.id)
        self._changed(signed_in, "recovery codes renewed")
        return codes

    def passkey_options(self, signed_in: SignedIn) -> PasskeyOptions:
        """Return what the browser needs to make a passkey."""
        self._check(signed_in)
        member, ticket, challenge = signed_in.member, self.new_token(), self.new_token()
        self.tokens.add(
            ticket,
            TokenPurpose.ADD_PASSKEY,
            member.id,
            expires_at=self.clock.now() + CHALLENGE,
            detail={"challenge": challenge},
        )
        existing = self.credentials.credential_ids(member.id)
        options = self.passkeys.registration(member, existing, challenge.encode())
        return PasskeyOptions(ticket=ticket, options=options)

    def add_passkey(self, signed_in: SignedIn, ticket: str, response: str, name: str) -> bool:
        """Register the passkey a browser made; False if its answer does not hold."""
        self._check(signed_in)
        now, member_id = self.clock.now(), signed_in.member.id
        asked = self.tokens.take(ticket, TokenPurpose.ADD_PASSKEY, now)
        if asked is None or asked.staff_id != member_id:
            return False
        made = self.passkeys.registered(response, asked.detail["challenge"].encode())
        called = " ".join(name.split())[:_NAME_LENGTH] or "passkey"
        if made is None or not self.credentials.add_passkey(member_id, made, called, now):
            return False
        self._changed(signed_in, "passkey added", name=called)
        return True

    def remove_passkey(self, signed_in: SignedIn, passkey_id: int) -> bool:
        """Remove one's own passkey; False if there is none like it, NotAllowed if it is needed."""
        self._check(signed_in)
        ways = self.of(signed_in)
        if len(ways.passkeys) == 1 and not (ways.paired or ways.identity):
            raise NotAllowed(_ONLY_WAY)
        if not self.credentials.remove_passkey(signed_in.member.id, passkey_id):
            return False
        [name] = [one.name for one in ways.passkeys if one.id == passkey_id]
        self._changed(signed_in, "passkey removed", name=name)
        return True

    def unlink_provider(self, signed_in: SignedIn) -> bool:
        """Unlink the account at the provider; False if none is linked, NotAllowed if it is needed.

        The next sign-in there links the account that has the person's address then.
        """
        self._check(signed_in)
        ways = self.of(signed_in)
        if not (ways.passkeys or ways.paired):
            raise NotAllowed(_ONLY_WAY)
        if ways.identity is None or not self.credentials.unlink_identity(signed_in.member.id):
            return False
        self._changed(signed_in, "provider unlinked", issuer=ways.identity.issuer)
        return True

    def _enrolment(self, signed_in: SignedIn, secret: str) -> TotpEnrolment:
        picture = self.totp.qr_svg(secret, signed_in.member.email, _ISSUER)
        return TotpEnrolment(secret=secret, qr_svg=picture)

    def _new_codes(self, member_id: int) -> tuple[str, ...]:
        codes = [shown_code(self.new_token()) for _ in range(RECOVERY_CODES)]
        self.credentials.set_recovery_codes(member_id, map(code_key, codes))
        return tuple(codes)

    def _check(self, signed_in: SignedIn) -> None:
        if not signed_in.is_fresh(self.clock.now()):
            raise ConfirmationNeeded

    def _changed(self, signed_in: SignedIn, verb: str, **detail: str) -> None:
        self.credentials.changed(signed_in.member.id, but=signed_in.id)
        subject = f"staff {signed_in.member.id}"
        self.decisions.record(signed_in.actor, subject, verb, detail)


_ONLY_WAY = "this is your only way to sign in: add another one first"
