"""The names in a request's query: one that the route does not know is refused, not passed over.

A filter that is mistyped would list everything instead.
"""

from collections.abc import Callable

from fastapi import Request
from fastapi.dependencies.models import Dependant

from newsletter.web.api.problems import problem_with
from newsletter.web.api.schemas import FieldError

_LONGEST = 100  #: characters of a strange name that are repeated


def refusing_others(dependant: Dependant) -> Callable[[Request], None]:
    """Return what raises the problem of a request with a name that its route does not take."""
    known = frozenset(_names(dependant))
    choose = f"choose from: {', '.join(sorted(known))}" if known else "none is taken here"

    def refuse(request: Request) -> None:
        others = sorted(set(request.query_params) - known)
        detail = f"there is no parameter of this name; {choose}"
        wrong = [FieldError(pointer=f"query/{one[:_LONGEST]}", detail=detail) for one in others]
        if wrong:
            raise problem_with(wrong)

    return refuse


def _names(dependant: Dependant) -> list[str]:
    below = [name for one in dependant.dependencies for name in _names(one)]
    return [one.alias for one in dependant.query_params] + below
