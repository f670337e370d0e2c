"""Importing a list, portion by portion.

The whole list is read and checked before anything is stored. Then each portion is decided on and
stored in a short transaction of its own, so that no reader waits for an import. One that is cut
off has stored whole portions, its record says how many rows, and the same list imported again
stores the rest. See docs/decisions/an-import-is-stored-in-portions.md.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
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
from subscribers.db.transaction import Result, driver, execute, rows, successive, transaction
from subscribers.errors import ConcurrentChange, DatabaseBusy, InvalidList
from subscribers.lists.decisions import ListImport, Met, ask, counted, decide
from subscribers.lists.importing import ANSWER, at_once, needed
from subscribers.lists.results_file import Outcome
from subscribers.lists.staging import MEMORY, stage
from subscribers.model import ConsentAct, RowResult

_OUTCOMES = "SELECT line, result, reason FROM answered ORDER BY line"
_FETCHED = 10_000  #: outcomes at a time

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
    answer: Callable[[Iterator[Outcome]], object],
    *,
    dry_run: bool,
) -> tuple[int | None, Mapping[RowResult, int]]:
    """Store all that is good of a list; return the import's number (none of a dry run) and counts.

    Blocks are rows as `subscribers.lists.csv_reader` writes them, each with these fields. `answer`
    is given what became of each row that was not just added, in the order of the list.
    """
    with successive(engine) as begin:
        staged = stage(begin, blocks, fields, dry_run=dry_run)
        counts = Counter({RowResult.REFUSED: staged.refused})
        number = None
        if not dry_run:
            with begin() as session:
                number = _store_import(session, about, counts)
        values = _values(about, number)
        for portion in staged.portions:
            act = partial(_import, begin, values | {"portion": portion}, before=counts)
            counts = patiently(act)
        stored = bool(staged.portions) and number is not None
        with _beside(engine, _ANALYZE if stored else ""), begin() as session:
            answer(_outcomes(session))
    return number, _all(counts)


def _all(counts: Mapping[RowResult, int]) -> dict[RowResult, int]:
    return {result: counts[result] for result in RowResult}


def _values(about: ListImport, number: int | None) -> dict[str, Any]:
    return {
        "at": about.at,
        "format": about.format,
        "import": number,
        "ladder": LADDER_VALUES,
        "newsletter": about.newsletter,
        "own_acts": [ConsentAct.CONFIRMED.value, ConsentAct.RESUMED.value],
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
    values: Mapping[str, Any],
    *,
    before: Counter[RowResult],
) -> Counter[RowResult]:
    """Decide on a portion and store it; return the counts of all rows so far."""
    stored = values["import"] is not None
    with begin() as session:
        met = ask(session, values, lock=stored)
        values = {**values, "link_keys": token_bytes(16 * met.size)}
        act = _add if met.new else _decide
        counts = before + Counter(act(session, met, values, stored=stored))
        if stored:
            _count(session, values, counts)
    return counts


def _add(
    session: Session, met: Met, values: Mapping[str, Any], *, stored: bool
) -> Mapping[RowResult, int]:
    return counted(rows(session, at_once(met, dry_run=not stored), values))


def _decide(
    session: Session, met: Met, values: Mapping[str, Any], *, stored: bool
) -> Mapping[RowResult, int]:
    decision = decide(session, met, values)
    for statement in needed(decision) if stored else ():
        execute(session, statement, values)
    execute(session, ANSWER, values)
    return decision.counts


def _count(session: Session, values: Mapping[str, Any], counts: Mapping[RowResult, int]) -> None:
    if not execute(session, _COUNT, {"import": values["import"], "counts": _json(counts)}):
        raise InvalidList("this import was undone while it ran: the rest of the list is not stored")


def _json(counts: Mapping[RowResult, int]) -> Jsonb:
    return Jsonb({result.value: count for result, count in _all(counts).items()})


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


def _outcomes(session: Session) -> Iterator[Outcome]:
    execute(session, MEMORY)
    with driver(session).cursor(name="outcomes") as cursor:
        cursor.itersize = _FETCHED
        cursor.execute(_OUTCOMES)
        yield from cursor


def _store_import(
    session: Session, about: ListImport, counts: Mapping[RowResult, int]
) -> int | None:
    row = ListImportRow(
        at=about.at,
        file=about.file,
        newsletter=about.newsletter,
        consent_source=about.consent_source,
        counts={result.value: count for result, count in _all(counts).items()},
        format=about.format,
        actor=about.actor,
    )
    session.add(row)
    session.flush()
    return row.id
