"""Signing in at the company's own identity provider (OpenID Connect), and confirming there.

A browser leaves with a ticket that only it has, and comes back with a code that the provider gave
it; both are good once. Nobody gets an account by signing in: the provider's account is linked to
the person whose invited address it has confirmed, and from then on the link counts, whatever
addresses become of. See docs/decisions/sign-in-at-a-provider.md.
"""

import hmac
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from newsletter.core.sign_in import (
    AT_PROVIDER,
    CLOCKS_APART,
    NOT_ASKED_AGAIN,
    NOT_INVITED,
    ProviderIdentity,
    ProviderRequest,
    ProviderSecrets,
    SignInAccepted,
    SignInRefused,
)
from newsletter.core.staff import FRESH, LONGEST, SignedIn, StaffActor, StaffMember
from newsletter.errors import NotFound
from newsletter.ports import Clock, IdentityProvider
from newsletter.services.signing_in import SigningIn, SignInResult
from newsletter.services.staff_accounts import NAME_LENGTH
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.staff import StaffStore
from newsletter.stores.staff_credentials import StaffCredentialStore
from newsletter.stores.staff_tokens import StaffToken, StaffTokenStore, TokenPurpose

_BY = "provider"  #: as the log names it


@dataclass(frozen=True, kw_only=True)
class ProviderAnswer:
    """What a browser brings back: its ticket, and what the provider put in the address."""

    ticket: str
    state: str
    code: str
    issuer: str = ""  #: where the provider names itself (RFC 9207)


@dataclass(eq=False)
class ProviderSignIn:
    """Lets the staff in by the company's own sign-in."""

    provider: IdentityProvider | None  #: None: none is configured
    signing_in: SigningIn
    staff: StaffStore
    credentials: StaffCredentialStore
    tokens: StaffTokenStore
    decisions: DecisionLog
    new_token: Callable[[], str]
    clock: Clock

    def request(self, then: str) -> ProviderRequest:
        """Return where to sign in; whoever did so within a session's longest time is not asked."""
        return self._request(TokenPurpose.PROVIDER, None, then)

    def confirm_request(self, signed_in: SignedIn, then: str) -> ProviderRequest:
        """Return where somebody signed in shows that they are still there."""
        return self._request(TokenPurpose.CONFIRM_AT_PROVIDER, signed_in.member.id, then)

    def accept(
        self, answer: ProviderAnswer, *, address: str, device: str
    ) -> tuple[SignInResult, str]:
        """Sign in whom the provider signed in, and return where they were going."""
        asked = self._take(answer, TokenPurpose.PROVIDER)

        def check() -> SignInAccepted | SignInRefused:
            identity = asked and self._identity(answer, asked)
            if identity is None:
                return SignInRefused()
            return self._sign_in(identity, address=address, device=device)

        result = self.signing_in.limited(answer.ticket, address, check)
        return result, asked.detail["then"] if asked else "/"

    def confirm(
        self, signed_in: SignedIn, token: str, answer: ProviderAnswer
    ) -> tuple[SignInResult, str]:
        """Make a session fresh, if the provider has just asked the same person again."""
        asked = self._take(answer, TokenPurpose.CONFIRM_AT_PROVIDER)
        if asked is None or asked.staff_id != signed_in.member.id:
            return SignInRefused(), "/"
        then: str = asked.detail["then"]
        identity = self._identity(answer, asked)
        if identity is None or self._owner(identity) != signed_in.member.id:
            return SignInRefused(), then
        earliest = datetime.fromisoformat(asked.detail["at"]) - CLOCKS_APART
        if identity.authenticated_at is None or identity.authenticated_at < earliest:
            return SignInRefused(sentence=NOT_ASKED_AGAIN), then
        return self.signing_in.confirmed(signed_in, token, _BY), then

    def _request(self, purpose: TokenPurpose, staff_id: int | None, then: str) -> ProviderRequest:
        now, ticket = self.clock.now(), self.new_token()
        secrets = ProviderSecrets(
            state=self.new_token(), nonce=self.new_token(), verifier=self.new_token()
        )
        again = purpose is TokenPurpose.CONFIRM_AT_PROVIDER
        url = self._provider().address(secrets, longest=LONGEST, again=again)
        detail = asdict(secrets) | {"then": then, "at": now.isoformat()}
        self.tokens.add(ticket, purpose, staff_id, expires_at=now + AT_PROVIDER, detail=detail)
        return ProviderRequest(url=url, ticket=ticket)

    def _take(self, answer: ProviderAnswer, purpose: TokenPurpose) -> StaffToken | None:
        """Use up the ticket; None if it is not good, or the answer is to another request.

        Whoever makes a browser bring back somebody else's answer does not use up its ticket.
        """
        now = self.clock.now()
        found = self.tokens.look(answer.ticket, purpose, now)
        if found is None or not hmac.compare_digest(
            found.detail["state"].encode(), answer.state.encode()
        ):
            return None
        return self.tokens.take(answer.ticket, purpose, now)

    def _identity(self, answer: ProviderAnswer, asked: StaffToken) -> ProviderIdentity | None:
        provider = self._provider()
        if answer.issuer not in ("", provider.issuer):
            return None
        names = ("state", "nonce", "verifier")
        secrets = ProviderSecrets(**{name: asked.detail[name] for name in names})
        return provider.identity(answer.code, secrets, self.clock.now())

    def _sign_in(
        self, identity: ProviderIdentity, *, address: str, device: str
    ) -> SignInAccepted | SignInRefused:
        now = self.clock.now()
        member = self._member(identity, now)
        if member is None:
            return SignInRefused(sentence=NOT_INVITED)
        since = identity.authenticated_at
        if since and since < now - LONGEST - CLOCKS_APART:
            return SignInRefused(sentence=NOT_ASKED_AGAIN)
        return self.signing_in.accepted(
            member, _BY, address=address, device=device, fresh_at=since or now - FRESH
        )

    def _owner(self, identity: ProviderIdentity) -> int | None:
        return self.credentials.identity_owner(identity.issuer, identity.subject)

    def _member(self, identity: ProviderIdentity, now: datetime) -> StaffMember | None:
        """Return whom this account signs in: at first, whoever was invited by its address."""
        owner = self._owner(identity)
        if owner is not None:
            member = self.staff.member(owner)
            return member if member and member.accepted_at else None
        member = self.staff.by_email(identity.email) if identity.email else None
        if member is None or not self.credentials.link_identity(
            member.id, identity.issuer, identity.subject, now
        ):
            return None
        actor, subject = StaffActor(member.email, staff_id=member.id), f"staff {member.id}"
        self.decisions.record(actor, subject, "provider linked", {"issuer": identity.issuer})
        if member.accepted_at is None and self.staff.accept(member.id, _name(identity), now):
            self.decisions.record(actor, subject, "accepted", {})
        return self.staff.member(member.id)

    def _provider(self) -> IdentityProvider:
        if self.provider is None:
            raise NotFound("no identity provider is configured")
        return self.provider


def _name(identity: ProviderIdentity) -> str:
    return " ".join(identity.name.split())[:NAME_LENGTH]
