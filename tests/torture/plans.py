"""What is done to a send, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.torture.disturbances import MakeDisturbance

#: Three calls of ten go wrong, each in one of these ways.
FAULTS = (
    {"kind": "hang", "share": 0.04, "seconds": 3},
    {"kind": "close_after_accept", "share": 0.04},
    {"kind": "truncate_202", "share": 0.04},
    {"kind": "reset", "share": 0.04},
    {"kind": "close_before_read", "share": 0.03},
    {"kind": "redirect", "share": 0.04},
    {"kind": "status_503", "share": 0.03, "accept": True},
    {"kind": "status_500", "share": 0.03, "accept": False},
    {"kind": "status_502", "share": 0.02, "accept": False},
    {"kind": "status_429", "share": 0.02, "seconds": 1},
    {"kind": "early_413", "share": 0.02},
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is done to a send."""

    name: str
    kills: int
    rounds: int = 1  #: at least; more as long as there were too few kills
    killed: Literal["processes", "PostgreSQL"] = "processes"
    faults: bool = False
    postgres: bool = False  #: PostgreSQL is restarted as well, at every fifth kill
    two: bool = False  #: two workers and two schedulers; any of them is killed
    events: bool = True  #: whether SendGrid posts any
    logs: bool = True  #: whether Email Logs may be read
    relayed: bool = False  #: events come by a relay, which may hold them back
    default: bool = False  #: the database is the one that the service starts by itself
    meanwhile: Sequence[MakeDisturbance] = ()
    may_double: bool = False  #: a doubling is possible, and must then be reported
    seed: int = 0


@dataclass(kw_only=True)
class Result:
    """The result of all rounds of a plan."""

    name: str
    kills: int = 0
    kill_points: dict[str, int] = field(default_factory=dict)  #: kills by point
    restarts: int = 0  #: of PostgreSQL
    deaths: int = 0  #: processes that ended by themselves, in error
    disturbed: dict[str, int] = field(default_factory=dict)  #: what else was done, how often
    recipients: int = 0
    lost: int = 0
    doubled: int = 0
    reported: int = 0  #: doubled letters that the sums and an alert report
    after_unsubscribe: int = 0  #: letters requested after an unsubscribe was answered
    by_event: int = 0
    by_absence: int = 0
    by_logs: int = 0
    by_hand: int = 0
    requests: int = 0
    seconds: float = 0.0
    may_double: bool = False
    doublings: list[str] = field(default_factory=list)  #: how each came about
    wrong: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Return whether everybody who stayed got the issue once, or is reported."""
        doubled = self.doubled and not (self.may_double and self.doubled == self.reported)
        return not (self.lost or doubled or self.after_unsubscribe or self.wrong)
