"""How the process is: alive, ready, and in figures.

Whether it is alive, everybody may ask. The rest is for insiders: with a token set, whoever bears
it; without one, whoever asks on this very machine.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from newsletter.web.public.pages import READ

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"  #: the text format's media type

#: Any of these says that a proxy on this machine asks for somebody else.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@dataclass(frozen=True, kw_only=True)
class Health:
    """What there is to ask."""

    signs: Callable[[], Mapping[str, bool]]  #: what must be well, and whether it is
    metrics: Callable[[], bytes]  #: in Prometheus' text format
    token: str | None  #: None: loopback only


def routes(health: Health | None) -> APIRouter:
    """Return the routes; without a Health, only whether the process is alive."""
    router = APIRouter()

    @router.api_route("/healthz", methods=READ)
    def healthy() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        return {"status": "ok"}

    if health is not None:
        _for_insiders(router, health)
    return router


def _for_insiders(router: APIRouter, health: Health) -> None:
    def insider(request: Request) -> None:
        if not _is_insider(request, health.token):
            raise HTTPException(404)  # to others there is nothing here

    guarded = [Depends(insider)]

    @router.api_route("/readyz", methods=READ, dependencies=guarded)
    def ready() -> Response:  # pyright: ignore[reportUnusedFunction]
        signs = health.signs()
        return JSONResponse(dict(signs), status_code=200 if all(signs.values()) else 503)

    @router.api_route("/metrics", methods=READ, dependencies=guarded)
    def metrics() -> Response:  # pyright: ignore[reportUnusedFunction]
        return Response(health.metrics(), media_type=_PROMETHEUS)


def _is_insider(request: Request, token: str | None) -> bool:
    if token is not None:
        borne = request.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(borne.encode(), token.encode())
    forwarded = any(name in request.headers for name in _FORWARDED)
    here = request.client is not None and _is_loopback(request.client.host)
    # A page in a browser on this machine could ask under a name of its own (DNS rebinding).
    return here and not forwarded and _is_loopback(request.url.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
