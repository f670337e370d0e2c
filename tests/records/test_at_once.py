"""A merge, an erasure and what people say meanwhile: whoever waits hears of what was done."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from subscribers.store import merging
from subscribers.store.driver import transaction
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


def test_a_goodbye_through_the_others_link_during_a_merge_is_heard(office: Office):
    office.add(KEEP)
    office.add(OTHER)
    link, said = office.link(OTHER), {"now": office.now, "source": "link"}

    say_during_a_merge(
        office, lambda: office.house.subscriptions.leave(link, {"technology"}, **said)
    )

    assert office.mailable == set()


def test_so_is_one_through_the_link_of_what_an_undone_import_had_added(office: Office):
    office.add(KEEP)
    number = office.add(OTHER)
    link, said = office.link(OTHER), {"now": office.now, "source": "link"}
    office.do(
        "UPDATE subscription SET undone_at = now(), status = 'ended' WHERE id = :id", id=number
    )

    say_during_a_merge(
        office, lambda: office.house.subscriptions.leave(link, {"technology"}, **said)
    )

    assert office.mailable == set()


def test_so_are_complaints_of_which_only_one_is_about_somebody_merged(office: Office):
    office.add(KEEP)
    numbers = [office.add("third@example.com"), office.add(OTHER)]

    say_during_a_merge(
        office,
        lambda: office.house.subscriptions.end(numbers, now=office.now, source="delivery event"),
    )

    assert office.mailable == set()
