"""Sample subscribers: every topic choice, several time zones, and a few rows that are wrong."""

import csv
from collections.abc import Iterator, Sequence
from itertools import combinations, cycle
from pathlib import Path

READERS = 2_000
LEFT = range(0, READERS, 97)  #: readers who unsubscribed before today
SUPPRESSED = range(50, READERS, 211)  #: readers whose address bounced before today

_ZONES = (
    "America/New_York", "America/Los_Angeles", "Europe/London", "Europe/Berlin",
    "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney", "America/Sao_Paulo",
)  # fmt: skip


def address(number: int) -> str:
    """Return a sample reader's address; example.com takes no mail (RFC 2606, section 3)."""
    return f"reader-{number:04}@example.com"


def write_readers(path: Path, topics: Sequence[str]) -> None:
    """Write the sample list, in the columns that `subscribers import` reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("email", "name", "topics", "timezone"))
        writer.writerows(_rows(topics))


def _rows(topics: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    choices = [";".join(c) for n in range(len(topics)) for c in combinations(topics, n)]
    for number, choice in zip(range(READERS), cycle(choices), strict=False):
        yield address(number), "", choice, _ZONES[number // 5 % len(_ZONES)]
    yield "not-an-address", "", "", "Europe/London"
    yield address(7).upper(), "", "", "Europe/London"
    yield address(READERS), "", "astrology", "Europe/London"
    yield address(READERS + 1), "", "", "Mars/Olympus_Mons"
