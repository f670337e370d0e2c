"""What the console's routes depend on: the services."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from newsletter.core.publication import Newsletter
from newsletter.core.staff import Permission, StaffMember, may, newsletters_where
from newsletter.services.api_tokens import ApiTokens
from newsletter.services.approval_letters import ApprovalLetters
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
from newsletter.services.list_changes import ListChanges
from newsletter.services.operator_alerts import OperatorAlerts
from newsletter.services.people import People
from newsletter.services.polling import Polling
from newsletter.services.preflight import Preflight
from newsletter.services.preview import Previews
from newsletter.services.provider_sign_in import ProviderSignIn
from newsletter.services.public_pages import PublicPages
from newsletter.services.publishing import Publishing
from newsletter.services.reader_looks import ReaderLooks
from newsletter.services.reconciliation import Reconciling
from newsletter.services.results import Results
from newsletter.services.review import Reviews
from newsletter.services.sending import Recovery
from newsletter.services.sending_by_hand import SendingByHand
from newsletter.services.sending_limits import SendingLimits
from newsletter.services.setup_letters import SetupLetters
from newsletter.services.setup_reports import SetupReports
from newsletter.services.signing_in import SigningIn
from newsletter.services.skipped_days import SkippedDays
from newsletter.services.staff_accounts import StaffAccounts
from newsletter.services.staff_credentials import ChangingCredentials
from newsletter.services.staff_letters import StaffLetters
from newsletter.services.staff_sessions import StaffSessions
from newsletter.services.today import TodayOverviews
from newsletter.services.webhooks import Webhooks
from newsletter.web.console.pages import ConsolePages
from subscribers.records.service import Records
from subscribers.subscriptions.service import Subscriptions


@dataclass(frozen=True, kw_only=True)
class ConsoleServices:
    """Everything the console's routes use; the application's state holds it."""

    newsletters: Mapping[str, Newsletter]
    url: str  #: the console's own origin
    practice: bool  #: no letter leaves this machine: SendGrid is played by it
    unanswered: tuple[type[Exception], ...]  #: of a database that is busy, gone or silent
    unreadable: tuple[type[Exception], ...]  #: of a value that the database cannot hold
    now: Callable[[], datetime]
    pages: ConsolePages
    sessions: StaffSessions
    signing_in: SigningIn
    provider_sign_in: ProviderSignIn
    provider_name: str  #: "" where there is no such sign-in
    staff_accounts: StaffAccounts
    api_tokens: ApiTokens
    today: TodayOverviews
    archive: Archive
    forecasts: Forecasts
    previews: Previews
    issue_remarks: IssueRemarks
    preflight: Preflight
    reviews: Reviews
    editing: Editing
    comparing: Comparing
    approval_requests: ApprovalRequests
    approval_letters: ApprovalLetters
    test_letters: StaffLetters
    setup_letters: SetupLetters
    setup_reports: SetupReports
    credentials: ChangingCredentials
    staff_addresses: Callable[[], Iterable[str]]  #: the confirmed ones
    intake: Intake
    polling: Polling
    publishing: Publishing
    public_pages: PublicPages
    sending_by_hand: SendingByHand
    figures: IssueFigures
    list_changes: ListChanges
    results: Results
    issue_people: IssuePeople
    alerts: OperatorAlerts
    skipped_days: SkippedDays
    halting: Halting
    limits: SendingLimits
    reconciling: Reconciling
    recovery: Recovery
    explaining: Explaining
    people: People
    reader_looks: ReaderLooks
    records: Records
    subscriptions: Subscriptions
    webhooks: Webhooks

    def home_of(self, member: StaffMember) -> str:
        """Return the path that a person begins at: the first newsletter they may see."""
        seen = self.seen_by(member)
        return f"/{seen[0].slug}/today" if seen else "/account"

    def seen_by(self, member: StaffMember) -> tuple[Newsletter, ...]:
        """Return the newsletters that a person may see."""
        return self._where(member, Permission.SEE)

    def kept_by(self, member: StaffMember) -> tuple[Newsletter, ...]:
        """Return the newsletters whose list a person may keep."""
        return self._where(member, Permission.KEEP_LIST)

    def _where(self, member: StaffMember, permission: Permission) -> tuple[Newsletter, ...]:
        every = self.newsletters.values()
        found = newsletters_where(member, permission, [one.readers.newsletter for one in every])
        return tuple(one for one in every if one.readers.newsletter in found)

    def scope_of(self, slug: str | None) -> str | None:
        """Return the newsletter whose roles count: a digest's are those of its newsletter."""
        found = self.newsletters.get(slug) if slug else None
        return found.readers.newsletter if found else slug

    def who_may(self, permission: Permission, slug: str | None) -> Iterable[str]:
        """Return the names of those who may do this; who was only invited cannot do it yet."""
        scope = self.scope_of(slug)
        members = (one for one in self.staff_accounts.members() if one.accepted_at)
        return [one.name or one.email for one in members if may(one, permission, scope)]


def console_services_of(request: Request) -> ConsoleServices:
    """Return what the application was created with."""
    return request.app.state.services
