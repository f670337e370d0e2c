"""Figures beside their baselines: one table for people, the same as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from rich.console import Console
from rich.table import Table

_PLAIN_WIDTH = 150  #: columns, where there is no terminal to ask


@dataclass(frozen=True)
class Figure:
    """One measured thing, and what it is held against."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    of: str = ""  #: what the ratio compares with
    wanted: str = ""  #: of the ratio, or of the value


def rate(name: str, count: int, seconds: float, what: str) -> Figure:
    """Return a figure of so many a second."""
    return Figure(name, count / seconds, f"{what}/s")


def against(figure: Figure, ratio: float, of: str, wanted: str = "") -> Figure:
    """Return the figure beside its baseline."""
    return replace(figure, ratio=ratio, of=of, wanted=wanted)


def as_json(machine: dict[str, str], figures: Sequence[Figure]) -> str:
    """Return everything as one JSON object."""
    return json.dumps({"machine": machine, "figures": [asdict(one) for one in figures]}, indent=2)


def show(machine: dict[str, str], figures: Sequence[Figure]) -> None:
    """Print the table."""
    facts = ", ".join(f"{name} {value}" for name, value in machine.items())
    table = Table(caption=f"{facts}\nRates move with the load of the machine; ratios do less so.")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("ratio")
    table.add_column("wanted")
    for one in figures:
        ratio = "" if one.ratio is None else f"{_number(one.ratio)} × {one.of}"
        table.add_row(one.name, _number(one.value), one.unit, ratio, one.wanted)
    console = Console()
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    console.print(table)


def _number(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"
