"""What went: the sums of an issue, its results, and what became of one reader's letter."""

from typing import Annotated

from fastapi import Query

from newsletter.web.api.access import Caller, ReadIssues, ReadReaders
from newsletter.web.api.issue_here import CONFLICT, ISSUE, Here, NamedIssue, found, planned
from newsletter.web.api.issue_schemas import GivenAddress
from newsletter.web.api.readers_here import record_look
from newsletter.web.api.result_schemas import DayResult, IssueAccount, IssueResultsItem, LetterWhy
from newsletter.web.api.route import api_router
from newsletter.web.api.schemas import ListPage

router = api_router()

Email = Annotated[str, Query(min_length=3, max_length=400, description="The reader's address.")]


@router.get(f"{ISSUE}/account", responses=CONFLICT)
def account(caller: ReadIssues, here: Here) -> IssueAccount:
    """Return the sums of an issue that was planned: they add up, also when it is old."""
    _, stored = planned(caller, here)
    services = caller.services
    released = services.issue_people.release_of(stored)
    totals = services.archive.totals(stored)
    return IssueAccount.account(stored, totals, released and released.sentence)


@router.get(f"{ISSUE}/why")
def why(caller: ReadReaders, here: Here, email: Email) -> LetterWhy:
    """Say what became of a reader's letter, or why there was none; the log says who asked."""
    return _explained(caller, here, email)


@router.post(f"{ISSUE}/why")
def why_of(caller: ReadReaders, here: Here, given: GivenAddress) -> LetterWhy:
    """Say the same, without the address in the path: it stays out of the logs of proxies."""
    return _explained(caller, here, given.email)


def _explained(caller: Caller, here: NamedIssue, email: str) -> LetterWhy:
    which, _ = found(caller, here)
    explanation = caller.services.explaining.why(which, email.strip(), here.on)
    subscription = explanation.subscription
    record_look(caller, subscription and subscription.subscriber_id, "explain")
    return LetterWhy.of(explanation)


@router.get(f"{ISSUE}/results", responses=CONFLICT)
def issue_results(caller: ReadIssues, here: Here) -> IssueResultsItem:
    """Return what became of an issue's letters: as a whole, by story and by topic."""
    _, stored = planned(caller, here)
    results = caller.services.results
    of_issue = results.of(stored)
    return IssueResultsItem.of(of_issue, coming_in=results.still_coming_in(of_issue))


@router.get("/results")
def days(caller: ReadIssues, newsletter: str) -> ListPage[DayResult]:
    """Return what became of the letters of a newsletter's last issues, day by day."""
    lines = caller.services.results.trend(caller.newsletter(newsletter))
    return ListPage(data=[DayResult.day(one) for one in lines])
