"""Unsubscribing by links: the shortest way, for mail programs post many at once, and wait."""

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from psycopg import Connection

from subscribers.db.consent import link_keys_of
from subscribers.db.pending import unsubscribe
from subscribers.errors import InvalidLink
from subscribers.model import LinkKey, Purpose
from subscribers.tokens import SignedId, check_token, read_token


def unsubscribe_by_links(
    connection: Connection[Any],
    tokens: Sequence[str],
    newsletters: Container[str],
    *,
    at: datetime,
    source: str,
) -> tuple[str | None, ...]:
    """Unsubscribe who these links belong to, by one look-up and one statement for all of them.

    Return for each the newsletter that was left, or None where the link opens nothing.
    """
    signed = dict(_read(tokens))
    keys = link_keys_of(connection, {one.subscription_id for one in signed.values()})
    opened = {
        token: one.subscription_id
        for token, one in signed.items()
        if _opens(one, keys, newsletters)
    }
    ids = set(opened.values())
    # An undone one moves even if what it was merged into does not; and of several, the number of
    # those that moved does not say whether one of them waited for a merge.
    repeat = len(ids) > 1 or any(keys[one].undone for one in ids)
    if ids:
        unsubscribe(connection, ids, at=at, source=source, repeat=repeat)
    return tuple(keys[opened[one]].newsletter if one in opened else None for one in tokens)


def _read(tokens: Sequence[str]) -> Iterator[tuple[str, SignedId]]:
    for token in tokens:
        with suppress(InvalidLink):
            yield token, read_token(token)


def _opens(signed: SignedId, keys: Mapping[int, LinkKey], newsletters: Container[str]) -> bool:
    found = keys.get(signed.subscription_id)
    if found is None or found.newsletter not in newsletters:
        return False
    with suppress(InvalidLink):
        check_token(Purpose.UNSUBSCRIBE, signed, found.link_key)
        return True
    return False
