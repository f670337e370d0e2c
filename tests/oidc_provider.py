"""An identity provider on loopback: real HTTP, real signatures, and faults on demand."""

import json
import secrets
import threading
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "newsletter-console", "a secret of the console"


@cache
def key(number: int = 1) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": f"key-{number}", "use": "sig"})


@dataclass
class Provider:
    """Signs in whoever comes, at once, as the account that is set; a code is good once."""

    now: Callable[[], datetime]
    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)  #: over those of an ID token; None drops
    metadata: dict[str, Any] = field(default_factory=dict)  #: over those of the discovery document
    signed_by: int = 1  #: number of the key
    algorithm: str = "RS256"
    published: tuple[int, ...] = (1,)
    secrets: tuple[str, ...] = (SECRET,)  #: of the client, which hold at this moment
    status: int = 200  #: of every answer but the authorization's
    asked: list[dict[str, str]] = field(default_factory=list)  #: authorization requests
    redeemed: int = 0
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser is sent back to."""
        self.asked.append(query)
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return f"{query['redirect_uri']}?" + urlencode({"code": code, "state": query["state"]})

    def sign_in(self, url: str) -> dict[str, str]:
        """Do what a browser does at the authorization endpoint; return what it brings back."""
        return dict(parse_qsl(urlsplit(self.authorize(dict(parse_qsl(urlsplit(url).query)))).query))

    def token(self, form: dict[str, str], authorization: str) -> dict[str, str] | None:
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest())
        named = b64decode(authorization.removeprefix("Basic ")).decode()
        right = asked and asked["code_challenge"] == challenge.decode().rstrip("=")
        if not right or named not in [f"{CLIENT}:{one}" for one in self.secrets]:
            return None
        self.redeemed += 1
        return {"access_token": "unused", "token_type": "Bearer", "id_token": self.id_token(asked)}

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(self.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.url, "aud": CLIENT, "sub": "account-1", "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "auth_time": now, "email": "o@example.org",
            "email_verified": True, "name": "Ada Example",
        }  # fmt: skip
        claims = {name: one for name, one in (claims | self.claims).items() if one is not None}
        header = {"alg": self.algorithm, "kid": f"key-{self.signed_by}"}
        if self.algorithm == "none":
            head = urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
            body = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
            return f"{head}.{body}."
        signing = OctKey.import_key(SECRET) if self.algorithm == "HS256" else key(self.signed_by)
        return jws.serialize_compact(header, json.dumps(claims), signing, [self.algorithm])

    def document(self, path: str) -> dict[str, Any] | None:
        discovery = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        } | self.metadata
        keys = {"keys": [key(one).as_dict(private=False) for one in self.published]}
        return {"/.well-known/openid-configuration": discovery, "/keys": keys}.get(path)


@contextmanager
def serving_provider(now: Callable[[], datetime]) -> Iterator[Provider]:
    provider = Provider(now)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(dict(parse_qsl(parts.query))))
                self.end_headers()
            else:
                self._answer(provider.document(parts.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(
                provider.token(dict(parse_qsl(body)), self.headers.get("Authorization", ""))
            )

        def _answer(self, found: dict[str, Any] | None) -> None:
            body = json.dumps(found or {"error": "invalid_grant"}).encode()
            self.send_response(provider.status if found else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield provider
        server.shutdown()
