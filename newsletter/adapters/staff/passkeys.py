"""Passkeys: WebAuthn by the library of that name."""

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from newsletter.core.sign_in import PasskeyMaterial
from newsletter.core.staff import StaffMember

_NAME = "Newsletter console"

#: A passkey is both factors, so whoever holds it must show who they are.
_VERIFIED = UserVerificationRequirement.REQUIRED


class WebAuthnPasskeys:
    """Makes options for browsers, and verifies their answers, for one origin."""

    def __init__(self, console_url: str) -> None:
        self._origin = console_url
        self._host = urlsplit(console_url).hostname or ""

    def registration(self, member: StaffMember, existing: Iterable[bytes], challenge: bytes) -> str:
        """Return the options with which a browser makes a passkey, as JSON."""
        return options_to_json(
            webauthn.generate_registration_options(
                rp_id=self._host,
                rp_name=_NAME,
                user_id=f"staff-{member.id}".encode(),
                user_name=member.email,
                user_display_name=member.name or member.email,
                challenge=challenge,
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
                ),
                exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in existing],
            )
        )

    def authentication(self, allowed: Iterable[bytes], challenge: bytes) -> str:
        """Return the options with which a browser signs, as JSON; any passkey if none is named."""
        return options_to_json(
            webauthn.generate_authentication_options(
                rp_id=self._host,
                challenge=challenge,
                allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in allowed],
                user_verification=_VERIFIED,
            )
        )

    def registered(self, response: str, challenge: bytes) -> PasskeyMaterial | None:
        """Return the passkey that a browser made; None if the answer does not hold."""
        try:
            found = webauthn.verify_registration_response(
                credential=response,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            return None
        return PasskeyMaterial(
            credential_id=found.credential_id,
            public_key=found.credential_public_key,
            sign_count=found.sign_count,
        )

    def credential_id(self, response: str) -> bytes | None:
        """Return which passkey an answer names; None if it names none."""
        try:
            return base64url_to_bytes(json.loads(response)["id"]) or None
        except (ValueError, LookupError, TypeError, AttributeError):
            return None

    def sign_count(self, response: str, challenge: bytes, known: PasskeyMaterial) -> int | None:
        """Return the passkey's new count; None if its signature does not hold."""
        try:
            found = webauthn.verify_authentication_response(
                credential=response,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=known.public_key,
                credential_current_sign_count=known.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            return None
        return found.new_sign_count
