"""Of thousands of editions, a page offers those that many read, and the one that is looked at."""

from newsletter.core.edition import edition_of
from newsletter.core.forecast import ForecastEdition
from newsletter.core.issue import sample_issue
from newsletter.web.console.issue_page import OFFERED, offered
from newsletter.web.console.personas import Persona
from subscribers.model import TopicSet
from tests.settings import TECHNOLOGY


def test_the_largest_editions_are_offered_and_the_one_that_is_looked_at():
    issue = sample_issue(TECHNOLOGY)
    all_of_it = [entry.brief_id for entry in issue.entries]
    some = [
        ForecastEdition(edition=edition_of(issue, all_of_it), readers=2, topics=TopicSet.of([]))
    ]
    last = ForecastEdition(edition=edition_of(issue, [1]), readers=1, topics=TopicSet.of(["chips"]))
    editions = [*some * 150, last]
    assert list(offered(editions, Persona())) == some * OFFERED
    looked_at = Persona("edition", last.edition.key)
    assert list(offered(editions, looked_at)) == [*some * OFFERED, last]
