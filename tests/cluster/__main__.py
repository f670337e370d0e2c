"""`python -m tests.cluster`: one send on several machines that lose each other."""

import argparse
import json
import sys
from dataclasses import asdict

from tests.cluster.cluster import opened
from tests.cluster.journey import Journey
from tests.cluster.namespaces import enter_own_network, why_not


def main() -> int:
    """Run the journey; return 1 if anybody was lost or got an issue twice unsaid."""
    options = _arguments()
    enter_own_network()  # from here on in another process
    with opened(recipients=options.recipients, batch_size=options.batch_size) as cluster:
        journey = Journey(cluster, cluster.server, options.away)
        try:
            result = journey.run()
        except BaseException:
            for log in sorted(cluster.folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text()[-3000:]}", file=sys.stderr)
            raise
    if options.json:
        print(json.dumps({"done": journey.done, **asdict(result)}, indent=2))
    else:
        for what, how in journey.done.items():
            print(f"{what:55} {how}")
        sums = "; ".join(result.wrong) or "sums add up"
        print(
            f"{result.recipients:,} readers, {result.lost} lost, {result.doubled} doubled; {sums}"
        )
    return 0 if result.clean else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--away", type=float, default=60, help="seconds for which a cable is cut")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if reason := why_not():
        parser.error(f"no machines can be made here: {reason}")
    return options


if __name__ == "__main__":
    sys.exit(main())
