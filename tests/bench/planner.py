"""Plans the issue of a database once told to, as the scheduler does, and reports what it took."""

import json
import sys

from newsletter.container import Container
from newsletter.settings import load_settings
from tests.bench.installation import SLUG
from tests.bench.measure import peak_megabytes, stopwatch
from tests.bench.sending import approved


def main() -> None:
    container = Container(load_settings())
    stored = approved(container)
    newsletter = container.settings.newsletter(SLUG)
    print("ready", flush=True)
    sys.stdin.readline()
    with stopwatch() as plan:
        assert container.planning.plan(newsletter, stored)
    with stopwatch() as enqueue:
        container.planning.hand_over(newsletter, stored.issue.date)
    took = {"plan": plan.seconds, "enqueue": enqueue.seconds, "megabytes": peak_megabytes()}
    print(json.dumps(took), flush=True)
    container.close()


if __name__ == "__main__":
    main()
