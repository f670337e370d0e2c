"""The store of sign-ups and new addresses: each verb is one short transaction."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import DictRow, dict_row
from sqlalchemy import Engine

from subscribers.db import consent_acts, merging
from subscribers.model import ConsentAct, Frequency, TopicSet
from subscribers.signup import statements as sql
from subscribers.signup.model import (
    DAY,
    HOUR,
    LIFTED_BY_OWNER,
    AddressChange,
    Confirmed,
    ConsentProof,
    SignUp,
    SignUpRequested,
    Wanted,
    may_mail,
)
from subscribers.signup.recording import asked_for, required, show_consent, subscribe
from subscribers.signup.service import SignUpAttempt

_OWNERS = [reason.value for reason in LIFTED_BY_OWNER]
_READER = "subscriber"  #: who moved to a new address, on record
_MOVED = "new address confirmed"

_Cursor = Cursor[DictRow]


class PostgresSignUps:
    """A `subscribers.signup.service.SignUpStore` in PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def _transaction(self) -> Generator[_Cursor]:
        with self._engine.begin() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, Connection)
            with driver.cursor(row_factory=dict_row) as cursor:
                yield cursor

    def forms_key(self) -> bytes:
        """Return the house's own key for forms."""
        with self._transaction() as cursor:
            return required(cursor, sql.FORMS_KEY, {})["key"]

    def ask(
        self, asking: SignUpAttempt, wanted: Wanted, evidence: ConsentProof, *, expires_at: datetime
    ) -> SignUpRequested:
        """Keep a sign-up, unless a limit, a suppression or a subscription forbids it."""
        with self._transaction() as cursor:
            if _network_is_over(cursor, asking) or not _is_writable(cursor, asking.address.key):
                return SignUpRequested()
            mail = _count_mail(cursor, asking)
            if subscription_id := _subscription(cursor, asking):
                return SignUpRequested(subscription_id=subscription_id if mail else None)
            values = asked_for(asking, wanted, evidence, mail=mail)
            kept = required(cursor, sql.ASK, {**values, "expires_at": expires_at})
            if evidence.consent_text:
                cursor.execute(sql.CONSENT_TEXT, values)
            return SignUpRequested(signup_id=kept["id"] if mail else None)

    def again(self, asking: SignUpAttempt) -> SignUpRequested:
        """Return what to mail once more."""
        with self._transaction() as cursor:
            if _network_is_over(cursor, asking):
                return SignUpRequested()
            subscription_id = _subscription(cursor, asking)
            values = {"key": asking.address.key, "newsletter": asking.newsletter}
            waiting = cursor.execute(sql.WAITING, {**values, "now": asking.at}).fetchone()
            known = subscription_id or waiting
            if not (known and _is_writable(cursor, asking.address.key)):
                return SignUpRequested()
            if not _count_mail(cursor, asking):
                return SignUpRequested()
            if subscription_id or waiting is None:
                return SignUpRequested(subscription_id=subscription_id)
            cursor.execute(sql.MAILED, {"id": waiting["id"], "now": asking.at})
            return SignUpRequested(signup_id=waiting["id"])

    def signup(self, signup_id: int) -> SignUp | None:
        """Return the sign-up of this number, while it waits."""
        with self._transaction() as cursor:
            row = cursor.execute(sql.SIGNUP, {"id": signup_id}).fetchone()
            if row is None:
                return None
            return SignUp(
                id=row["id"],
                newsletter=row["newsletter"],
                email=row["email"],
                topics=TopicSet.of(row["topics"]),
                zone=row["zone"],
                frequency=Frequency(row["frequency"]),
                link_key=row["link_key"],
                asked_at=row["asked_at"],
                expires_at=row["expires_at"],
            )

    def confirmed(self, signup_id: int) -> tuple[bytes, Confirmed] | None:
        """Return what a confirmed sign-up became, and what its link was signed with."""
        with self._transaction() as cursor:
            row = cursor.execute(sql.CONFIRMED, {"id": signup_id}).fetchone()
            return (row["link_key"], _confirmed(row, now=False)) if row else None

    def confirm(self, signup_id: int, evidence: ConsentProof, *, at: datetime) -> Confirmed | None:
        """Make or revive the subscription a sign-up asked for; None if it is gone."""
        with self._transaction() as cursor:
            signup = cursor.execute(sql.TAKE_SIGNUP, {"id": signup_id}).fetchone()
            if signup is None:
                return None
            row = subscribe(cursor, signup, at)
            show_consent(cursor, signup, row["subscriber_id"], evidence, at)
            values = {"at": at, "key": signup["email_key"], "reasons": _OWNERS}
            cursor.execute(sql.FORGET_ERASURE, values)
            cursor.execute(sql.LIFT, values)
            cursor.execute(sql.CONFIRMATION, {**signup, **row, "at": at})
            return _confirmed(row, now=True)

    def ask_address(
        self, asking: SignUpAttempt, subscriber_id: int, *, expires_at: datetime
    ) -> int | None:
        """Keep a subscriber's new address, and return its number if it is to be mailed."""
        with self._transaction() as cursor:
            if _holder(cursor, asking.address.key) == subscriber_id:
                return None
            if not _is_writable(cursor, asking.address.key):
                return None
            mail = _count_mail(cursor, asking)
            values = {
                "at": asking.at,
                "email": asking.address.email,
                "expires_at": expires_at,
                "key": asking.address.key,
                "subscriber": subscriber_id,
            }
            kept = required(cursor, sql.ASK_ADDRESS, values)
            return kept["id"] if mail else None

    def address_change(self, change_id: int) -> AddressChange | None:
        """Return the address change of this number."""
        with self._transaction() as cursor:
            row = cursor.execute(sql.ADDRESS_CHANGE, {"id": change_id}).fetchone()
            return AddressChange(**row) if row else None

    def move(self, change_id: int, *, at: datetime) -> None:
        """Give a subscriber the address they confirmed; whoever had it is merged into them."""
        with self._transaction() as cursor:
            values: dict[str, Any] = {"at": at, "id": change_id}
            people = cursor.execute(sql.MOVING, values).fetchall()
            mover = next((one for one in people if one["moves"]), None)
            other = next((one for one in people if not one["moves"]), None)
            if mover is None or mover["email_key"] == mover["new_key"]:
                return  # gone, or moved before
            if other and other["merged_into"] is None:
                _merge(cursor, mover["id"], other["id"], at)
            if other and not cursor.execute(sql.DELETE_BARE, other).rowcount:
                cursor.execute(sql.PUT_ASIDE, other)
            cursor.execute(sql.MOVE, {**mover, "at": at})
            cursor.execute(sql.LEAVE_TRACE, {**mover, "at": at})
            values = {"at": at, "key": mover["new_key"], "reasons": _OWNERS}
            cursor.execute(sql.FORGET_ERASURE, values)
            cursor.execute(sql.LIFT, values)

    def sweep(self, older: Mapping[str, datetime], *, at: datetime) -> int:
        """Delete sign-ups asked before a newsletter's moment; return how many."""
        values = {
            "at": at,
            "day": at - DAY,
            "moments": list(older.values()),
            "newsletters": list(older),
        }
        with self._transaction() as cursor:
            cursor.execute(sql.SWEEP_ASKINGS, values)
            cursor.execute(sql.SWEEP_ADDRESSES, values)
            return cursor.execute(sql.SWEEP_SIGNUPS, values).rowcount

    def writable(self, email_key: str) -> bool:
        """Tell whether something may be mailed to this address about its own wish."""
        with self._transaction() as cursor:
            return _is_writable(cursor, email_key)


