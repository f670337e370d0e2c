"""What the console's routes depend on: the services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request

from newsletter.core.publication import Newsletter
from newsletter.services.intake import Intake
from newsletter.services.planning import Planning
from newsletter.services.publishing import Publishing
from newsletter.services.sending_limits import SendingLimits
from newsletter.web.console.pages import ConsolePages


@dataclass(frozen=True, kw_only=True)
class ConsoleServices:
    """Everything the console's routes use; the application's state holds it."""

    newsletters: Mapping[str, Newsletter]
    url: str  #: the console's own origin
    practice: bool  #: no letter leaves this machine: SendGrid's host is a sandbox
    now: Callable[[], datetime]
    pages: ConsolePages
    sessions: Any
    intake: Intake
    publishing: Publishing
    planning: Planning
    limits: SendingLimits


def console_services_of(request: Request) -> ConsoleServices:
    """Return what the application was created with."""
    return request.app.state.services
