"""Health check and metrics of this process.

Anyone may ask whether it is alive. The rest is for operators: with a token set, for requests that
carry it; without one, for requests from this machine.
"""

from collections.abc import Mapping

from anyio import CapacityLimiter, move_on_after, to_thread
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from newsletter.core.loopback import is_loopback
from newsletter.web.dependencies import Services
from newsletter.web.pages import READ
from newsletter.web.secret_keys import is_one_of

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"  #: the text format's media type

#: Any of these means that a proxy on this machine forwards a request from elsewhere.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")

_READY_SECONDS = 1.7  #: whoever asks gives up after two
_CHECKING_THREADS = 2

router = APIRouter()


async def _operators_only(request: Request, services: Services) -> None:
    if not _is_operator(request, services.metrics_token):
        raise HTTPException(404)  # to anyone else there is nothing here


_OPERATORS_ONLY = [Depends(_operators_only)]


@router.api_route("/healthz", methods=READ)
async def alive() -> dict[str, str]:
    """Say that the process is alive; this takes no thread and asks no database."""
    return {"status": "ok"}


@router.api_route("/readyz", methods=READ, dependencies=_OPERATORS_ONLY)
async def ready(request: Request, services: Services) -> Response:
    """Say whether database, migrations and a worker are well; 503 if not, or if it hangs."""
    checks: Mapping[str, bool] = {"database": False, "migrations": False, "worker": False}
    with move_on_after(_READY_SECONDS):
        checks = await to_thread.run_sync(
            services.healthcheck, limiter=_limiter(request), abandon_on_cancel=True
        )
    return JSONResponse(dict(checks), status_code=200 if all(checks.values()) else 503)


def _limiter(request: Request) -> CapacityLimiter:
    """Return what bounds the threads that check, which are never those of pages."""
    state = request.app.state
    if not hasattr(state, "checking_limiter"):
        state.checking_limiter = CapacityLimiter(_CHECKING_THREADS)
    return state.checking_limiter


@router.api_route("/metrics", methods=READ, dependencies=_OPERATORS_ONLY)
def metrics(services: Services) -> Response:
    """Return the figures in Prometheus' text format."""
    return Response(services.metrics(), media_type=_PROMETHEUS)


def _is_operator(request: Request, token: str | None) -> bool:
    if token is not None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return is_one_of(given, token)
    forwarded = any(name in request.headers for name in _FORWARDED)
    local = request.client is not None and is_loopback(request.client.host)
    # A page in a browser on this machine could ask under its own host name (DNS rebinding).
    return local and not forwarded and is_loopback(request.url.hostname or "")
