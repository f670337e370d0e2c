"""What surrounds every route: token, rate limit, body, idempotency, and problems in the end."""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from newsletter.web.api.access import Caller, declared
from newsletter.web.api.body import JsonRequest
from newsletter.web.api.idempotency import key_of, once
from newsletter.web.api.problems import ApiProblem, answer_of, problem_of
from newsletter.web.api.query_names import refusing_others
from subscribers.db.read_only import read_only

PREFIX = "/api/v1"

Answering = Callable[[Request], Coroutine[Any, Any, Response]]


class ApiRoute(APIRoute):
    """A route that is called once all else about the request is right."""

    def get_route_handler(self) -> Answering:
        handler = super().get_route_handler()
        refuse_others = refusing_others(self.dependant)

        async def inner(request: Request) -> Response:
            if declared(self):
                refuse_others(request)
            return await handler(request)

        async def handle(request: Request) -> Response:
            given = JsonRequest(request.scope, request.receive)
            return await _or_problem(given, lambda: self._admitted(given, inner))

        return handle

    async def _admitted(self, request: JsonRequest, inner: Answering) -> Response:
        required = declared(self)
        if required is None:
            return await inner(request)
        caller = await run_in_threadpool(required.admit, request)
        request.state.caller = caller
        allowance = caller.services.rate_limit.take(caller.token.id)
        if not allowance.allowed:
            raise ApiProblem("too-many", headers=allowance.headers)
        answer = await _or_problem(request, lambda: _answered(request, caller, inner))
        answer.headers.update(allowance.headers)
        return _recording_use(answer, caller)


async def _answered(request: JsonRequest, caller: Caller, inner: Answering) -> Response:
    await request.read()
    key = key_of(request)
    if key is None:
        return await inner(request)
    act = lambda: _or_problem(request, lambda: inner(request))  # noqa: E731
    return await once(request, caller, key, act)


async def _or_problem(request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
    """Return the answer, or the problem that an error is; a fault of ours is raised."""
    try:
        return await answer()
    except Exception as error:
        problem = problem_of(error, request)
        if problem is None:
            raise
        return answer_of(request, problem)


def _recording_use(answer: Response, caller: Caller) -> Response:
    """Have the token's last use recorded once the answer is on its way, if it is time to."""
    services, token = caller.services, caller.token
    if answer.background is None and token.use_is_due(services.now()):

        def record() -> None:
            with recording():
                services.tokens.record_use(token)

        answer.background = BackgroundTask(record)
    return answer


@contextmanager
def recording() -> Generator[None]:
    """Let it be recorded who asked, whatever is asked: a GET writes nothing else."""
    with read_only(False):
        yield


def api_router() -> APIRouter:
    """Return a router for the routes of one resource."""
    return APIRouter(prefix=PREFIX, route_class=ApiRoute)
