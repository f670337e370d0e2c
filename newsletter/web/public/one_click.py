"""One-click unsubscribe (RFC 8058): the posts that wait for each other are applied together.

A post that finds nobody waiting is applied at once, by itself. Mail programs post many at once,
and the machine has other work; then each thread takes all that wait, up to a number, with one
look-up, one statement and one commit. The more they are, the less each costs, so none waits long.
Each is answered as if it had been alone, and after the commit.
See docs/decisions/one-click-unsubscribe-endpoint.md.
"""

from asyncio import Future, Semaphore, get_running_loop
from collections.abc import Callable, Sequence
from itertools import islice

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from newsletter.web.dependencies import WebServices, services_of
from newsletter.web.public.unsubscribe import unsubscribed_page
from subscribers.errors import InvalidLink

ONE_CLICK = "/u/{token}"  #: where one-click unsubscribe is posted to
_MOST = 100  #: at once: even a slow disk finds their rows within a statement's time limit
_SOURCE = "unsubscribe link"

Slugs = Sequence[str | None]  #: the newsletter of each post; None where its link opens nothing


async def one_click(request: Request) -> Response:
    """Unsubscribe with one click (RFC 8058, section 3.2).

    Any POST acts, whatever its body, which is not read; a repeat succeeds. Where the database
    cannot even store it to be applied soon, the answer is 503, and mail programs try again.

    It is a plain Starlette endpoint because FastAPI would spend most of the time on parameters
    that it does not have.
    """
    services, token = services_of(request), request.path_params["token"]
    slug = await request.app.state.one_clicks.apply(token)
    if slug is None:
        raise InvalidLink
    return unsubscribed_page(services, services.newsletters[slug], f"/u/{token}")


class OneClicks:
    """Applies posts, given as their tokens, together with those that wait at the moment."""

    def __init__(self, apply: Callable[[Sequence[str]], Slugs], threads: int) -> None:
        self._apply = apply
        self._waiting: dict[Future[str | None], str] = {}
        self._free, self._limiter = Semaphore(threads), CapacityLimiter(threads)

    async def apply(self, token: str) -> str | None:
        """Apply one post; return the newsletter that was left."""
        answer: Future[str | None] = get_running_loop().create_future()
        self._waiting[answer] = token
        async with self._free:
            if answer in self._waiting:  # nobody before took it along
                await self._apply_waiting()
        return await answer

    async def _apply_waiting(self) -> None:
        taken = {answer: self._waiting.pop(answer) for answer in [*islice(self._waiting, _MOST)]}
        tokens = tuple(taken.values())
        try:
            slugs = await to_thread.run_sync(self._apply, tokens, limiter=self._limiter)
        except Exception as error:  # noqa: BLE001  # raised where each post waits for its answer
            for answer in taken:
                if not answer.done():  # its own request may have been given up
                    answer.set_exception(error)
        else:
            for answer, slug in zip(taken, slugs, strict=True):
                if not answer.done():
                    answer.set_result(slug)
        finally:
            for answer in taken:
                answer.cancel()  # does nothing to those that are answered


def one_clicks_of(services: WebServices) -> OneClicks:
    """Return what applies posts by these services."""

    def apply(tokens: Sequence[str]) -> Slugs:
        return services.unsubscribing.unsubscribe_by_links(
            tokens, services.newsletters, now=services.now(), source=_SOURCE
        )

    return OneClicks(apply, services.threads["unsubscribe"])
