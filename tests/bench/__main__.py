"""`make bench`: what sending, importing and listening cost, each beside its baseline."""

import argparse
import sys

from tests.bench.report import as_json, show
from tests.bench.run import Sizes, run


def main() -> None:
    asked = argparse.ArgumentParser(prog="make bench", description=__doc__)
    asked.add_argument("--recipients", type=int, default=100_000, metavar="N")
    asked.add_argument("--json", action="store_true")
    options = asked.parse_args()
    machine, figures = run(
        Sizes.of(options.recipients), lambda step: print(f"… {step}", file=sys.stderr, flush=True)
    )
    if options.json:
        print(as_json(machine, figures))
    else:
        show(machine, figures)


if __name__ == "__main__":
    main()
