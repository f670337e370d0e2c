"""The company's own sign-in by OpenID Connect: authlib, which the extra `oidc` installs.

Authorization code with PKCE, state and nonce; the ID token is verified against the provider's
published keys (OpenID Connect Core 1.0, 3.1.3.7). Only algorithms with a key pair count: the
client's secret signs nothing, and no token goes unsigned. The answers of the provider are read
where the operator's settings say, on whatever network: the guard of the sources is not for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from newsletter.core.sign_in import CLOCKS_APART, ProviderIdentity, ProviderSecrets
from newsletter.errors import ProviderUnavailable

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "Ed25519")
_SECONDS = 10  #: for each request; nobody waits longer at a sign-in
_REMEMBERED = 600  #: seconds for which the provider's description of itself is not asked for anew
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class OidcClient:
    """The console as the provider knows it."""

    issuer: str
    client_id: str
    secret: str | None  #: None: a public client, which PKCE alone protects
    redirect_uri: str


class OidcProvider:
    """One provider, found by its discovery document."""

    def __init__(self, client: OidcClient) -> None:
        self.issuer, self._client = client.issuer, client
        self._lock = Lock()
        self._known: tuple[float, dict[str, Any]] = (0.0, {})

    def address(self, secrets: ProviderSecrets, *, longest: timedelta, again: bool) -> str:
        """Return the authorization request; `again` asks even whoever has just signed in."""
        metadata = self._metadata()
        asked = {"max_age": 0, "prompt": "login"} if again else {"max_age": _seconds(longest)}
        with self._session(metadata) as session:
            url, _ = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=secrets.state,
                nonce=secrets.nonce,
                code_verifier=secrets.verifier,
                **asked,
            )
        return url

    def identity(
        self, code: str, secrets: ProviderSecrets, now: datetime
    ) -> ProviderIdentity | None:
        """Redeem the code and verify the ID token; ProviderUnavailable if nothing answers."""
        metadata = self._metadata()
        try:
            with self._session(metadata) as session:
                answer = _redeemed(session, metadata, code, secrets)
                keys = _json(session, metadata["jwks_uri"])
            claims = _Claims(metadata["issuer"], self._client.client_id, secrets.nonce)
            return _identity(claims.verified(answer, keys, now))
        except requests.RequestException as error:
            raise ProviderUnavailable(_sentence(self.issuer, error)) from None
        except (AuthlibBaseError, JoseError, ValueError, TypeError, KeyError):
            return None  # whatever was wrong with it

    def obstacle(self) -> str | None:
        """Return why nobody could sign in; it asks the provider anew."""
        self._known = (0.0, {})
        try:
            with self._session({}) as session:
                keys = KeySet.import_key_set(_json(session, self._metadata()["jwks_uri"]))
        except ProviderUnavailable as error:
            return str(error)
        except (requests.RequestException, JoseError, ValueError, TypeError, KeyError):
            return f"{self.issuer} publishes no keys that can be read"
        return None if keys.keys else f"{self.issuer} publishes no keys"

    def _metadata(self) -> dict[str, Any]:
        """Return the discovery document, asked for by one at a time and remembered for a while."""
        with self._lock:
            asked_at, known = self._known
            if not known or monotonic() - asked_at > _REMEMBERED:
                self._known = (monotonic(), known := self._discovered())
            return known

    def _discovered(self) -> dict[str, Any]:
        url = f"{self.issuer}/.well-known/openid-configuration"
        try:
            with self._session({}) as session:
                found = _json(session, url)
        except (requests.RequestException, ValueError, TypeError) as error:
            raise ProviderUnavailable(_sentence(self.issuer, error)) from None
        if str(found.get("issuer")).rstrip("/") != self.issuer:
            raise ProviderUnavailable(f"{url} is another issuer's: {found.get('issuer')}")
        for name in _ENDPOINTS:
            if not self._is_private(found.get(name)):
                raise ProviderUnavailable(f"{url}: {name}: there is no https address")
        return found

    def _is_private(self, url: object) -> bool:
        """Return whether nobody between could read it: https, or all of it on this machine."""
        parts, issuer = urlsplit(url if isinstance(url, str) else ""), urlsplit(self.issuer)
        local = {parts.hostname, issuer.hostname} <= _LOOPBACK
        return bool(parts.hostname) and (parts.scheme == "https" or local)

    def _session(self, metadata: Mapping[str, Any]) -> Any:
        """Return authlib's client, whose methods have no types."""
        client = self._client
        known = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = "client_secret_basic" in known
        method = "client_secret_basic" if basic else "client_secret_post"
        return OAuth2Session(
            client.client_id,
            client.secret,
            token_endpoint_auth_method=method if client.secret else "none",
            scope="openid email profile",
            redirect_uri=client.redirect_uri,
            code_challenge_method="S256",
            default_timeout=_SECONDS,
        )


def _redeemed(
    session: Any, metadata: Mapping[str, Any], code: str, secrets: ProviderSecrets
) -> Any:
    return session.fetch_token(
        metadata["token_endpoint"],
        grant_type="authorization_code",
        code=code,
        code_verifier=secrets.verifier,
        allow_redirects=False,
    )


def _json(session: Any, url: str) -> Any:
    """Return what a JSON object holds; an error of requests' or a ValueError if there is none."""
    answer = session.get(url, withhold_token=True, allow_redirects=False)
    answer.raise_for_status()
    return dict[str, Any](answer.json())


@dataclass(frozen=True)
class _Claims:
    """What an ID token must say."""

    issuer: str  #: as the provider writes it, perhaps with a slash at its end
    client_id: str
    nonce: str

    def verified(self, answer: Mapping[str, Any], keys: Any, now: datetime) -> Mapping[str, Any]:
        """Return the token's claims; an error of authlib's or joserfc's if anything is wrong."""
        key_set = KeySet.import_key_set(keys)
        token = jwt.decode(answer["id_token"], key_set, algorithms=_ALGORITHMS)
        required = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
        }
        ours = {"client_id": self.client_id, "nonce": self.nonce}
        ours["access_token"] = answer.get("access_token", "")
        claims: Any = CodeIDToken(token.claims, token.header, required, ours)
        claims.validate(now=int(now.timestamp()), leeway=_seconds(CLOCKS_APART))
        return claims


def _identity(claims: Mapping[str, Any]) -> ProviderIdentity:
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise ValueError("its subject is no text")
    verified, since = claims.get("email_verified") in (True, "true"), claims.get("auth_time")
    return ProviderIdentity(
        issuer=str(claims["iss"]).rstrip("/"),
        subject=claims["sub"],
        email=str(claims.get("email") or "") if verified else "",
        name=str(claims.get("name") or ""),
        authenticated_at=datetime.fromtimestamp(since, UTC) if since else None,
    )


def _sentence(issuer: str, error: Exception) -> str:
    reason = (
        "took too long" if isinstance(error, requests.Timeout) else "does not answer as it must"
    )
    return f"{issuer} {reason}"


def _seconds(time: timedelta) -> int:
    return int(time.total_seconds())
