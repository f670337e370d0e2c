"""The circuit breaker: which shares pause an issue, which make it wait, and which say nothing."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from newsletter.core.circuit_breaker import (
    NOTHING_FAILED,
    CircuitBreaker,
    FailureCounts,
    margin,
    next_look,
    tripped,
    waits_for_proof,
)

BREAKER = CircuitBreaker(
    after=100, requests=5, refused=0.05, unknown=0.1, bounced=0.08, complained=0.003
)
CALM = FailureCounts(
    asked=1000, requests=10, refused=50, unknown=100, young=0, bounced=80, complained=3
)
KINDS = ["refused", "unknown", "bounced", "complained"]


@st.composite
def failure_counts(draw: st.DrawFn) -> FailureCounts:
    asked = draw(st.integers(0, 5_000))
    part = st.integers(0, asked)
    unknown = draw(part)
    return FailureCounts(
        asked=asked,
        requests=draw(st.integers(0, min(asked, 20))),
        refused=draw(part),
        unknown=unknown,
        young=draw(st.integers(0, unknown)),
        bounced=draw(part),
        complained=draw(st.integers(0, asked // 100)),
    )


def test_it_holds_up_to_its_limits():
    assert tripped(BREAKER, CALM) is None


@pytest.mark.parametrize("kind", KINDS)
def test_one_more_of_any_kind_trips_it_and_says_which(kind):
    trip = tripped(BREAKER, replace(CALM, **{kind: getattr(CALM, kind) + 1}))
    assert trip is not None
    assert (trip.kind, kind in trip.reason) == (kind, True)


def test_a_few_recipients_prove_nothing():
    assert tripped(BREAKER, replace(CALM, asked=99, refused=99)) is None


def test_one_lost_answer_of_two_requests_proves_nothing():
    found = replace(NOTHING_FAILED, asked=2000, requests=2, unknown=1000)
    assert tripped(BREAKER, found) is None
    assert waits_for_proof(BREAKER, found) is None
    assert tripped(BREAKER, replace(found, bounced=300)) is not None  # a bounce is one reader's


@given(failure_counts())
def test_young_losses_never_trip_it_and_make_it_wait_exactly_if_they_would(found):
    grown_up = replace(found, young=0)
    trip = tripped(BREAKER, found)
    if trip and trip.kind == "unknown":
        assert found.unknown > found.young
    would = tripped(BREAKER, grown_up)
    assert bool(waits_for_proof(BREAKER, found)) == (trip is None and would is not None)


@given(failure_counts())
def test_proof_of_every_lost_answer_refutes_what_they_tripped(found):
    trip = tripped(BREAKER, replace(found, unknown=0, young=0))
    assert trip is None or trip.kind != "unknown"
    assert waits_for_proof(BREAKER, replace(found, unknown=0, young=0)) is None


@given(failure_counts())
def test_of_fewer_recipients_or_requests_than_enough_no_share_is_judged(found):
    if found.asked < BREAKER.after:
        assert tripped(BREAKER, found) is None
    trip = tripped(BREAKER, replace(found, requests=min(found.requests, BREAKER.requests - 1)))
    assert trip is None or trip.kind != "unknown"


@given(failure_counts(), st.sampled_from(["bounced", "complained"]), st.data())
def test_with_fewer_than_the_margin_more_recipients_and_failures_cannot_trip_it(found, kind, data):
    alone = replace(NOTHING_FAILED, asked=found.asked, **{kind: getattr(found, kind)})
    assume(tripped(BREAKER, alone) is None)
    more = data.draw(st.integers(0, margin(BREAKER, alone, kind) - 1))
    asked = alone.asked + data.draw(st.integers(0, 5_000))
    later = replace(alone, asked=asked, **{kind: getattr(alone, kind) + more})
    if getattr(alone, kind) <= getattr(BREAKER, kind) * max(alone.asked, BREAKER.after):
        assert tripped(BREAKER, later) is None


@given(st.integers(0, 2_000_000))
def test_it_looks_at_the_fewest_that_count_and_then_ever_more_seldom(sent):
    again = next_look(BREAKER, sent)
    assert sent < again
    assert again >= BREAKER.after
    assert again <= max(BREAKER.after, sent * 1.25 + 1)
