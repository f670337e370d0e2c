"""The room where people sign up: its page, its JSON endpoint, and what its letters' links open."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter

from newsletter.services.signup import SigningUp
from newsletter.web.public import confirm, signup, signup_json
from newsletter.web.public.form_tokens import FormTokens
from newsletter.web.public.min_duration import LEAST
from newsletter.web.public.pages import Pages


@dataclass(frozen=True)
class SignUpContext:
    """What the room needs besides what every room has."""

    signing_up: SigningUp
    forms_key: Callable[[], bytes]
    base_url: str
    least_seconds: float = LEAST  #: that an answer takes

    def routers(self, now: Callable[[], datetime], pages: Pages) -> Iterator[APIRouter]:
        """Yield the room's routes, in the order in which they are tried."""
        yield confirm.routes(self.signing_up, pages)
        url, least = self.base_url, self.least_seconds
        yield signup_json.routes(self.signing_up, base_url=url, least_seconds=least)
        stamps = FormTokens(self.forms_key, now)
        yield signup.routes(self.signing_up, stamps, pages, base_url=url, least_seconds=least)
