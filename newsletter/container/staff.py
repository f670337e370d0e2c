"""Staff: their accounts, credentials, sessions and decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.container import seams
from newsletter.container.lists import ListParts

if TYPE_CHECKING:
    from newsletter.ports import IdentityProvider, PasskeyVerifier, PasswordHashes, TotpCodes
    from newsletter.services.api_tokens import ApiTokens
    from newsletter.services.provider_sign_in import ProviderSignIn
    from newsletter.services.repeated_requests import RepeatedRequests
    from newsletter.services.signing_in import SigningIn
    from newsletter.services.staff_accounts import StaffAccounts
    from newsletter.services.staff_credentials import ChangingCredentials
    from newsletter.services.staff_sessions import StaffSessions
    from newsletter.stores.api_tokens import ApiTokenStore
    from newsletter.stores.sign_in_attempts import SignInAttemptStore
    from newsletter.stores.staff import StaffStore
    from newsletter.stores.staff_credentials import StaffCredentialStore
    from newsletter.stores.staff_letters import StaffLetterStore
    from newsletter.stores.staff_sessions import StaffSessionStore
    from newsletter.stores.staff_tokens import FormKeyStore, StaffTokenStore


class StaffParts(ListParts):
    """Staff: their accounts, credentials, sessions and decisions."""

    @cached_property
    def staff_addresses(self) -> Callable[[], Iterable[str]]:
        """The confirmed addresses: of those who accepted their invitation."""

        def confirmed() -> Iterator[str]:
            members = self.staff_accounts.members()
            return (one.email for one in members if one.accepted_at)

        return confirmed

    @cached_property
    def form_keys(self) -> FormKeyStore:
        from newsletter.stores.staff_tokens import FormKeyStore

        return FormKeyStore(self.engine)

    @cached_property
    def sign_in_attempts(self) -> SignInAttemptStore:
        from newsletter.stores.sign_in_attempts import SignInAttemptStore

        return SignInAttemptStore(self.engine)

    @cached_property
    def staff(self) -> StaffStore:
        from newsletter.stores.staff import StaffStore

        return StaffStore(self.engine)

    @cached_property
    def staff_credential_store(self) -> StaffCredentialStore:
        from newsletter.stores.staff_credentials import StaffCredentialStore

        return StaffCredentialStore(self.engine)

    @cached_property
    def staff_letter_store(self) -> StaffLetterStore:
        from newsletter.stores.staff_letters import StaffLetterStore

        return StaffLetterStore(self.engine)

    @cached_property
    def staff_session_store(self) -> StaffSessionStore:
        from newsletter.stores.staff_sessions import StaffSessionStore

        return StaffSessionStore(self.engine)

    @cached_property
    def staff_tokens(self) -> StaffTokenStore:
        from newsletter.stores.staff_tokens import StaffTokenStore

        return StaffTokenStore(self.engine)

    @cached_property
    def staff_sessions(self) -> StaffSessions:
        from newsletter.adapters.clock import new_token
        from newsletter.services.staff_sessions import StaffSessions

        return StaffSessions(self.staff_session_store, self.form_keys, new_token, self.clock)

    @cached_property
    def staff_accounts(self) -> StaffAccounts:
        from newsletter.adapters.clock import new_token
        from newsletter.services.staff_accounts import StaffAccounts

        return StaffAccounts(
            self.staff,
            self.staff_tokens,
            self.sign_in_attempts,
            self.form_keys,
            self.staff_sessions,
            self.decisions,
            newsletters=tuple(self.settings.newsletters),
            new_token=new_token,
            clock=self.clock,
        )

    @cached_property
    def api_token_store(self) -> ApiTokenStore:
        from newsletter.stores.api_tokens import ApiTokenStore

        return ApiTokenStore(self.engine)

    @cached_property
    def api_tokens(self) -> ApiTokens:
        from newsletter.adapters.clock import new_token
        from newsletter.services.api_tokens import ApiTokens

        return ApiTokens(
            self.api_token_store,
            self.decisions,
            newsletters=tuple(n.slug for n in self.settings.newsletters.values() if not n.week_of),
            new_secret=new_token,
            clock=self.clock,
        )

    @cached_property
    def repeated_requests(self) -> RepeatedRequests:
        from newsletter.adapters.sealing import seal, unseal
        from newsletter.services.repeated_requests import RepeatedRequests
        from newsletter.stores.idempotency import IdempotencyStore

        return RepeatedRequests(IdempotencyStore(self.engine), self.clock, seal, unseal)

    @cached_property
    def password_hashes(self) -> PasswordHashes:
        from newsletter.adapters.staff.passwords import Argon2Passwords

        return Argon2Passwords()

    @cached_property
    def totp_codes(self) -> TotpCodes:
        from newsletter.adapters.staff.totp import AuthenticatorCodes

        return AuthenticatorCodes()

    @cached_property
    def passkey_verifier(self) -> PasskeyVerifier:
        from newsletter.adapters.staff.passkeys import WebAuthnPasskeys

        return WebAuthnPasskeys(self.settings.console_url)

    @cached_property
    def staff_credentials(self) -> ChangingCredentials:
        from newsletter.adapters.clock import new_token
        from newsletter.services.staff_credentials import ChangingCredentials

        return ChangingCredentials(
            self.staff_credential_store,
            self.staff_tokens,
            self.decisions,
            self.password_hashes,
            self.totp_codes,
            self.passkey_verifier,
            new_token=new_token,
            clock=self.clock,
        )

    @cached_property
    def signing_in(self) -> SigningIn:
        from newsletter.adapters.clock import new_token
        from newsletter.services.signing_in import SigningIn

        return SigningIn(
            self.staff,
            self.staff_credential_store,
            self.staff_tokens,
            self.sign_in_attempts,
            self.staff_sessions,
            self.decisions,
            self.password_hashes,
            self.totp_codes,
            self.passkey_verifier,
            new_token=new_token,
            clock=self.clock,
        )

    @cached_property
    def identity_provider(self) -> IdentityProvider | None:
        return seams.open_identity_provider(self.settings)

    @cached_property
    def provider_sign_in(self) -> ProviderSignIn:
        from newsletter.adapters.clock import new_token
        from newsletter.services.provider_sign_in import ProviderSignIn

        return ProviderSignIn(
            self.identity_provider,
            self.signing_in,
            self.staff,
            self.staff_credential_store,
            self.staff_tokens,
            self.decisions,
            new_token=new_token,
            clock=self.clock,
        )
