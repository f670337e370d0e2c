"""Lists of subscribers: import them, undo an import, export them."""

import zoneinfo
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Engine
from sqlmodel import col, select

from subscribers.db.record_tables import ListImportRow
from subscribers.db.transaction import driver, transaction
from subscribers.errors import InvalidList
from subscribers.lists.decisions import ListImport
from subscribers.lists.encoding import written_whole
from subscribers.lists.fields import TEXTS
from subscribers.lists.formats import service_of
from subscribers.lists.model import Explanations
from subscribers.lists.portions import import_rows
from subscribers.lists.reader_process import ListFile, ListReading, Progress, reading
from subscribers.lists.results_file import Outcome, kept_rows
from subscribers.lists.results_file import results as results_of
from subscribers.lists.undo import undo
from subscribers.model import ImportReport, PastImport, RowResult, Undone
from subscribers.segments.condition import condition
from subscribers.segments.filters import Filter
from subscribers.spreadsheet import plain_cell_sql

_MOMENT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
_STATUS = """CASE WHEN status <> 'active' THEN 'ended'
    WHEN paused_at IS NOT NULL THEN 'paused' ELSE 'active' END"""

#: Columns of an export, in their order; the JSON objects have the same, with underscores.
COLUMNS = {
    "email": "email",
    "name": "name",
    "topics": "slugs",
    **{text.meaning.value: name for name, text in TEXTS.items()},
    "tags": "tags",
    "joined": _MOMENT.format("subscription.created_at"),
    "status": _STATUS,
    "left": _MOMENT.format("ended_at"),
    "suppressed": "suppression.reason",
    "paused until": _MOMENT.format("paused_until"),
    "source": "subscription.source",
}
_LISTS = frozenset({"topics", "tags"})
# The others cannot begin a formula. An import takes the apostrophe before one off again.
_BY_HAND = frozenset(
    {"email", "name", "tags", "source"}
    | {text.meaning.value for text in TEXTS.values() if text.free}
)

# Who was merged is left out: imported again, that row would end the other's subscription.
_CHOSEN = """
FROM (SELECT * FROM subscription WHERE {}) AS subscription
JOIN subscriber ON subscriber.id = subscription.subscriber_id
JOIN topic_set ON topic_set.id = subscription.topic_set_id
LEFT JOIN suppression USING (email_key)
WHERE merged_into IS NULL
ORDER BY email_key
"""

_NO_CONSENT = (
    "say where these people's consent comes from, for the evidence: --consent TEXT;"
    " of people who left, say so: --as left"
)
_AS_CSV = "(FORMAT csv, HEADER, FORCE_QUOTE *)"
# JSON escapes control characters: these two never stand in it, and nothing is ever quoted.
_AS_LINES = r"(FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')"


