"""The records' store: what is on file of one person, and what an operator writes there."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from subscribers.addresses import Address
from subscribers.db import merging
from subscribers.db.connection import rows, transaction
from subscribers.records import adding, erasure
from subscribers.records.model import ConsentRecord, NewSubscriber, Person, PersonIds, SearchHit
from subscribers.records.service import WholeList
from subscribers.segments.store import Condition, condition
from subscribers.subscriptions.store import PostgresStore

# A whole address is found by its key. A part of one is looked for from the newest row on, and the
# search ends when enough are found; at worst it reads a million addresses, in a third of a second.
_SEARCH = """
WITH met AS (
    SELECT subscriber.* FROM subscriber
    WHERE CASE WHEN %(whole)s THEN email_key = %(part)s ELSE position(%(part)s IN email_key) > 0 END
      {choice}
    ORDER BY id DESC LIMIT %(limit)s
)
SELECT met.id, email, name, met.created_at AS since, merged_into IS NOT NULL AS merged,
       suppression.reason AS suppressed,
       COALESCE(array_agg(newsletter || ': ' || CASE
           WHEN undone_at IS NOT NULL THEN 'taken back with ' || subscription.source
           WHEN status = 'active' AND paused_at IS NOT NULL THEN 'paused' ELSE status END
           ORDER BY newsletter) FILTER (WHERE newsletter IS NOT NULL), '{{}}') AS standing,
       ARRAY(SELECT DISTINCT tag FROM subscription AS own, unnest(own.tags) AS tag
             WHERE own.subscriber_id = met.id AND own.undone_at IS NULL ORDER BY tag) AS tags
FROM met
LEFT JOIN suppression USING (email_key)
LEFT JOIN subscription ON subscriber_id = met.id
GROUP BY met.id, email, name, met.created_at, merged_into, suppression.reason
ORDER BY met.id DESC
"""

_CHOICE = """
      AND id IN (
          SELECT subscriber_id FROM subscription
          WHERE undone_at IS NULL AND (%(tag)s::text IS NULL OR tags @> ARRAY[%(tag)s::text])
            AND (%(newsletter)s::text IS NULL OR newsletter = %(newsletter)s)
      )
"""

# Who turned out to be somebody else is that person, unless they came back under this address.
_FOLLOWED = """
SELECT COALESCE(
    CASE WHEN NOT EXISTS (
        SELECT FROM subscription WHERE subscriber_id = subscriber.id AND status = 'active'
    ) THEN merged_into END, id) AS id
FROM subscriber WHERE
"""

_PERSON = """
SELECT id, email, email_key, name, created_at,
       ARRAY(SELECT email FROM subscriber AS other WHERE merged_into = subscriber.id ORDER BY id)
       AS others,
       ARRAY(SELECT newsletter FROM signup WHERE signup.email_key = subscriber.email_key ORDER BY 1)
       AS asked,
       (SELECT email FROM address_change WHERE subscriber_id = subscriber.id) AS new_address
FROM subscriber WHERE id = %(id)s
"""

# Who was merged is read with who was kept, also when they came back under their own address since.
# An import leaves no act of consent for each row: the subscription's own note of it stands for one,
# once for the two of a merge. Either way the import says what consent it was told of.
_ENTRIES = """
WITH merged AS (
    SELECT CAST(detail ->> 'other_subscriber' AS bigint) AS id,
           max(detail ->> 'other_address') AS address
    FROM change WHERE what = 'merged' AND subscriber_id IN (
        SELECT id FROM subscriber WHERE id = %(id)s OR merged_into = %(id)s
    )
    GROUP BY 1
), person AS (
    SELECT id, email FROM subscriber WHERE id = %(id)s
    UNION ALL
    SELECT id, address FROM merged
), told AS (
    SELECT id AS import_id, at, 'import ' || id AS source, jsonb_strip_nulls(jsonb_build_object(
               'statement', consent_source, 'file', file, 'format', nullif(format, ''),
               'operator', nullif(actor, ''))) AS facts
    FROM list_import
), noted AS (
    SELECT DISTINCT ON (import_id, newsletter) person.id, email, newsletter, import_id, import_line
    FROM person JOIN subscription ON subscriber_id = person.id WHERE import_id IS NOT NULL
    ORDER BY import_id, newsletter, subscription.id
)
SELECT consent.at, consent.source AS actor, act AS what, true AS consent, newsletter, email,
       consent.detail || COALESCE(facts, '{}') AS detail, consent.id AS place,
       person.id AS person
