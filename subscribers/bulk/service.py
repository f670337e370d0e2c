"""Bulk changes: whom the rows of a file or the members of a segment are, and what is left to do.

Whoever is meant is looked up first and then stays the same, however the change moves people in or
out of the segment. The change is made in portions, each a short transaction of its own, so that
nobody waits for it; repeated, it does what is left.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine

from subscribers.addresses import email_key
from subscribers.bulk.stored_rows import StoredRows
from subscribers.db.statements import erasure_hash
from subscribers.db.suppressions import LADDER_VALUES
from subscribers.db.transaction import rows, transaction
from subscribers.lists.address_list import ListedAddress, read_addresses
from subscribers.lists.encoding import written_whole
from subscribers.lists.portions import patiently
from subscribers.records.model import BulkChoice, BulkRow, BulkState, BulkVerb
from subscribers.segments.condition import condition
from subscribers.segments.filters import Filter
from subscribers.spreadsheet import plain_cell

Item = TypeVar("Item")

PORTION = 1000  #: subscribers

# Which subscriptions change. One that an undone import had added has not left by itself.
_CHANGES = {
    BulkVerb.TAG: "undone_at IS NULL AND NOT tags @> %(tags)s::text[]",
    BulkVerb.UNTAG: "undone_at IS NULL AND tags && %(tags)s::text[]",
    BulkVerb.UNSUBSCRIBE: "(status = 'active' OR undone_at IS NOT NULL)",
    BulkVerb.SUPPRESS: "true",
    BulkVerb.ERASE: "true",
}

_OF_NEWSLETTER = "newsletter = COALESCE(%(newsletter)s::text, newsletter)"

# As weighty a reason stands already; or the address was erased, and is not stored again.
_SUPPRESSED = f"""
(EXISTS (SELECT FROM suppression WHERE suppression.email_key = {{key}}
          AND array_position(%(ladder)s::text[], suppression.reason)
           >= array_position(%(ladder)s::text[], %(reason)s))
 OR EXISTS (SELECT FROM erasure WHERE hash = {erasure_hash("{key}")}))
"""

_ON_RECORD = """
(person.id IS NOT NULL
 OR EXISTS (SELECT FROM signup WHERE signup.email_key = given.email_key)
 OR EXISTS (SELECT FROM address_change WHERE address_change.email_key = given.email_key)
 OR EXISTS (SELECT FROM suppression WHERE suppression.email_key = given.email_key)
 OR EXISTS (SELECT FROM suppression_lift AS lift WHERE lift.email_key = given.email_key))
"""
_SUBSCRIBED = f"""
EXISTS (SELECT FROM subscription WHERE subscriber_id = person.id AND {_OF_NEWSLETTER})
"""
_KNOWN = {BulkVerb.ERASE: _ON_RECORD, BulkVerb.SUPPRESS: "person.id IS NOT NULL"}

# Who was merged into somebody is that person, unless they came back: `subscribers.records.reading`.
_IN_FILE = """
SELECT person.id AS subscriber_id, {known} AS known, {suppressed} AS suppressed,
       ARRAY(SELECT subscription.id FROM subscription
              WHERE subscriber_id = person.id AND {of_newsletter} AND {changes}
              ORDER BY id) AS subscription_ids
FROM unnest(%(keys)s::text[]) WITH ORDINALITY AS given (email_key, place)
LEFT JOIN LATERAL (
    SELECT COALESCE(
        CASE WHEN NOT EXISTS (
            SELECT FROM subscription WHERE subscriber_id = subscriber.id AND status = 'active'
        ) THEN merged_into END, id) AS id
    FROM subscriber WHERE email_key = given.email_key
) AS person ON true
ORDER BY place
"""

_IN_SEGMENT = """
SELECT subscription.id AS number, email, subscriber_id, true AS known, {suppressed} AS suppressed,
       CASE WHEN {changes} THEN ARRAY[subscription.id] ELSE '{{}}' END AS subscription_ids
