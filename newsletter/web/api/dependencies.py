"""What the API's routes depend on: the services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from newsletter.core.brief import Brief
from newsletter.core.publication import Newsletter
from newsletter.services.api_tokens import ApiTokens
from newsletter.services.archive import Archive
from newsletter.services.intake import Intake
from newsletter.services.repeated_requests import RepeatedRequests
from newsletter.web.api.rate_limit import RequestAllowances


@dataclass(frozen=True, kw_only=True)
class ApiServices:
    """Everything the API's routes use; the application's state holds it."""

    newsletters: Mapping[str, Newsletter]
    now: Callable[[], datetime]
    unanswered: tuple[type[Exception], ...]  #: of a database that is busy, gone or silent
    unreadable: tuple[type[Exception], ...]  #: of a value that the database cannot hold
    rate_limit: RequestAllowances
    tokens: ApiTokens
    repeated: RepeatedRequests
    archive: Archive
    intake: Intake
    #: From the fields of a brief, and a function from a field's name to its place.
    read_brief: Callable[[Mapping[str, object], Callable[[str], str]], Brief]
    read_page: Callable[[str, str], tuple[Brief, ...]]  #: from a page's HTML and its place


def api_services_of(request: Request) -> ApiServices:
    """Return what the application was created with."""
    return request.app.state.services
