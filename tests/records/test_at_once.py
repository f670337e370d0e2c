"""A merge, an erasure and what people say meanwhile: whoever waits hears of what was done."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from subscribers.db import merging
from subscribers.db.connection import transaction
from subscribers.model import Frequency, TopicSet
from subscribers.signup.model import Evidence, Limits, Wanted
from subscribers.signup.service import SignUps
from subscribers.signup.store import PostgresSignUps
from tests.records.conftest import Office
from tests.waiting import until_somebody_waits

pytestmark = pytest.mark.postgres

KEEP, OTHER = "keep@example.com", "other@example.com"


def say_during_a_merge(office: Office, say: Callable[[], object]) -> None:
    engine = office.house.engine
    keep, other = office.records.id_of(KEEP), office.records.id_of(OTHER)
    with ThreadPoolExecutor(1) as thread:
        with transaction(engine) as merges:
            merging.merge(merges, keep, other, actor="anna", now=office.now)
            said = thread.submit(say)
            until_somebody_waits(engine)
        said.result()


def leave(office: Office, link: str) -> None:
    office.house.subscriptions.leave(link, {"technology"}, now=office.now, source="link")


def test_a_goodbye_through_the_others_link_during_a_merge_is_heard(office: Office):
    office.add(KEEP)
    office.add(OTHER)
    link = office.link(OTHER)

    say_during_a_merge(office, lambda: leave(office, link))

    assert office.mailable == set()


def test_so_is_one_through_the_link_of_what_an_undone_import_had_added(office: Office):
    office.add(KEEP)
    number = office.add(OTHER)
    link = office.link(OTHER)
    office.do(
        "UPDATE subscription SET undone_at = now(), status = 'ended' WHERE id = :id", id=number
    )

    say_during_a_merge(office, lambda: leave(office, link))

    assert office.mailable == set()


def test_so_are_complaints_of_which_only_one_is_about_somebody_merged(office: Office):
    office.add(KEEP)
    numbers = [office.add("third@example.com"), office.add(OTHER)]

    say_during_a_merge(
        office,
        lambda: office.house.subscriptions.end(numbers, now=office.now, source="delivery event"),
    )

    assert office.mailable == set()


def test_an_erasure_waits_for_who_confirms_and_erases_what_that_made(office: Office):
    engine, signups = office.house.engine, SignUps(PostgresSignUps(office.house.engine))
    wanted = Wanted(
        newsletter="technology",
        email=OTHER,
        topics=TopicSet.of([]),
        zone="UTC",
        frequency=Frequency.DAILY,
    )
    evidence = Evidence(via="test")
    asked = signups.ask(wanted, evidence, Limits(), lasts=timedelta(hours=1), now=office.now)
    assert asked.signup_id
    store = PostgresSignUps(engine)
    with ThreadPoolExecutor(2) as threads:
        with transaction(engine) as busy:  # holds up the confirmation half-way
            busy.execute("LOCK TABLE confirmation IN EXCLUSIVE MODE")
            confirms = threads.submit(store.confirm, asked.signup_id, evidence, at=office.now)
            until_somebody_waits(engine)
            erases = threads.submit(office.records.erase_address, OTHER, now=office.now)
            until_somebody_waits(engine, 2)
        confirms.result()
        erases.result()

    assert office.mailable == set()
    assert office.rows("SELECT id FROM subscriber") == []
    assert office.records.erased_at(OTHER) is not None
