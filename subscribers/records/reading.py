"""Reading the records: search, one person, and everything that is recorded about them."""

from collections.abc import Collection
from typing import Any

from sqlmodel import Session, col, select

from subscribers.db.record_tables import ConsentTextRow
from subscribers.db.suppressions import suppression_of
from subscribers.db.transaction import rows, scalar
from subscribers.records.model import ConsentRecord, Person, SearchHit, SubscriberListing
from subscribers.subscriptions.reading import subscriptions_of

_CHOICE = """
      AND id IN (
          SELECT subscriber_id FROM subscription
          WHERE undone_at IS NULL
            AND (%(tag)s::text IS NULL OR tags <> '{}' AND tags @> ARRAY[%(tag)s::text])
            AND (%(newsletters)s::text[] IS NULL OR newsletter = ANY(%(newsletters)s::text[]))
      )
"""


def _search(choice: str) -> str:
    """Return the statement that searches among all subscribers, or those of a choice.

    A whole address is found by its key. A part of one is looked for from the newest row on, and the
    search ends when enough are found; at worst it reads a million addresses, in a third of a
    second.
    """
    return f"""
WITH met AS (
    SELECT subscriber.* FROM subscriber
    WHERE CASE WHEN %(whole)s THEN email_key = %(part)s ELSE position(%(part)s IN email_key) > 0 END
      AND (%(before)s::bigint IS NULL OR id < %(before)s)
      {choice}
    ORDER BY id DESC LIMIT %(limit)s
)
SELECT met.id, email, name, met.created_at AS since, merged_into IS NOT NULL AS merged,
       suppression.reason AS suppressed,
       COALESCE(array_agg(newsletter || ': ' || CASE
           WHEN undone_at IS NOT NULL THEN 'undone with ' || subscription.source
           WHEN status = 'active' AND paused_at IS NOT NULL THEN 'paused' ELSE status END
           ORDER BY newsletter) FILTER (WHERE newsletter IS NOT NULL), '{{}}') AS statuses,
       ARRAY(SELECT DISTINCT tag FROM subscription AS own, unnest(own.tags) AS tag
             WHERE own.subscriber_id = met.id AND own.undone_at IS NULL
               AND (%(shown)s::text[] IS NULL OR own.newsletter = ANY(%(shown)s::text[]))
             ORDER BY tag) AS tags
FROM met
LEFT JOIN suppression USING (email_key)
LEFT JOIN subscription ON subscriber_id = met.id
     AND (%(shown)s::text[] IS NULL OR newsletter = ANY(%(shown)s::text[]))
GROUP BY met.id, email, name, met.created_at, merged_into, suppression.reason
ORDER BY met.id DESC
"""


_SEARCH, _SEARCH_CHOSEN = _search(""), _search(_CHOICE)

# Who was merged into somebody is that person, unless they came back under this address.
_FOLLOWED = """
SELECT COALESCE(
    CASE WHEN NOT EXISTS (
        SELECT FROM subscription WHERE subscriber_id = subscriber.id AND status = 'active'
    ) THEN merged_into END, id) AS id
FROM subscriber
"""
_FOLLOWED_KEY = _FOLLOWED + "WHERE email_key = %(key)s"
_FOLLOWED_ID = _FOLLOWED + "WHERE id = %(id)s"

_PERSON = """
SELECT id, email, email_key, name, created_at,
       ARRAY(SELECT email FROM subscriber AS other WHERE merged_into = subscriber.id ORDER BY id)
       AS other_addresses,
       ARRAY(SELECT newsletter FROM signup WHERE signup.email_key = subscriber.email_key ORDER BY 1)
       AS pending_signups,
       (SELECT email FROM address_change
        WHERE subscriber_id = subscriber.id AND replaced_at IS NULL) AS new_address
FROM subscriber WHERE id = %(id)s
"""

# Who was merged is read with who was kept, also when they came back under their own address since.
# An import writes no act of consent for each row: the subscription's `import_id` stands for one,
# once for the two of a merge. Either way the import has the operator's statement of consent.
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
), stated AS (
    SELECT id AS import_id, at, 'import ' || id AS source, jsonb_strip_nulls(jsonb_build_object(
               'statement', consent_source, 'file', file, 'format', nullif(format, ''),
               'operator', nullif(actor, ''))) AS facts
    FROM list_import
), imported_once AS (
    SELECT DISTINCT ON (import_id, newsletter) person.id, email, newsletter, import_id, import_line
    FROM person JOIN subscription ON subscriber_id = person.id WHERE import_id IS NOT NULL
    ORDER BY import_id, newsletter, subscription.id
)
SELECT consent.at, consent.source AS actor, act AS what, true AS consent, newsletter, email,
       consent.detail || COALESCE(facts, '{}') AS detail, consent.id AS place,
       person.id AS person
