"""The readers behind each number of an issue.

Each answer reads a bounded part of the deliveries, and may be short of a page: there is no index
of what is rare, since it would have to change with every event.
"""

from typing import Any

from newsletter.core.issue_people import PAGE, IssueGroup, IssuePerson, IssueReading, PeoplePage
from newsletter.core.results import ARRIVED_MASKS, BY_READER, MASKS, ResultWord
from newsletter.stores.exclusions import REASONS, next_excluded
from newsletter.stores.look_up import LOOK_UP_UNCOMPILED
from newsletter.stores.results import leaving_window
from subscribers.db.transaction import DatabaseStore, execute, rows, transaction
from subscribers.model import Exclusion

_BATCHES = 100  #: that one answer reads at most
_DIGITS = 18  #: of a number that surely fits

#: Which batches have such deliveries, and which of theirs are such.
_CHOICES = {
    IssueGroup.SKIPPED: ("skipped_count > 0", "skipped IS NOT NULL"),
    IssueGroup.REFUSED: (
        "(refused_count > 0 OR state = 'refused')",
        "skipped IS NULL AND (refused IS NOT NULL OR batch.state = 'refused')",
    ),
    IssueGroup.UNKNOWN: ("state = 'unknown'", "skipped IS NULL AND refused IS NULL"),
}

_TAKEN = "skipped IS NULL AND refused IS NULL"
_THERE, _DELIVERED, _CAME_BACK = ARRIVED_MASKS
_READINGS = {
    IssueReading.SENT: ("state = 'accepted'", _TAKEN),
    # As `newsletter.core.results.words_of` has it.
    IssueReading.ARRIVED: (
        "state = 'accepted'",
        f"""{_TAKEN} AND (delivery.reported & {_THERE} <> 0
            OR delivery.reported & {_DELIVERED} <> 0 AND delivery.reported & {_CAME_BACK} = 0)""",
    ),
    **{
        IssueReading(word.value): ("state = 'accepted'", f"delivery.reported & {bits} <> 0")
        for word, bits in BY_READER.items()
    },
}
_BY_EVENTS = (
    "state = 'accepted'",
    "delivery.reported & %(any)s <> 0 AND delivery.reported & %(none)s = 0",
)

_NEXT_BATCHES = """
    SELECT id FROM batch
     WHERE issue_id = %(issue)s AND id >= %(batch)s AND {} ORDER BY id LIMIT %(batches)s
"""

_DELIVERIES = """
    SELECT found.*, COALESCE(addressee.email, '') AS email
      FROM (SELECT batch.id AS batch_id, one.*
              FROM batch CROSS JOIN LATERAL (
                       SELECT delivery.place, subscriber_id, subscription_id,
                              COALESCE(skipped, refused, batch.reason, '') AS reason
                         FROM delivery
                        WHERE delivery.issue_id = %(issue)s
                          AND delivery.place BETWEEN batch.first_place AND batch.last_place AND {}
                          AND (batch.id > %(batch)s OR delivery.place > %(place)s)
                        ORDER BY delivery.place) AS one
             WHERE batch.id = ANY(%(ids)s)
             ORDER BY batch.id, one.place LIMIT %(limit)s) AS found
           LEFT JOIN addressee USING (subscription_id)
     ORDER BY batch_id, found.place
"""

_LEFT = """
    SELECT delivery.place, delivery.subscriber_id, COALESCE(addressee.email, '') AS email,
           min(consent.source) AS reason
      FROM consent JOIN delivery ON delivery.subscriber_id = consent.subscriber_id
                                AND delivery.issue_id = %(issue)s
           LEFT JOIN addressee USING (subscription_id)
     WHERE consent.at >= %(since)s AND consent.at < COALESCE(%(until)s::timestamptz, 'infinity')
       AND act = 'withdrawn' AND newsletter = %(list)s AND delivery.place > %(after)s
       AND delivery.reported & %(complained)s = 0
       AND delivery.skipped IS NULL AND delivery.refused IS NULL
     GROUP BY delivery.place, delivery.subscriber_id, addressee.email
     ORDER BY delivery.place LIMIT %(limit)s
"""


