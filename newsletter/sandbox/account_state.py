"""The account that a sandbox plays: what it says of itself, and may be changed to say.

`PUT /sandbox/account` replaces parts of it, each as a whole; `refuse` answers a path with a status,
and `date_skew` moves the clock that every answer shows.
"""

import json
import threading
from typing import Any, TypedDict, cast

from newsletter.sandbox.rules import is_object

_SCOPES = [
    "mail.send", "mail.batch.create", "mail.batch.read", "suppression.read", "whitelabel.read",
    "user.webhooks.event.settings.read", "user.webhooks.parse.settings.read", "asm.groups.read",
    "mail_settings.read", "tracking_settings.read", "user.credits.read", "messages.read",
]  # fmt: skip
_MAIL_SETTINGS = ("address_whitelist", "bounce_purge", "footer", "forward_bounce", "template")
_TRACKING = ("open", "click", "subscription", "google_analytics")


class AccountState(TypedDict):
    """The parts of an account, in the shape in which a test or a person writes them."""

    keys: list[str]  #: that are not deleted; empty: those that it was started with
    scopes: list[str]
    domains: list[dict[str, Any]]  #: domain, and valid
    links: list[dict[str, Any]]  #: domain, and valid
    senders: list[dict[str, Any]]  #: from_email, and verified
    webhooks: list[dict[str, Any]]  #: url; enabled, signed, and whatever event is off
    parse: list[dict[str, Any]]  #: hostname and url
    mail_settings: dict[str, bool]
    tracking_settings: dict[str, bool]
    groups: list[str]
    credits: dict[str, Any]
    refuse: dict[str, int]  #: a path and the status that it is answered with
    date_skew: int  #: seconds


def initial_state() -> AccountState:
    """Return an account that nobody has set up yet."""
    return AccountState(
        keys=[],
        scopes=_SCOPES,
        domains=[],
        links=[],
        senders=[],
        webhooks=[],
        parse=[],
        mail_settings=dict.fromkeys(_MAIL_SETTINGS, False),
        tracking_settings=dict.fromkeys(_TRACKING, False),
        groups=[],
        credits={"remain": 100_000, "total": 100_000, "used": 0},
        refuse={},
        date_skew=0,
    )


class PlayedAccount:
    """What the account says of itself; several threads may ask."""

    def __init__(self) -> None:
        self._lock, self._state = threading.Lock(), initial_state()

    @property
    def state(self) -> AccountState:
        with self._lock:
            return self._state

    def change(self, body: bytes) -> None:
        """Replace the parts that a JSON object names; an empty one resets all; or ValueError."""
        try:
            given = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ValueError("the body is not JSON") from error
        fresh = initial_state()
        if not is_object(given) or not given.keys() <= fresh.keys():
            raise ValueError(f"the body is an object of {', '.join(fresh)}")
        with self._lock:
            self._state = cast("AccountState", {**self._state, **given}) if given else fresh