FROM person
JOIN consent ON consent.subscriber_id = person.id
LEFT JOIN stated ON act = 'imported' AND stated.source = consent.source
UNION ALL
SELECT stated.at, stated.source, 'imported', true, newsletter, email,
       facts || jsonb_strip_nulls(jsonb_build_object('line', import_line)), 0, imported_once.id
FROM imported_once JOIN stated USING (import_id)
WHERE NOT EXISTS (
    SELECT FROM consent
    WHERE consent.subscriber_id = imported_once.id AND consent.source = stated.source
      AND consent.newsletter = imported_once.newsletter AND act = 'imported'
)
UNION ALL
SELECT at, actor, what, false, newsletter, email, detail, change.id, person.id
FROM person JOIN change ON change.subscriber_id = person.id
ORDER BY at, consent DESC, place
"""


def search(
    session: Session, part: str, *, tag: str | None, newsletter: str | None, limit: int
) -> tuple[SearchHit, ...]:
    """Return who has this address, or else this part of one."""
    only = None if newsletter is None else [newsletter]
    which = {"part": part, "tag": tag, "newsletters": only, "limit": limit}
    return _found(session, whole=True, **which) or _found(session, whole=False, **which)


def listed(session: Session, which: SubscriberListing, *, limit: int) -> tuple[SearchHit, ...]:
    """Return who is in a list of subscribers."""
    return _found(
        session,
        part=which.email or which.part,
        whole=which.email is not None,
        tag=which.tag,
        newsletters=None if which.newsletters is None else sorted(which.newsletters),
        shown=None if which.shown is None else sorted(which.shown),
        before=which.before,
        limit=limit,
    )


def _found(session: Session, **which: Any) -> tuple[SearchHit, ...]:
    chosen = which["tag"] is not None or which["newsletters"] is not None
    values = {"shown": None, "before": None} | which
    found = rows(session, _SEARCH_CHOSEN if chosen else _SEARCH, values)
    for row in found:
        row["statuses"], row["tags"] = tuple(row["statuses"]), tuple(row["tags"])
    return tuple(SearchHit(**row) for row in found)


def subscriber_id_of(session: Session, email_key: str) -> int | None:
    """Return whose address this is; of a merged one, who was kept."""
    return scalar(session, _FOLLOWED_KEY, {"key": email_key})


def person(session: Session, subscriber_id: int) -> Person | None:
    """Return everything of one subscriber; of a merged one, who was kept."""
    number = scalar(session, _FOLLOWED_ID, {"id": subscriber_id})
    if number is None:
        return None
    [row] = rows(session, _PERSON, {"id": number})
    return Person(
        id=number,
        email=row["email"],
        name=row["name"],
        since=row["created_at"],
        other_addresses=tuple(row["other_addresses"]),
        subscriptions=subscriptions_of(session, row["email_key"]),
        suppression=suppression_of(session, row["email_key"]),
        notes=tuple(one for one in entries(session, number) if one.what == "note"),
        pending_signups=tuple(row["pending_signups"]),
        new_address=row["new_address"],
    )


def entries(session: Session, subscriber_id: int) -> tuple[ConsentRecord, ...]:
    found = rows(session, _ENTRIES, {"id": subscriber_id})
    _restore_addresses(found)
    return tuple(
        ConsentRecord(**{k: v for k, v in row.items() if k not in ("place", "person")})
        for row in found
    )


def consent_texts(session: Session, hashes: Collection[str]) -> dict[str, str]:
    """Return those of these that are hashes of words people agreed to."""
    row = ConsentTextRow
    found = select(row).where(col(row.hash).in_(hashes)).order_by(row.hash)
    return {one.hash: one.text for one in session.exec(found)}


def _restore_addresses(entries: list[dict[str, Any]]) -> None:
    """Give each entry the address of its time: before a change of address, the former one."""
    former: dict[int, str] = {}
    for entry in reversed(entries):
        person, detail = entry["person"], entry["detail"]
        entry["email"] = former.get(person, entry["email"])
        if entry["what"] == "address" and not entry["consent"]:
            former[person] = detail.get("from", entry["email"])