def _network_is_over(cursor: _Cursor, asking: SignUpAttempt) -> bool:
    """Count this asking for its network, unless that has asked too often."""
    if not asking.network:
        return False
    values = {"at": asking.at, "name": asking.signups, "since": asking.at - HOUR}
    cursor.execute(sql.LOCK_COUNT, values)
    if len(cursor.execute(sql.COUNTED, values).fetchall()) >= asking.limits.signups_an_hour:
        return True
    cursor.execute(sql.COUNT, values)
    return False


def _count_mail(cursor: _Cursor, asking: SignUpAttempt) -> bool:
    """Count a mail to this address; False when it has had enough."""
    values = {"at": asking.at, "name": asking.mails, "since": asking.at - DAY}
    cursor.execute(sql.LOCK_COUNT, values)
    mailed = [row["at"] for row in cursor.execute(sql.COUNTED, values)]
    if not may_mail(mailed, asking.limits, asking.at, again=asking.again):
        return False
    cursor.execute(sql.COUNT, values)
    return True


def _is_writable(cursor: _Cursor, key: str) -> bool:
    values = {"key": key, "owners": _OWNERS}
    return cursor.execute(sql.FORBIDDEN, values).fetchone() is None


def _subscription(cursor: _Cursor, asking: SignUpAttempt) -> int | None:
    values = {"key": asking.address.key, "newsletter": asking.newsletter}
    found = cursor.execute(sql.SUBSCRIBED, values).fetchone()
    return found["subscription_id"] if found else None


def _holder(cursor: _Cursor, key: str) -> int | None:
    found = cursor.execute(sql.HOLDER, {"key": key}).fetchone()
    return found["id"] if found else None


def _merge(cursor: _Cursor, mover_id: int, other_id: int, at: datetime) -> None:
    """Make two one, though a goodbye had been said at the other address; not one said meanwhile."""
    cursor.execute(merging.HOLD, {"keep": mover_id, "other": other_id})
    active = [row["id"] for row in cursor.execute(sql.ACTIVE, {"subscriber": mover_id})]
    merging.merge(cursor.connection, mover_id, other_id, actor=_READER, now=at)
    consent_acts.act(cursor.connection, active, ConsentAct.RESUMED, at=at, source=_MOVED)


def _confirmed(row: DictRow, *, now: bool) -> Confirmed:
    return Confirmed(
        newsletter=row["newsletter"],
        subscription_id=row["subscription_id"],
        subscriber_id=row["subscriber_id"],
        now=now,
    )