FROM subscription JOIN subscriber ON subscriber.id = subscriber_id
WHERE subscription.id > %(after)s AND {chosen} ORDER BY subscription.id LIMIT %(portion)s
"""


class BulkRows:
    """Finds whom a bulk change means, and writes down what became of each."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def in_file(
        self,
        choice: BulkChoice,
        path: Path,
        *,
        columns: tuple[str, ...] = (),
        encoding: str | None = None,
    ) -> StoredRows:
        """Return each row of a list; raise InvalidList, or ListQuestions about its encoding."""
        listed = read_addresses(path, columns=columns, encoding=encoding)
        seen = set[str]()
        found = (self._rows(choice, part, seen) for part in in_portions(listed))
        return StoredRows(row for part in found for row in part)

    def in_segment(
        self, choice: BulkChoice, newsletter: str, chosen: Filter, *, now: datetime
    ) -> StoredRows:
        """Return each member of a segment."""
        where = condition(newsletter, chosen, now.astimezone(UTC).date())
        statement = _IN_SEGMENT.format(
            changes=_CHANGES[choice.verb],
            chosen=where.sql,
            suppressed=_suppressed(choice, "subscriber.email_key"),
        )
        values = {**where.values, **_values(choice), "portion": PORTION}
        return StoredRows(self._members(choice, statement, values))

    def _members(
        self, choice: BulkChoice, statement: str, values: Mapping[str, Any]
    ) -> Iterator[BulkRow]:
        after = 0
        while True:
            with transaction(self._engine) as session:
                found = rows(session, statement, {**values, "after": after})
            if not found:
                return
            yield from (_row(choice, 0, one["email"], one) for one in found)
            after = found[-1]["number"]

    def _rows(
        self, choice: BulkChoice, listed: Sequence[ListedAddress], seen: set[str]
    ) -> Iterator[BulkRow]:
        keys = [email_key(one.email) for one in listed]
        statement = _IN_FILE.format(
            changes=_CHANGES[choice.verb],
            known=_KNOWN.get(choice.verb, _SUBSCRIBED),
            of_newsletter=_OF_NEWSLETTER,
            suppressed=_suppressed(choice, "given.email_key"),
        )
        with transaction(self._engine) as session:
            found = rows(session, statement, _values(choice) | {"keys": keys})
        for one, key, row in zip(listed, keys, found, strict=True):
            if one.problem:
                yield BulkRow(one.line, one.email, BulkState.REFUSED, problem=one.problem)
            elif key in seen:
                yield BulkRow(one.line, one.email, BulkState.REPEATED)
            else:
                yield _row(choice, one.line, one.email, row)
            seen.add(key)

    @staticmethod
    def write(path: Path, found: Iterable[BulkRow], words: Mapping[BulkState, str]) -> None:
        """Write what became of each row into a CSV file, which is whole or not there."""
        with written_whole(path) as file, TextIOWrapper(file, "utf-8", newline="") as text:
            written = csv.writer(text, quoting=csv.QUOTE_ALL)
            written.writerow(("line", "email", "result", "reason"))
            for one in found:
                said = (one.email, words[one.state], one.problem)
                written.writerow((one.line or "", *map(plain_cell, said)))
            text.flush()


def in_portions(items: Iterable[Item], size: int = PORTION) -> Iterator[list[Item]]:
    rest = iter(items)
    while portion := list(islice(rest, size)):
        yield portion


def change_in_portions(
    found: Iterable[BulkRow],
    act: Callable[[Sequence[BulkRow]], int],
    on_progress: Callable[[int], object],
    size: int = PORTION,
) -> Iterator[int]:
    """Change a portion at a time, waiting for whoever is in the way; yield how many changed."""
    done = 0
    for portion in in_portions(found, size):
        yield patiently(partial(act, portion))
        done += len(portion)
        on_progress(done)


def _suppressed(choice: BulkChoice, key: str) -> str:
    return _SUPPRESSED.format(key=key) if choice.verb is BulkVerb.SUPPRESS else "false"


def _values(choice: BulkChoice) -> dict[str, Any]:
    return {
        "ladder": LADDER_VALUES,
        "newsletter": choice.newsletter,
        "reason": choice.reason.value,
        "tags": list(choice.tags),
    }


def _row(choice: BulkChoice, line: int, email: str, row: Mapping[str, Any]) -> BulkRow:
    by_address = choice.verb in (BulkVerb.SUPPRESS, BulkVerb.ERASE)
    suppresses = choice.verb is BulkVerb.SUPPRESS
    problem = "" if row["known"] else "nothing is known of this address"
    if row["suppressed"]:
        state = BulkState.ALREADY
    elif not row["known"] and not suppresses:
        state = BulkState.UNKNOWN
    else:
        changes = by_address or row["subscription_ids"]
        state = BulkState.CHANGES if changes else BulkState.ALREADY
    return BulkRow(
        line, email, state, row["subscriber_id"], tuple(row["subscription_ids"]), problem
    )
