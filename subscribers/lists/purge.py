"""Purging an undone import: the addresses that it alone brought leave the database.

Whoever got a letter, or did or is anything besides that import, stays: an old link must work, and
who left or must not be written to is remembered. Nobody counts as erased: a later list may add them
again. See docs/decisions/a-purge-takes-what-an-import-alone-brought.md.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Engine
from sqlmodel import Session

from subscribers.db.record_tables import ListImportRow
from subscribers.db.statements import WAIT_FOR_IMPORT
from subscribers.db.transaction import execute, rows, transaction
from subscribers.errors import NoSuchImport, NotUndone
from subscribers.lists.portions import patiently
from subscribers.model import ConsentAct

PORTION = 1000  #: subscribers

#: Who came with the import, was undone, and is not looked at yet; why they stay, if they do. Their
#: rows are locked, so that nobody subscribes or leaves in between.
_PORTION = """
WITH part AS MATERIALIZED (
    SELECT id, subscriber_id FROM subscription
     WHERE import_id = %(import)s AND undone_at IS NOT NULL AND subscriber_id > %(after)s
     ORDER BY subscriber_id LIMIT %(portion)s),
locked AS MATERIALIZED (
    SELECT part.subscriber_id FROM part JOIN subscription USING (id)
     ORDER BY part.id FOR UPDATE OF subscription)
SELECT person.id, CASE
    WHEN EXISTS (SELECT FROM suppression WHERE suppression.email_key = person.email_key)
      OR EXISTS (SELECT FROM suppression_lift AS lift WHERE lift.email_key = person.email_key)
        THEN 'suppressed'
    WHEN EXISTS (SELECT FROM subscription AS other
                  WHERE other.subscriber_id = person.id AND other.undone_at IS NULL)
        THEN 'subscribed'
    WHEN EXISTS (SELECT FROM signup WHERE signup.email_key = person.email_key)
        THEN 'signed_up'
    WHEN person.merged_into IS NOT NULL
      OR EXISTS (SELECT FROM subscriber AS other WHERE other.merged_into = person.id)
        THEN 'merged'
    WHEN EXISTS (SELECT FROM consent WHERE consent.subscriber_id = person.id
                    AND (act <> %(imported)s OR source NOT LIKE 'import %%'))
      OR EXISTS (SELECT FROM change WHERE change.subscriber_id = person.id
                    AND (what = 'note' OR actor = 'subscriber'))
      OR EXISTS (SELECT FROM address_change WHERE address_change.subscriber_id = person.id)
        THEN 'acted' END AS why
FROM locked JOIN subscriber AS person ON person.id = locked.subscriber_id
ORDER BY person.id
"""

_OF_THEM = "(SELECT id FROM subscription WHERE subscriber_id = ANY(%(ids)s))"
_PURGE = (
    "SELECT set_config('subscribers.forgetting', 'on', true)",
    f"DELETE FROM confirmation WHERE subscription_id IN {_OF_THEM}",
    f"DELETE FROM import_change WHERE subscription_id IN {_OF_THEM}",
    f"DELETE FROM segment_member WHERE subscription_id IN {_OF_THEM}",
    "DELETE FROM subscription WHERE subscriber_id = ANY(%(ids)s)",
    "DELETE FROM consent WHERE subscriber_id = ANY(%(ids)s)",
    "DELETE FROM change WHERE subscriber_id = ANY(%(ids)s)",
    "DELETE FROM subscriber WHERE id = ANY(%(ids)s)",
)


@dataclass(frozen=True, kw_only=True)
class Purged:
    """How many addresses of an undone import went, or would go, and how many stay and why."""

    import_id: int
    dry_run: bool
    removed: int = 0
    kept: Mapping[str, int] = field(default_factory=dict[str, int])


class ImportPurge:
    """Removes the addresses that an undone import alone had brought, a portion at a time."""

    def __init__(
        self, engine: Engine, written_to: Callable[[Collection[int]], Collection[int]]
    ) -> None:
        """`written_to` returns which of these subscribers have a delivery of any issue."""
        self._engine = engine
        self._written_to = written_to

    def purge(
        self,
        import_id: int,
        *,
        dry_run: bool,
        on_progress: Callable[[int], object] = lambda _: None,
    ) -> Purged:
        """Remove them, or count them; raise NoSuchImport, or NotUndone for one that still counts.

        Cut off, it has removed whole portions, and does the rest when it is called again.
        """
        self._refuse(import_id)
        removed, kept, seen, after = 0, Counter[str](), 0, 0
        while True:
            found = patiently(partial(self._portion, import_id, after, dry_run=dry_run))
            if not found:
                return Purged(import_id=import_id, dry_run=dry_run, removed=removed, kept=kept)
            stay = [why for why in found.values() if why]
            kept.update(stay)
            removed += len(found) - len(stay)
            seen, after = seen + len(found), max(found)
            on_progress(seen)

    def _refuse(self, import_id: int) -> None:
        with transaction(self._engine) as session:
            found = session.get(ListImportRow, import_id)
            if found is None:
                raise NoSuchImport(f"there was no import {import_id}")
            if found.undone_at is None:
                raise NotUndone(
                    f"import {import_id} was not undone: its subscribers count; undo it first"
                )

    def _portion(self, import_id: int, after: int, *, dry_run: bool) -> dict[int, str | None]:
        """Return some subscribers of the import, each with why they stay; the others are gone."""
        values = {"import": import_id, "after": after, "portion": PORTION}
        with transaction(self._engine) as session:
            execute(session, WAIT_FOR_IMPORT)
            found = rows(session, _PORTION, values | {"imported": ConsentAct.IMPORTED.value})
            written = frozenset(self._written_to([row["id"] for row in found]))
            whys = {
                row["id"]: "written_to" if row["id"] in written else row["why"] for row in found
            }
            if not dry_run:
                _remove(session, [one for one, why in whys.items() if why is None])
        return whys


def _remove(session: Session, ids: list[int]) -> None:
    for statement in _PURGE if ids else ():
        execute(session, statement, {"ids": ids})
