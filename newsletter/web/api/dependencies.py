"""What the API's routes depend on: the services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from newsletter.core.brief import Brief
from newsletter.core.publication import Newsletter
from newsletter.services.api_tokens import ApiTokens
from newsletter.services.approval_requests import ApprovalRequests
from newsletter.services.archive import Archive
from newsletter.services.comparing import Comparing
from newsletter.services.editing import Editing
from newsletter.services.explain import Explaining
from newsletter.services.figures import IssueFigures
from newsletter.services.forecast import Forecasts
from newsletter.services.halting import Halting
from newsletter.services.intake import Intake
from newsletter.services.issue_people import IssuePeople
from newsletter.services.issue_remarks import IssueRemarks
from newsletter.services.operator_alerts import OperatorAlerts
from newsletter.services.people import People
from newsletter.services.preflight import Preflight
from newsletter.services.preview import Previews
from newsletter.services.publishing import Publishing
from newsletter.services.reader_keeping import ReaderKeeping
from newsletter.services.received_events import ReceivedEvents
from newsletter.services.repeated_requests import RepeatedRequests
from newsletter.services.results import Results
from newsletter.services.review import Reviews
from newsletter.services.sending import Recovery
from newsletter.services.sending_by_hand import SendingByHand
from newsletter.services.sending_limits import SendingLimits
from newsletter.services.skipped_days import SkippedDays
from newsletter.services.webhooks import Webhooks
from newsletter.web.api.rate_limit import RequestAllowances
from subscribers.lists.service import Lists
from subscribers.records.service import Records
from subscribers.subscriptions.service import Subscriptions


@dataclass(frozen=True, kw_only=True)
class ApiServices:
    """Everything the API's routes use; the application's state holds it."""

    newsletters: Mapping[str, Newsletter]
    now: Callable[[], datetime]
    unanswered: tuple[type[Exception], ...]  #: of a database that is busy, gone or silent
    unreadable: tuple[type[Exception], ...]  #: of a value that the database cannot hold
    rate_limit: RequestAllowances
    tokens: ApiTokens
    repeated: RepeatedRequests
    archive: Archive
    intake: Intake
    publishing: Publishing
    editing: Editing
    reviews: Reviews
    preflight: Preflight
    forecasts: Forecasts
    previews: Previews
    issue_remarks: IssueRemarks
    comparing: Comparing
    approval_requests: ApprovalRequests
    skipped_days: SkippedDays
    figures: IssueFigures
    results: Results
    received_events: ReceivedEvents
    issue_people: IssuePeople
    explaining: Explaining
    halting: Halting
    limits: SendingLimits
    recovery: Recovery
    sending_by_hand: SendingByHand
    subscriptions: Subscriptions
    records: Records
    people: People
    reader_keeping: ReaderKeeping
    webhooks: Webhooks
    alerts: OperatorAlerts
    lists: Lists
    #: From the fields of a brief, and a function from a field's name to its place.
    read_brief: Callable[[Mapping[str, object], Callable[[str], str]], Brief]
    read_page: Callable[[str, str], tuple[Brief, ...]]  #: from a page's HTML and its place


def api_services_of(request: Request) -> ApiServices:
    """Return what the application was created with."""
    return request.app.state.services
