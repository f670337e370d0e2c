"""A worker as `newsletter worker` runs one, which reports at its end what it took.

It works on batches until its standard input is closed.
"""

import json
import sys
import threading

from newsletter.adapters.memory import spare_what_stays
from newsletter.container import Container
from newsletter.settings import load_settings
from tests.bench.measure import peak_megabytes, stopwatch


def main() -> None:
    container = Container(load_settings())
    container.give_way()  # as the command does
    queue = container.sending.queue  # with the handler of batches
    spare_what_stays()  # the same
    container.recovery.recover()
    working = threading.Thread(target=queue.work, kwargs={"until_empty": False})
    working.start()
    print("ready", flush=True)
    with stopwatch() as waiting:
        sys.stdin.read()
    while working.is_alive():
        queue.stop()
        working.join(0.2)
    print(
        json.dumps(
            {
                "megabytes": peak_megabytes(),
                "cpu": waiting.cpu,
                "compiles": container.renderer.compiles,
                "inlinings": container.renderer.inlinings,
            }
        )
    )
    container.close()


if __name__ == "__main__":
    main()
