"""The clock asks for the sources that are due, where there are any, and only as the leader."""

from dataclasses import replace
from typing import Any

import pytest

from newsletter.core.publication import Newsletter
from newsletter.scheduler import make_scheduler
from tests.settings import TECHNOLOGY
from tests.sources import feed


class Everybody:
    """Calendar, Dispatch, Leadership and Polling in one."""

    def __init__(self, *, leads: bool = True) -> None:
        self.leads, self.polled = leads, list[str]()

    def held(self) -> bool:
        return self.leads

    def poll_due(self, newsletter: Newsletter) -> None:
        self.polled.append(newsletter.slug)

    def run_due(self, *_: Any) -> None: ...

    send_alerts = recover = run_due


def scheduler(everybody: Any) -> Any:
    fed = replace(TECHNOLOGY, slug="fed", sources=(feed("https://wire.example.org/"),))
    newsletters = {"technology": TECHNOLOGY, "fed": fed}
    return make_scheduler(
        newsletters, schedule=everybody, recovery=everybody, leadership=everybody, polling=everybody
    )


def test_a_newsletter_with_sources_is_polled_and_one_without_is_not() -> None:
    everybody = Everybody()
    made = scheduler(everybody)
    assert made.get_job("poll technology") is None
    made.get_job("poll fed").func()
    assert everybody.polled == ["fed"]


@pytest.mark.parametrize("leads", [True, False])
def test_only_the_leader_polls(leads: bool) -> None:
    everybody = Everybody(leads=leads)
    scheduler(everybody).get_job("poll fed").func()
    assert bool(everybody.polled) == leads
