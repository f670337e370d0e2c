"""The runs of `make torture`."""

from tests.torture.clock_moves import ClockMoves
from tests.torture.foreign_events import ForeignEvents
from tests.torture.list_changes import ListChanges
from tests.torture.plans import Plan
from tests.torture.webhook_line import LatePosts, Outages

_KILLS = 300

_ALL = (
    Plan(name="kills", kills=_KILLS),
    Plan(name="kills + faults", kills=_KILLS, faults=True),
    Plan(name="kills + postgres", kills=_KILLS, postgres=True),
    Plan(name="kills + two", kills=_KILLS, two=True),
    Plan(name="all at once", kills=_KILLS, faults=True, postgres=True, two=True),
    Plan(name="kills without events", kills=_KILLS, events=False),
    Plan(name="kills + faults without events", kills=_KILLS, faults=True, events=False),
    Plan(
        name="kills + faults without events or logs",
        kills=_KILLS,
        faults=True,
        events=False,
        logs=False,
    ),
    Plan(
        name="webhook line down",
        kills=0,
        faults=True,
        logs=False,
        relayed=True,
        meanwhile=(Outages,),
    ),
    Plan(
        name="single posts late",
        kills=0,
        faults=True,
        logs=False,
        relayed=True,
        meanwhile=(LatePosts,),
        may_double=True,
    ),
    Plan(name="foreign events", kills=_KILLS, faults=True, meanwhile=(ForeignEvents,)),
    Plan(name="clock moved", kills=_KILLS, faults=True, meanwhile=(ClockMoves,)),
    Plan(name="imports and saved pages", kills=_KILLS, faults=True, meanwhile=(ListChanges,)),
    Plan(
        name="default database killed",
        kills=_KILLS,
        killed="PostgreSQL",
        faults=True,
        default=True,
    ),
)
PLANS = {plan.name: plan for plan in _ALL}  #: every run by its name
