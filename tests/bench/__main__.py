"""`make bench`: what sending, importing and listening cost, each beside its baseline."""

import argparse
import sys

from tests.bench.bench import Sizes
from tests.bench.report import as_json, show
from tests.bench.run import ROWS, run


def main() -> None:
    asked = argparse.ArgumentParser(prog="make bench", description=__doc__)
    asked.add_argument("--recipients", type=int, default=100_000, metavar="N")
    asked.add_argument(
        "--history", type=int, default=12, metavar="N", help="issues of which the database knows"
    )
    asked.add_argument("--json", action="store_true")
    asked.add_argument("rows", nargs="*", metavar="ROW", help=f"all, or some of: {', '.join(ROWS)}")
    options = asked.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        asked.error(f"there is no row {', '.join(sorted(unknown))}; there are: {', '.join(ROWS)}")
    machine, figures = run(
        Sizes.of(options.recipients, options.history),
        lambda step: print(f"… {step}", file=sys.stderr, flush=True),
        options.rows,
    )
    if options.json:
        print(as_json(machine, figures))
    else:
        show(machine, figures)


if __name__ == "__main__":
    main()
