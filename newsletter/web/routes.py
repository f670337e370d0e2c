"""The routes of an application, as its routers have them already.

`include_router` would read every signature once more for each application, which is most of the
time that it takes to make one. No router of ours has anything that including it adds.
"""

from collections.abc import Iterable

from fastapi import APIRouter
from starlette.routing import BaseRoute


def routes_in(routers: Iterable[APIRouter]) -> list[BaseRoute]:
    """Return the routes of these routers, in their order."""
    return [route for router in routers for route in router.routes]
