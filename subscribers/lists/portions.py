"""Importing a list, portion by portion.

The whole list is read and checked before anything is stored. Then each portion is decided on and
stored in a short transaction of its own, so that no reader waits for an import. One that is cut
off has stored whole portions, its record says how many rows, and the same list imported again
stores the rest. See docs/decisions/an-import-is-stored-in-portions.md.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from secrets import token_bytes
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Engine
from sqlmodel import Session

from subscribers.db.record_tables import ListImportRow
from subscribers.db.suppressions import LADDER_VALUES
from subscribers.db.transaction import Result, driver, execute, successive, transaction
from subscribers.errors import ConcurrentChange, DatabaseBusy, InvalidList
from subscribers.lists.decisions import MEMORY, ListImport, decide, stage
from subscribers.lists.importing import ANSWER, CHOSEN, needed
from subscribers.model import EVERYTHING, ConsentAct, RowResult

_ANSWERED = "CREATE TEMP TABLE answered (line integer, email text, result text, reason text)"
_ANSWERS = """
COPY (SELECT * FROM answered ORDER BY line) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)
"""

_COUNT = """
UPDATE list_import SET counts = %(counts)s WHERE id = %(import)s AND undone_at IS NULL
"""

_TRIES = 1200  #: half a second each: whoever holds what a portion needs for longer is a fault
_PAUSE = 0.3  #: seconds

# The next to read these tables plans a send: the planner should know that they have grown.
_ANALYZE = "ANALYZE subscriber, subscription"


def import_rows(
    engine: Engine,
    blocks: Iterable[bytes],
    fields: Collection[str],
    about: ListImport,
    answer: Callable[[bytes], object],
    *,
    dry_run: bool,
) -> tuple[int | None, Mapping[RowResult, int]]:
    """Store all that is good of a list; return the import's number (none of a dry run) and counts.

    Blocks are rows as `subscribers.lists.csv_reader` writes them, each with these fields. `answer`
    is given a CSV that says for each row what became of it.
    """
    with successive(engine) as begin:
        with begin() as session:
            portions = stage(session, blocks, fields)
            execute(session, _ANSWERED)
            execute(session, CHOSEN)
            number = None if dry_run else _store_import(session, about)
        counts = Counter[RowResult](dict.fromkeys(RowResult, 0))
        values = _values(about, number)
        for portion in range(portions):
            act = partial(_import, begin, about, values, fields=fields)
            counts = patiently(partial(act, portion=portion, before=counts))
        stored = bool(portions) and number is not None
        with _beside(engine, _ANALYZE if stored else ""), begin() as session:
            _write(session, answer)
    return number, counts


def _values(about: ListImport, number: int | None) -> dict[str, Any]:
    return {
        "at": about.at,
        "everything": EVERYTHING,
        "format": about.format,
        "import": number,
        "ladder": LADDER_VALUES,
        "newsletter": about.newsletter,
        "seed": token_bytes(32),
        "service": about.service,
        "source": f"import {number}",
        "withdrawn": ConsentAct.WITHDRAWN.value,
        "zone": about.default_zone,
    }


def patiently(act: Callable[[], Result]) -> Result:
    """Do this again as long as somebody is in the way, whom it lets pass in between."""
    for _ in range(_TRIES):
        try:
            return act()
        except (ConcurrentChange, DatabaseBusy):
            time.sleep(_PAUSE)
    return act()


def _import(
    begin: Callable[[], AbstractContextManager[Session]],
    about: ListImport,
    values: Mapping[str, Any],
    *,
    fields: Collection[str],
    portion: int,
    before: Counter[RowResult],
) -> Counter[RowResult]:
    """Decide on a portion and store it; return the counts of all rows so far."""
    stored = values["import"] is not None
    with begin() as session:
        decision = decide(session, fields, about, portion, lock=stored)
        counts = Counter({one: before[one] + decision.counts[one] for one in RowResult})
        if stored:
            for statement in needed(decision):
                execute(session, statement, values)
            _count(session, values, counts)
        execute(session, ANSWER, values)
    return counts


def _count(session: Session, values: Mapping[str, Any], counts: Mapping[RowResult, int]) -> None:
    counted = Jsonb({result.value: count for result, count in counts.items()})
    if not execute(session, _COUNT, {"import": values["import"], "counts": counted}):
        raise InvalidList("this import was undone while it ran: the rest of the list is not stored")


@contextmanager
def _beside(engine: Engine, statement: str) -> Generator[None]:
    """Run a statement, if there is one, on another connection while the block runs."""

    def run() -> None:
        with transaction(engine) as session:
            execute(session, statement)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run) if statement else None
        yield
        if running:
            running.result()


def _write(session: Session, answer: Callable[[bytes], object]) -> None:
    execute(session, MEMORY)
    with driver(session).cursor() as cursor, cursor.copy(_ANSWERS.encode()) as copy:
        for block in copy:
            answer(bytes(block))


def _store_import(session: Session, about: ListImport) -> int | None:
    row = ListImportRow(
        at=about.at,
        file=about.file,
        newsletter=about.newsletter,
        consent_source=about.consent_source,
        counts={result.value: 0 for result in RowResult},
        format=about.format,
        actor=about.actor,
    )
    session.add(row)
    session.flush()
    return row.id
