"""A merge, an erasure and what people say meanwhile: whoever waits hears of what was done."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from subscribers.addresses import read_address
from subscribers.db import merging
from subscribers.db.transaction import execute, transaction
from subscribers.model import Choices, Frequency, TopicSet
from subscribers.signup.confirming import confirm
from subscribers.signup.model import ConsentProof, SignUpLimits
from subscribers.signup.service import SignUps
from tests.subscribers.records.conftest import RecordsContainer
from tests.waiting import until_somebody_waits

pytestmark = pytest.mark.postgres

KEEP, OTHER = "keep@example.com", "other@example.com"


def say_during_a_merge(container: RecordsContainer, say: Callable[[], object]) -> None:
    engine = container.engine
    keep, other = container.records.id_of(KEEP), container.records.id_of(OTHER)
    with ThreadPoolExecutor(1) as thread:
        with transaction(engine) as merges:
            merging.merge(merges, keep, other, actor="anna", now=container.now)
            said = thread.submit(say)
            until_somebody_waits(engine)
        said.result()


def leave(container: RecordsContainer, link: str) -> None:
    container.subscriptions.unsubscribe_by_link(
        link, {"technology"}, now=container.now, source="link"
    )


def test_an_unsubscribe_through_the_others_link_during_a_merge_counts(container: RecordsContainer):
    container.add(KEEP)
    container.add(OTHER)
    link = container.link(OTHER)

    say_during_a_merge(container, lambda: leave(container, link))

    assert container.mailable == set()


def test_so_is_one_through_the_link_of_what_an_undone_import_had_added(container: RecordsContainer):
    container.add(KEEP)
    number = container.add(OTHER)
    link = container.link(OTHER)
    container.query(
        "UPDATE subscription SET undone_at = now(), status = 'ended' WHERE id = :id", id=number
    )

    say_during_a_merge(container, lambda: leave(container, link))

    assert container.mailable == set()


def test_so_are_complaints_of_which_only_one_is_about_somebody_merged(container: RecordsContainer):
    container.add(KEEP)
    numbers = [container.add("third@example.com"), container.add(OTHER)]

    say_during_a_merge(
        container,
        lambda: container.subscriptions.unsubscribe(
            numbers, now=container.now, source="delivery event"
        ),
    )

    assert container.mailable == set()


def test_an_erasure_waits_for_who_confirms_and_erases_what_that_made(container: RecordsContainer):
    engine, signups = container.engine, SignUps(container.engine)
    choices = Choices(topics=TopicSet.of([]), frequency=Frequency.DAILY, name="", zone="UTC")
    evidence = ConsentProof(via="test")
    asked = signups.request(
        "technology",
        read_address(OTHER),
        choices,
        evidence,
        SignUpLimits(),
        lasts=timedelta(hours=1),
        now=container.now,
    )
    assert asked.signup_id
    signup_id = asked.signup_id

    def confirmed() -> None:
        with transaction(engine) as session:
            confirm(session, signup_id, evidence, container.now)

    with ThreadPoolExecutor(2) as threads:
        with transaction(engine) as busy:  # holds up the confirmation half-way
            execute(busy, "LOCK TABLE confirmation IN EXCLUSIVE MODE")
            confirms = threads.submit(confirmed)
            until_somebody_waits(engine)
            erases = threads.submit(container.records.erase, OTHER, now=container.now)
            until_somebody_waits(engine, 2)
        confirms.result()
        erases.result()

    assert container.mailable == set()
    assert container.query("SELECT id FROM subscriber") == []
    assert container.records.erased_at(OTHER) is not None