class Lists:
    """Imports lists of subscribers, undoes imports, and exports."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # Over 40 lines: half are its parameters and what they mean; there is one way through.
    def import_list(
        self,
        path: Path,
        newsletter: str,
        *,
        known_topics: Collection[str],
        default_zone: str,
        consent_source: str = "",
        now: datetime,
        actor: str = "operator",
        said: Explanations | None = None,
        topic_titles: Mapping[str, str] | None = None,
        encoding: str | None = None,
        results: Path | None = None,
        dry_run: bool = False,
        on_progress: Progress | None = None,
    ) -> ImportReport:
        """Store the good rows of a list; write what became of every row into the results file.

        Raises InvalidList, with nothing stored, when the list as a whole cannot be read, and
        ListQuestions with all that must be explained first. A dry run stores nothing and reports
        the same. `said` is what the operator explained; a list of people who left needs no
        statement of consent. `results` stands beside the list unless given.
        """
        about = ListImport(
            file=path.name,
            newsletter=newsletter,
            consent_source=consent_source.strip(),
            actor=actor,
            default_zone=default_zone,
            at=now,
        )
        wanted = ListFile(
            path=path,
            encoding=encoding,
            said=said or Explanations(),
            known_topics=frozenset(known_topics),
            topic_titles=topic_titles or {},
            known_zones=frozenset(zoneinfo.available_timezones()),
        )
        results = results or path.with_suffix(".results.csv")
        _check(wanted, about, results)
        with written_whole(results) as file, reading(wanted, on_progress) as rows:
            # After the questions about the list: whoever asks for people who left need not say it.
            _require(about.consent_source or wanted.said.leaving, _NO_CONSENT)
            number, counts = self._import(rows, about, file, results.parent, dry_run=dry_run)
        return _report(rows, counts, results, number, dry_run=dry_run)

    def _import(
        self, rows: ListReading, about: ListImport, file: BinaryIO, folder: Path, *, dry_run: bool
    ) -> tuple[int | None, Mapping[RowResult, int]]:
        kind = rows.head.kind
        with kept_rows(folder) as kept:
            return import_rows(
                self._engine,
                kept.keep(rows),
                rows.head.fields,
                replace(about, format=kind, service=service_of(kind)),
                lambda outcomes: _answer(file, kept.again(), outcomes, stored=not dry_run),
                dry_run=dry_run,
            )

    def imports(self, newsletter: str | None = None, *, limit: int = 50) -> tuple[PastImport, ...]:
        """Return what was imported, the latest first."""
        found = select(ListImportRow).order_by(col(ListImportRow.id).desc()).limit(limit)
        if newsletter is not None:
            found = found.where(ListImportRow.newsletter == newsletter)
        with transaction(self._engine) as session:
            return tuple(PastImport(**row.model_dump()) for row in session.exec(found))

    def undo(self, import_id: int, *, now: datetime, actor: str, dry_run: bool = False) -> Undone:
        """Undo an import, except for what its subscribers have made their own.

        Undoing twice changes nothing more. Raises NoSuchImport.
        """
        with transaction(self._engine) as session:
            return undo(session, import_id, at=now, actor=actor, dry_run=dry_run)

    def export(
        self,
        newsletter: str,
        chosen: Filter,
        take: Callable[[bytes], object],
        *,
        now: datetime,
        csv: bool = True,
    ) -> int:
        """Export the subscriptions that a filter matches, by address; return how many they are.

        As CSV, which an import takes back unchanged; or as a JSON object a line. COPY streams it.
        """
        query, values = _export(newsletter, chosen, now, csv=csv)
        with transaction(self._engine) as session, driver(session).cursor() as cursor:
            with cursor.copy(query, values) as copy:
                for block in copy:
                    take(bytes(block))
            return cursor.rowcount

    def exported(self, newsletter: str, chosen: Filter, *, now: datetime) -> Generator[bytes]:
        """Yield such an export as JSON objects, a line each, as fast as they are taken."""
        query, values = _export(newsletter, chosen, now, csv=False)
        with (
            transaction(self._engine) as session,
            driver(session).cursor() as cursor,
            cursor.copy(query, values) as copy,
        ):
            for block in copy:
                yield bytes(block)

    def write(self, path: Path, newsletter: str, chosen: Filter, *, now: datetime) -> int:
        """Write such an export into a file, which is whole or not there; raise InvalidList."""
        _require(path.suffix in (".csv", ".ndjson"), f"{path}: a file ends in .csv or .ndjson")
        with written_whole(path) as file:
            return self.export(newsletter, chosen, file.write, now=now, csv=path.suffix == ".csv")


def _check(wanted: ListFile, about: ListImport, results: Path) -> None:
    _require(about.default_zone in wanted.known_zones, f"unknown time zone: {about.default_zone}")
    _require(results.resolve() != wanted.path.resolve(), "the results would overwrite the list")


def _answer(
    file: BinaryIO, blocks: Iterable[bytes], outcomes: Iterable[Outcome], *, stored: bool
) -> None:
    try:
        file.writelines(results_of(blocks, outcomes))
        file.flush()
    except OSError as error:
        if not stored:
            raise
        said = f"{error.strerror}; the list itself is stored, and its counts are kept"
        raise OSError(error.errno, said) from error


def _report(
    rows: ListReading,
    counts: Mapping[RowResult, int],
    results: Path,
    number: int | None,
    *,
    dry_run: bool,
) -> ImportReport:
    return ImportReport(
        rows=rows.rows,
        counts=counts,
        results=str(results),
        ignored_columns=rows.head.ignored_columns,
        dry_run=dry_run,
        format=rows.head.kind,
        encoding=rows.head.encoding,
        warnings=rows.warnings,
        import_id=number,
    )


def _export(
    newsletter: str, chosen: Filter, now: datetime, *, csv: bool
) -> tuple[bytes, Mapping[str, Any]]:
    """Return the statement that exports, and its values."""
    where = condition(newsletter, chosen, now.astimezone(UTC).date())
    listed, options = (_cells(), _AS_CSV) if csv else (_pairs(), _AS_LINES)
    query = f"COPY (SELECT {listed} {_CHOSEN.format(where.sql)}) TO STDOUT {options}"
    return query.encode(), where.values


def _cells() -> str:
    return ", ".join(f'{_cell(name, said)} AS "{name}"' for name, said in COLUMNS.items())


def _cell(name: str, said: str) -> str:
    text = f"array_to_string({said}, ';')" if name in _LISTS else said
    return plain_cell_sql(text) if name in _BY_HAND else text


def _pairs() -> str:
    pairs = ", ".join(f"'{name.replace(' ', '_')}', {said}" for name, said in COLUMNS.items())
    return f"json_build_object({pairs})"


def _require(met: object, otherwise: str) -> None:
    if not met:
        raise InvalidList(otherwise)