FROM person
JOIN consent ON consent.subscriber_id = person.id
LEFT JOIN told ON act = 'imported' AND told.source = consent.source
UNION ALL
SELECT told.at, told.source, 'imported', true, newsletter, email,
       facts || jsonb_strip_nulls(jsonb_build_object('line', import_line)), 0, noted.id
FROM noted JOIN told USING (import_id)
WHERE NOT EXISTS (
    SELECT FROM consent
    WHERE consent.subscriber_id = noted.id AND consent.source = told.source
      AND consent.newsletter = noted.newsletter AND act = 'imported'
)
UNION ALL
SELECT at, actor, what, false, newsletter, email, detail, change.id, person.id
FROM person JOIN change ON change.subscriber_id = person.id
ORDER BY at, consent DESC, place
"""

# Only what changes is recorded. Rows are locked in the one order of all writers of this table.
_TAG = """
WITH held AS (
    SELECT id FROM subscription WHERE {chosen} ORDER BY id FOR NO KEY UPDATE
), changed AS (
    UPDATE subscription SET tags = ARRAY({tags})
    FROM held WHERE subscription.id = held.id AND {changes}
    RETURNING subscriber_id, newsletter
)
INSERT INTO change (subscriber_id, newsletter, at, actor, what, detail)
SELECT subscriber_id, newsletter, %(at)s, %(actor)s, %(what)s, %(detail)s FROM changed
"""
_TAG_ON = {
    "tags": "SELECT DISTINCT tag FROM unnest(tags || %(tags)s::text[]) AS tag ORDER BY tag",
    "changes": "NOT tags @> %(tags)s::text[]",
}
_TAG_OFF = {
    "tags": "SELECT tag FROM unnest(tags) AS tag WHERE tag <> ALL(%(tags)s::text[])",
    "changes": "tags && %(tags)s::text[]",
}

_NOTE = """
INSERT INTO change (subscriber_id, at, actor, what, detail)
VALUES (%(id)s, %(at)s, %(actor)s, 'note', %(detail)s)
"""

_TEXTS = "SELECT hash, text FROM consent_text WHERE hash = ANY(%(hashes)s) ORDER BY hash"


class PostgresRecords:
    """A `subscribers.records.service.RecordStore` in PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lists = PostgresStore(engine)

    def _read(self, query: str, **values: Any) -> list[Any]:
        with transaction(self._engine) as connection:
            return rows(connection, query, values)

    def search(
        self, part: str, *, tag: str | None, newsletter: str | None, limit: int
    ) -> tuple[SearchHit, ...]:
        """Return who has this part in the address, and this tag; the newest first."""
        choice = _CHOICE if tag is not None or newsletter is not None else ""
        asked = {"part": part, "tag": tag, "newsletter": newsletter, "limit": limit}
        query = _SEARCH.format(choice=choice)
        found = self._read(query, whole=True, **asked) or self._read(query, whole=False, **asked)
        return tuple(
            SearchHit(**row | {"standing": tuple(row["standing"]), "tags": tuple(row["tags"])})
            for row in found
        )

    def id_of(self, email_key: str) -> int | None:
        """Return whose address this is; of a merged one, who was kept."""
        found = self._read(_FOLLOWED + "email_key = %(key)s", key=email_key)
        return found[0]["id"] if found else None

    def person(self, subscriber_id: int) -> Person | None:
        """Return everything of one subscriber; of a merged one, who was kept."""
        followed = self._read(_FOLLOWED + "id = %(id)s", id=subscriber_id)
        found = followed and self._read(_PERSON, id=followed[0]["id"])
        return self._person(found[0]) if found else None

    def _person(self, row: Mapping[str, Any]) -> Person:
        return Person(
            id=row["id"],
            email=row["email"],
            name=row["name"],
            since=row["created_at"],
            other_addresses=tuple(row["others"]),
            subscriptions=self._lists.subscriptions_of(row["email_key"]),
            suppression=self._lists.suppression(row["email_key"]),
            notes=tuple(one for one in self.entries(row["id"]) if one.what == "note"),
            asked=tuple(row["asked"]),
            new_address=row["new_address"],
        )

    def entries(self, subscriber_id: int) -> tuple[ConsentRecord, ...]:
        """Return every act of consent and every change, the oldest first."""
        found = self._read(_ENTRIES, id=subscriber_id)
        _address(found)
        return tuple(
            ConsentRecord(**{k: v for k, v in row.items() if k not in ("place", "person")})
            for row in found
        )

    def texts(self, hashes: Collection[str]) -> dict[str, str]:
        """Return those of these that are hashes of words people agreed to."""
        found = self._read(_TEXTS, hashes=list(hashes))
        return {row["hash"]: row["text"] for row in found}

    def tag(
        self,
        chosen: Collection[int] | WholeList,
        tags: Collection[str],
        *,
        off: bool,
        actor: str,
        now: datetime,
    ) -> int:
        """Put tags on, or take them off; return how many subscriptions that changed."""
        where = _chosen(chosen, now)
        statement = _TAG.format(chosen=where.sql, **_TAG_OFF if off else _TAG_ON)
        values = {
            "actor": actor,
            "at": now,
            "detail": Jsonb({"tags": sorted(tags)}),
            "tags": sorted(tags),
            "what": "untagged" if off else "tagged",
            **where.values,
        }
        with transaction(self._engine) as connection:
            return connection.execute(statement.encode(), values).rowcount

    def note(self, subscriber_id: int, text: str, *, actor: str, now: datetime) -> None:
        """Append a note."""
        values = {"id": subscriber_id, "at": now, "actor": actor, "detail": Jsonb({"note": text})}
        with transaction(self._engine) as connection:
            connection.execute(_NOTE, values)

    def add(self, newcomer: NewSubscriber, address: Address, *, actor: str, now: datetime) -> int:
        """Add a subscription; return its number; raise NotAdded."""
        with transaction(self._engine) as connection:
            return adding.add(connection, newcomer, address, actor=actor, now=now)

    def merge(self, keep_id: int, other_id: int, *, actor: str, now: datetime) -> None:
        """Make two subscribers one; raise NotMerged, NoSuchSubscriber."""
        with transaction(self._engine) as connection:
            merging.merge(connection, keep_id, other_id, actor=actor, now=now)

    def traces(self, subscriber_id: int | None, email_key: str | None) -> PersonIds:
        """Return under which numbers somebody is known."""
        with transaction(self._engine) as connection:
            return erasure.traces(connection, subscriber_id, email_key)

    def erase(self, subscriber_id: int | None, email_key: str | None, *, now: datetime) -> None:
        """Delete all of somebody but a keyed hash of each address."""
        with transaction(self._engine) as connection:
            erasure.erase(connection, subscriber_id, email_key, now=now)

    def erased_at(self, email_key: str) -> datetime | None:
        """Return when this address was erased, if it was."""
        found = self._read(erasure.ERASED_AT, key=email_key)
        return found[0]["at"] if found else None

    def expire_evidence(self, before: datetime, *, portion: int) -> int:
        """Delete evidence of subscriptions that ended before; return how many rows, at most so."""
        with transaction(self._engine) as connection:
            return erasure.expire_evidence(connection, before, portion)


def _chosen(chosen: Collection[int] | WholeList, now: datetime) -> Condition:
    if isinstance(chosen, WholeList):
        return condition(chosen.newsletter, chosen.within, now.astimezone(UTC).date())
    return Condition("id = ANY(%(ids)s) AND undone_at IS NULL", {"ids": list(chosen)})


def _address(entries: list[dict[str, Any]]) -> None:
    """Name with each entry the address it was said of: before a change of it, the former one."""
    former: dict[int, str] = {}
    for entry in reversed(entries):
        person, detail = entry["person"], entry["detail"]
        entry["email"] = former.get(person, entry["email"])
        if entry["what"] == "address" and not entry["consent"]:
            former[person] = detail.get("from", entry["email"])
