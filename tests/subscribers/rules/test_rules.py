from hypothesis import given
from hypothesis import strategies as st

from subscribers.model import (
    ConsentAct,
    Exclusion,
    SubscriptionStatus,
    SuppressionReason,
    TopicSet,
)
from subscribers.rules.audience import exclusion
from subscribers.rules.consent import status_after
from subscribers.rules.suppression import LADDER, weightier


def test_suppression_is_said_before_everything_else() -> None:
    for status in SubscriptionStatus:
        assert exclusion(status, suppressed=True) is Exclusion.SUPPRESSED


def test_only_an_active_subscription_may_be_written_to() -> None:
    mailable = [s for s in SubscriptionStatus if exclusion(s, suppressed=False) is None]
    assert mailable == [SubscriptionStatus.ACTIVE]


OWN_WORD = {ConsentAct.RESUMED, ConsentAct.CONFIRMED}  #: only its subscriber can do these


@given(st.lists(st.sampled_from([act for act in ConsentAct if act not in OWN_WORD])))
def test_after_an_unsubscribe_nothing_but_its_subscriber_revives(acts: list[ConsentAct]) -> None:
    status = status_after(SubscriptionStatus.ACTIVE, ConsentAct.WITHDRAWN)
    for act in acts:
        status = status_after(status, act)
    assert status is SubscriptionStatus.ENDED


def test_resuming_and_confirming_undo_an_unsubscribe() -> None:
    for act in OWN_WORD:
        assert status_after(SubscriptionStatus.ENDED, act) is SubscriptionStatus.ACTIVE


def test_a_pause_is_why_only_where_nothing_weightier_is() -> None:
    active, ended = SubscriptionStatus.ACTIVE, SubscriptionStatus.ENDED
    assert exclusion(active, suppressed=False, paused=True) is Exclusion.PAUSED
    assert exclusion(active, suppressed=True, paused=True) is Exclusion.SUPPRESSED
    assert exclusion(ended, suppressed=False, paused=True) is Exclusion.ENDED


def test_an_act_repeated_is_the_act_once() -> None:
    for act in ConsentAct:
        for status in SubscriptionStatus:
            once = status_after(status, act)
            assert status_after(once, act) is once


def test_every_reason_has_its_weight_and_a_complaint_the_greatest() -> None:
    assert sorted(LADDER) == sorted(SuppressionReason)
    assert weightier(SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT)
    for reason in SuppressionReason:
        assert not weightier(SuppressionReason.COMPLAINT, reason)
        assert not weightier(reason, reason)


def test_no_topics_and_every_topic_are_one_choice() -> None:
    assert TopicSet.of([]) == TopicSet.of(["*"]) == TopicSet.of(["*", "chips"])
    assert TopicSet.of([]).chooses(["a-topic-still-to-come"])
    assert not TopicSet.of(["chips"]).chooses(["policy"])
