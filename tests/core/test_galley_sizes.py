"""How much of a galley an edition prints, and which choice leads to an edition."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.edition import edition_for, topics_of_key
from newsletter.core.galley import Span, cut, sizer
from newsletter.core.issue import sample_issue
from subscribers.model import TopicSet
from tests.settings import TECHNOLOGY

PIECES = st.frozensets(st.sampled_from("abcd"), min_size=1)
SPANS = st.lists(st.builds(Span, st.text(max_size=9), st.none() | PIECES))


@given(spans=SPANS, chosen=st.frozensets(st.sampled_from("abcd")))
def test_the_size_of_a_choice_is_that_of_its_cut(spans, chosen):
    assert sizer(spans)(chosen) == len(cut(spans, chosen, {}).encode())


def test_a_key_leads_to_the_first_choice_of_its_edition():
    issue = sample_issue(TECHNOLOGY)
    one, other = (TopicSet.of([slug]) for slug in TECHNOLOGY.topic_slugs[:2])
    nothing = TopicSet.of(["no such"])
    edition = edition_for(issue, other)
    assert edition
    assert topics_of_key(issue, edition.key, [nothing, one, other]) == other
    assert topics_of_key(issue, edition.key, [nothing, one]) is None
