"""What goes on beside a send, in threads, while batches of it are still to be sent."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

from sqlalchemy import make_url

from tests.torture.installation import Installation
from tests.torture.observer import Observer

_IN_MID_SEND = "SELECT EXISTS (SELECT 1 FROM batch WHERE state IN ('planned', 'claimed'))"


class Disturbance:
    """One kind of trouble in one round."""

    done: Counter[str]  #: what was done, how often

    def acts(self) -> Sequence[Callable[[], None]]:
        """Return what is done again and again, each in a thread of its own."""
        return ()

    def after_unsubscribe(self) -> int:
        """Count the letters that were requested after an unsubscribe was answered."""
        return 0

    def wrongs(self) -> Iterator[str]:
        """Yield what it did to the service that it must not do."""
        yield from ()


MakeDisturbance = Callable[[Installation, str], Disturbance]  #: the string is the database's URL


def rng_of(url: str) -> random.Random:
    """Return dice for the round that has this database."""
    return random.Random(make_url(url).database)


@contextmanager
def going_on(disturbances: Iterable[Disturbance], url: str) -> Generator[None]:
    """Disturb a send until the block ends; what goes wrong in a thread is raised here."""
    ended = threading.Event()
    acts = [act for one in disturbances for act in one.acts()]
    with ThreadPoolExecutor(max_workers=max(len(acts), 1)) as pool:
        running = [pool.submit(_repeat, act, url, ended) for act in acts]
        try:
            yield
        finally:
            ended.set()
    for one in running:
        one.result()


def _repeat(act: Callable[[], None], url: str, ended: threading.Event) -> None:
    with closing(Observer(url)) as observer:
        while not ended.is_set():
            if observer.ask(_IN_MID_SEND):
                act()
            else:
                ended.wait(0.1)
