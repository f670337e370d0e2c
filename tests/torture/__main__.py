"""`python -m tests.torture`: sends that are killed at every step, and the result of each."""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, replace

from tests.torture.catalogue import PLANS
from tests.torture.installation import opened
from tests.torture.plans import Plan, Result
from tests.torture.rounds import torture


def main() -> int:
    """Run the chosen plans; return 1 if anybody was lost or got an issue twice unsaid."""
    options = _arguments()
    results = []
    for plan in _chosen(options):
        results.append(_run(plan, options))
        print(_summary(results[-1]), file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps([asdict(one) for one in results], indent=2))
    else:
        print("\n".join(_table(results)))
    return 0 if all(one.clean for one in results) else 1


def _run(plan: Plan, options: argparse.Namespace) -> Result:
    with opened(
        recipients=options.recipients,
        batch_size=options.batch_size,
        events=plan.events,
        logs=plan.logs,
        relayed=plan.relayed,
        default=plan.default,
    ) as installation:
        try:
            result = torture(installation, plan)
        except BaseException:
            print(installation.log.read_text()[-8000:], file=sys.stderr)
            raise
        if not result.clean:
            print(installation.log.read_text()[-4000:], file=sys.stderr)
    return result


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    add = parser.add_argument
    add("runs", nargs="*", metavar="RUN", help=f"one or more of: {'; '.join(PLANS)}; default: all")
    add("--kills", type=int, default=300, help="kills of each run")
    add("--recipients", type=int, default=20_000, help="of each send")
    add("--batch-size", type=int, default=50)
    add("--seed", type=int, default=1)
    add("--json", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.runs) - set(PLANS):
        parser.error(f"there is no run called {', '.join(sorted(unknown))}")
    return options


def _chosen(options: argparse.Namespace) -> Iterable[Plan]:
    for name in options.runs or PLANS:
        plan, kills = PLANS[name], options.kills
        if plan.kills:
            yield replace(plan, kills=kills, seed=options.seed)
        else:  # its processes live; as many rounds as take about as long
            yield replace(plan, rounds=max(kills // 25, 1), seed=options.seed)


def _summary(result: Result) -> str:
    ended = "clean" if result.clean else f"NOT CLEAN {result.wrong}"
    return f"{result.name}: {ended}, after {result.seconds:.0f} s; {asdict(result)}"


_COLUMNS = (
    "run", "kills", "PostgreSQL down", "deaths", "besides", "recipients", "lost", "doubled",
    "reported", "after an unsubscribe", "by event", "by absence of events", "by logs",
    "by a person", "requests", "s",
)  # fmt: skip


def _table(results: list[Result]) -> Iterable[str]:
    """Yield the lines of the table in docs/proofs/torture.md."""
    yield _line(_COLUMNS)
    yield "|---" * len(_COLUMNS) + "|"
    yield from (_line(_cells(one)) for one in results)


def _cells(one: Result) -> Iterable[object]:
    yield from (one.name, one.kills, one.restarts, one.deaths)
    yield ", ".join(f"{number:,} {name}" for name, number in one.disturbed.items()) or "-"
    yield from (one.recipients, one.lost, one.doubled, one.reported, one.after_unsubscribe)
    yield from (one.by_event, one.by_absence, one.by_logs, one.by_hand, one.requests)
    yield round(one.seconds)


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    raise SystemExit(main())
