"""The store of lists: short-lived transactions around importing, undoing and exporting."""

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime

from sqlalchemy import Engine

from subscribers.db.connection import rows, transaction
from subscribers.lists.export import export
from subscribers.lists.importing import import_rows
from subscribers.lists.undo import undo
from subscribers.model import PastImport, Undone
from subscribers.ports import Imported, ListImport
from subscribers.segments.filters import Filter
from subscribers.segments.store import condition

_IMPORTS = """
SELECT id, at, actor, newsletter, file, format, consent_source, counts, undone_at
FROM list_import
WHERE %(newsletter)s::text IS NULL OR newsletter = %(newsletter)s
ORDER BY id DESC LIMIT %(limit)s
"""


class PostgresLists:
    """Lists in PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def import_rows(
        self,
        blocks: Iterable[bytes],
        fields: Collection[str],
        about: ListImport,
        answer: Callable[[bytes], object],
        *,
        dry_run: bool,
    ) -> Imported:
        """Store all that is good of a list, or, when anything is raised, nothing of it."""
        with transaction(self._engine) as connection:
            return import_rows(connection, blocks, fields, about, answer, dry_run=dry_run)

    def imports(self, newsletter: str | None, limit: int) -> tuple[PastImport, ...]:
        """Return what was imported, the latest first."""
        values = {"limit": limit, "newsletter": newsletter}
        with transaction(self._engine) as connection:
            return tuple(PastImport(**row) for row in rows(connection, _IMPORTS, values))

    def undo(self, import_id: int, *, at: datetime, actor: str, dry_run: bool) -> Undone | None:
        """Take an import back; None when there was no such import."""
        with transaction(self._engine) as connection:
            return undo(connection, import_id, at=at, actor=actor, dry_run=dry_run)

    def export(
        self,
        newsletter: str,
        chosen: Filter,
        today: date,
        take: Callable[[bytes], object],
        *,
        csv: bool,
    ) -> int:
        """Give who is in a segment, as CSV or as a JSON object a line; return how many."""
        with transaction(self._engine) as connection:
            return export(connection, condition(newsletter, chosen, today), take, csv=csv)
