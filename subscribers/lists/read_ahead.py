"""Reading ahead: what comes next is fetched while the caller works on what came."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def read_ahead(items: Iterable[Item], most: int) -> Generator[Item]:
    """Yield the items, of which at most so many were fetched, in another thread, and wait.

    Close it before its source: then nothing of that is asked for any more.
    """
    coming = iter(items)
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(next, coming, None) for _ in range(most))
        try:
            while (item := waiting.popleft().result()) is not None:
                waiting.append(pool.submit(next, coming, None))
                yield item
        finally:
            pool.shutdown(cancel_futures=True)
