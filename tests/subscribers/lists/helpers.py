"""Lists written and imported, as the tests of this folder need them."""

import csv
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from subscribers.lists.model import read_explanations
from subscribers.lists.service import Lists
from subscribers.model import ImportReport

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOPICS = ("chips", "policy", "security")
_SAID = {"explained": "columns", "words": "words", "topics": "topics", "listed_as": "listed_as",
         "date_format": "date_format"}  # fmt: skip


def import_text(
    engine: Engine, folder: Path, content: str | bytes, name: str = "list.csv", **options: object
) -> ImportReport:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    asked = {
        "known_topics": TOPICS,
        "default_zone": "UTC",
        "consent_source": "the sign-up page of 2024",
        "now": NOW,
    }
    given = {name: options.pop(key) for key, name in _SAID.items() if key in options}
    said = read_explanations(known_topics=TOPICS, **given)  # type: ignore[arg-type]  # as typed
    return Lists(engine).import_list(path, "technology", said=said, **{**asked, **options})


def answers(report: ImportReport) -> list[tuple[int, str, str, str]]:
    with Path(report.results).open(newline="") as lines:
        return [
            (int(row["line"]), row["email"], row["result"], row["reason"])
            for row in csv.DictReader(lines)
        ]
