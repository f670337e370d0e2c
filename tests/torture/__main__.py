"""`python -m tests.torture`: sends that are killed at every step, and the result of each."""

import argparse
import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from tests.torture.installation import opened
from tests.torture.rounds import Plan, Result, torture


def main() -> int:
    """Run the chosen plans; return 1 if anybody was lost or got an issue twice."""
    options = _arguments()
    results = []
    for plan in _plans(options):
        with opened(
            recipients=options.recipients,
            batch_size=options.batch_size,
            events="without events" not in plan.name,
            logs=not plan.name.endswith("logs"),
        ) as installation:
            results.append(torture(installation, plan))
            if not options.json:
                Console(width=150).print(_table(results[-1:]))
            if not results[-1].clean:
                Console(stderr=True).print(
                    (installation.folder / "processes.log").read_text()[-4000:]
                )
    if options.json:
        print(json.dumps([asdict(one) for one in results], indent=2))
    else:
        Console(width=150).print(_table(results))
    return 0 if all(one.clean for one in results) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    add = parser.add_argument
    add("--kills", type=int, default=300, help="kills of each run")
    add("--recipients", type=int, default=20_000, help="of each send")
    add("--batch-size", type=int, default=50)
    add("--faults", action="store_true", help="three calls of ten go wrong")
    add("--postgres-restart", action="store_true", help="PostgreSQL goes down at every fifth kill")
    add("--two-workers", action="store_true", help="two workers and two schedulers")
    add("--no-events", action="store_true", help="no event ever comes: Email Logs are asked")
    add("--no-logs", action="store_true", help="nor may those be read: a person decides")
    add("--all", action="store_true", help="one run of each kind, and one of all at once")
    add("--seed", type=int, default=1)
    add("--json", action="store_true")
    return parser.parse_args()


def _plans(options: argparse.Namespace) -> list[Plan]:
    kills, seed = options.kills, options.seed
    if not options.all:
        chosen = {
            "faults": options.faults,
            "postgres": options.postgres_restart,
            "two": options.two_workers,
        }
        words = [word for word, wanted in chosen.items() if wanted]
        eventless = options.no_events or options.no_logs
        without = " without events" * eventless + " or logs" * options.no_logs
        name = " + ".join(["kills", *words]) + without
        return [Plan(name=name, kills=kills, seed=seed, **chosen)]
    return [
        Plan(name="kills", kills=kills, seed=seed),
        Plan(name="kills + faults", kills=kills, faults=True, seed=seed),
        Plan(name="kills + postgres", kills=kills, postgres=True, seed=seed),
        Plan(name="kills + two", kills=kills, two=True, seed=seed),
        Plan(name="all at once", kills=kills, faults=True, postgres=True, two=True, seed=seed),
        Plan(name="kills without events", kills=kills, seed=seed),
        Plan(name="kills + faults without events", kills=kills, faults=True, seed=seed),
        Plan(name="kills + faults without events or logs", kills=kills, faults=True, seed=seed),
    ]


def _table(results: list[Result]) -> Table:
    table = Table(title="Killed, and counted")
    for name in (
        "run", "kills", "PG down", "deaths", "recipients", "lost", "doubled",
        "by event", "by absence", "by logs", "by hand", "requests", "s", "wrong",
    ):  # fmt: skip
        table.add_column(name, overflow="fold", no_wrap=name in ("run", "recipients"))
    for one in results:
        table.add_row(
            one.name,
            f"{one.kills}",
            f"{one.restarts}",
            f"{one.deaths}",
            f"{one.recipients}",
            f"{one.lost}",
            f"{one.doubled}",
            f"{one.by_event}",
            f"{one.by_absence}",
            f"{one.by_logs}",
            f"{one.by_hand}",
            f"{one.requests}",
            f"{one.seconds:.0f}",
            "; ".join(one.wrong) or "-",
        )
    return table


if __name__ == "__main__":
    raise SystemExit(main())
