"""Posts that wait are applied together, and each is answered as if it had been alone."""

import threading
from collections.abc import Sequence

import anyio
import pytest

from newsletter.web.public.one_click import OneClicks

pytestmark = pytest.mark.anyio


class Slow:
    """Applies posts when it is let; it notes which came together."""

    def __init__(self) -> None:
        self.go_on, self.begun = threading.Event(), threading.Event()
        self.together: list[Sequence[str]] = []

    def __call__(self, tokens: Sequence[str]) -> list[str | None]:
        self.together.append(tokens)
        self.begun.set()
        assert self.go_on.wait(20)
        if "broken" in tokens:
            raise ConnectionError
        return [None if token == "strange" else f"slug of {token}" for token in tokens]


async def asked(slow: Slow, *tokens: str) -> list[str | Exception | None]:
    """Post the first, and the others while it is applied; return the answers."""
    clicks, answers = OneClicks(slow, threads=1), [None] * len(tokens)

    async def post(place: int) -> None:
        try:
            answers[place] = await clicks.apply(tokens[place])
        except ConnectionError as error:
            answers[place] = error

    async with anyio.create_task_group() as posts:
        posts.start_soon(post, 0)
        await anyio.to_thread.run_sync(slow.begun.wait, 20)
        for place in range(1, len(tokens)):
            posts.start_soon(post, place)
        await anyio.wait_all_tasks_blocked()
        slow.go_on.set()
    return answers


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_those_that_wait_are_applied_together_and_each_has_its_own_answer() -> None:
    slow = Slow()
    answers = await asked(slow, "a", "b", "strange", "b", "c")
    assert answers == ["slug of a", "slug of b", None, "slug of b", "slug of c"]
    assert slow.together == [("a",), ("b", "strange", "b", "c")]


async def test_no_more_than_a_number_are_applied_together() -> None:
    slow = Slow()
    answers = await asked(slow, *map(str, range(251)))
    assert answers == [f"slug of {number}" for number in range(251)]
    assert list(map(len, slow.together)) == [1, 100, 100, 50]


async def test_a_database_that_fails_fails_for_each_that_went_together() -> None:
    slow = Slow()
    answers = await asked(slow, "a", "b", "broken")
    assert answers[0] == "slug of a"
    assert [type(answer) for answer in answers[1:]] == [ConnectionError, ConnectionError]


async def test_a_post_that_is_given_up_leaves_the_others_their_answers() -> None:
    slow, said = Slow(), list[str | None]()
    clicks = OneClicks(slow, threads=1)

    async def post(token: str) -> None:
        said.append(await clicks.apply(token))

    async with anyio.create_task_group() as posts, anyio.create_task_group() as given_up:
        posts.start_soon(post, "a")
        await anyio.to_thread.run_sync(slow.begun.wait, 20)
        given_up.start_soon(post, "b")
        posts.start_soon(post, "c")
        await anyio.wait_all_tasks_blocked()
        given_up.cancel_scope.cancel()
        slow.go_on.set()
    assert said == ["slug of a", "slug of c"]
    assert slow.together[1] == ("b", "c")  # in doubt a reader has left
