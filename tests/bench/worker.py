"""A worker as `newsletter worker` runs one, which tells at its end what it took.

It works on batches until its standard input is closed.
"""

import json
import sys
import threading

from newsletter.bootstrap import House
from newsletter.settings import load_settings
from tests.bench.measure import peak_megabytes, watch


def main() -> None:
    house = House(load_settings())
    dispatch, queue = house.dispatch, house.queue
    dispatch.recover()
    working = threading.Thread(target=queue.work, kwargs={"until_empty": False})
    working.start()
    print("ready", flush=True)
    with watch() as waiting:
        sys.stdin.read()
    while working.is_alive():
        queue.stop()
        working.join(0.2)
    print(
        json.dumps(
            {
                "megabytes": peak_megabytes(),
                "cpu": waiting.cpu,
                "compiles": house.renderer.compiles,
                "inlinings": house.renderer.inlinings,
            }
        )
    )
    house.close()


if __name__ == "__main__":
    main()