class IssuePeopleStore(DatabaseStore):
    """Finds the readers behind a number, by a cursor that a page bears on."""

    def deliveries(
        self,
        issue_id: int,
        group: IssueGroup | IssueReading,
        cursor: str | None,
        size: int | None = None,
    ) -> PeoplePage:
        """Return readers whose delivery has a state of its own, or its batch's, or an event's."""
        size = size or PAGE
        if isinstance(group, IssueReading):
            batches, deliveries = _READINGS[group]
        else:
            batches, deliveries = _CHOICES.get(group, _BY_EVENTS)
        batch, place = _place(cursor)
        values: dict[str, Any] = {"issue": issue_id, "batch": batch, "place": place}
        values |= {"batches": _BATCHES + 1, "limit": size + 1}
        if isinstance(group, IssueGroup) and group not in _CHOICES:
            values["any"], values["none"] = MASKS[ResultWord(group.value)]
        with transaction(self._engine, snapshot=True) as session:
            execute(session, LOOK_UP_UNCOMPILED)
            ids = [r["id"] for r in rows(session, _NEXT_BATCHES.format(batches), values)]
            values["ids"] = ids[:_BATCHES]
            found = rows(session, _DELIVERIES.format(deliveries), values)
        if len(found) > size:
            last = found[size - 1]
            following = f"{last['batch_id']}-{last['place']}"
        else:
            following = f"{ids[_BATCHES]}-0" if len(ids) > _BATCHES else None
        plain = isinstance(group, IssueReading) or group not in _CHOICES
        return PeoplePage(people=_people(found[:size], plain=plain), cursor=following)

    def excluded(
        self,
        issue_id: int,
        reason: str | None,
        cursor: str | None,
        size: int | None = None,
        *,
        nothing: bool,
    ) -> PeoplePage:
        """Return readers who get no delivery, for one reason or for any."""
        size = size or PAGE
        with transaction(self._engine) as session:
            execute(session, LOOK_UP_UNCOMPILED)
            found = next_excluded(
                session, issue_id, _reasons(reason, nothing=nothing), _place(cursor)[1], size + 1
            )
        following = f"0-{found[size - 1]['subscriber_id']}" if len(found) > size else None
        return PeoplePage(people=_people(found[:size], plain=nothing), cursor=following)

    def left(self, issue_id: int, cursor: str | None, size: int | None = None) -> PeoplePage:
        """Return who unsubscribed after they got an issue, and before the next one."""
        size = size or PAGE
        with transaction(self._engine) as session:
            values = leaving_window(session, issue_id)
            values |= {"after": _place(cursor)[1], "limit": size + 1}
            execute(session, LOOK_UP_UNCOMPILED)
            found = rows(session, _LEFT, values)
        following = f"0-{found[size - 1]['place']}" if len(found) > size else None
        return PeoplePage(people=_people(found[:size], plain=False), cursor=following)


def _place(cursor: str | None) -> tuple[int, int]:
    """Read a cursor; what is none begins at the beginning."""
    first, _, second = (cursor or "").partition("-")
    known = first.isdecimal() and second.isdecimal() and max(len(first), len(second)) <= _DIGITS
    return (int(first), int(second)) if known else (0, 0)


def _reasons(reason: str | None, *, nothing: bool) -> list[str]:
    """Return the reasons that are asked for; that no story is for them is a number of its own."""
    if nothing:
        return [Exclusion.NO_STORY]
    others = [one for one in REASONS if one != Exclusion.NO_STORY]
    return others if reason is None else [one for one in others if one == reason]


def _people(found: list[dict[str, Any]], *, plain: bool) -> tuple[IssuePerson, ...]:
    return tuple(
        IssuePerson(
            subscriber_id=row["subscriber_id"],
            email=row["email"],
            reason="" if plain else row["reason"],
        )
        for row in found
    )
