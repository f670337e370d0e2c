"""Briefs and issues, until an issue is approved."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.container.staff import StaffParts

if TYPE_CHECKING:
    from newsletter.rendering.kept_galleys import KeptGalleys
    from newsletter.rendering.renderer import IssueRenderer
    from newsletter.services.approval import Approvals
    from newsletter.services.approval_letters import ApprovalLetters
    from newsletter.services.approval_requests import ApprovalRequests
    from newsletter.services.comparing import Comparing
    from newsletter.services.editing import Editing
    from newsletter.services.forecast import Forecasts
    from newsletter.services.intake import Intake
    from newsletter.services.issue_remarks import IssueRemarks
    from newsletter.services.letter_sizes import LetterSizes
    from newsletter.services.link_checks import LinkChecks
    from newsletter.services.planning import SendChecks
    from newsletter.services.polling import Polling
    from newsletter.services.preflight import Preflight
    from newsletter.services.preview import Previews
    from newsletter.services.public_pages import PublicPages
    from newsletter.services.publishing import Publishing
    from newsletter.services.review import Reviews
    from newsletter.services.staff_letters import StaffLetters
    from newsletter.stores.approval_requests import ApprovalRequestStore
    from newsletter.stores.briefs import BriefStore
    from newsletter.stores.issue_edits import IssueEditStore
    from newsletter.stores.issue_history import IssueHistory
    from newsletter.stores.link_checks import LinkCheckStore
    from newsletter.stores.sources import SourceStore


class IssueParts(StaffParts):
    """Briefs and issues, until an issue is approved."""

    @cached_property
    def briefs(self) -> BriefStore:
        from newsletter.stores.briefs import BriefStore

        return BriefStore(self.engine)

    @cached_property
    def issue_history(self) -> IssueHistory:
        from newsletter.stores.issue_history import IssueHistory

        return IssueHistory(self.engine)

    @cached_property
    def issue_edits(self) -> IssueEditStore:
        from newsletter.stores.issue_edits import IssueEditStore

        return IssueEditStore(self.engine)

    @cached_property
    def link_check_store(self) -> LinkCheckStore:
        from newsletter.stores.link_checks import LinkCheckStore

        return LinkCheckStore(self.engine)

    @cached_property
    def sources(self) -> SourceStore:
        from newsletter.stores.sources import SourceStore

        return SourceStore(self.engine)

    @cached_property
    def approval_request_store(self) -> ApprovalRequestStore:
        from newsletter.stores.approval_requests import ApprovalRequestStore

        return ApprovalRequestStore(self.engine)

    @cached_property
    def intake(self) -> Intake:
        from newsletter.adapters.sources.cleaning import plain
        from newsletter.services.intake import Intake

        newsletters = self.settings.newsletters
        return Intake(newsletters, self.briefs, self.issues, self.clock, clean=plain)

    @cached_property
    def polling(self) -> Polling:
        from newsletter.services.polling import Polling

        down_after = timedelta(hours=self.settings.service.polling.down_after_hours)
        return Polling(
            self.intake,
            self.briefs,
            self.issues,
            self.schedule_store,
            self.sources,
            self.source_reader,
            self.clock,
            down_after,
        )

    @cached_property
    def renderer(self) -> IssueRenderer:
        from newsletter.rendering.renderer import IssueRenderer

        return IssueRenderer(self.settings.templates)

    @cached_property
    def publishing(self) -> Publishing:
        from newsletter.services.publishing import Publishing

        url, kept = self.settings.public_url, self._kept_galleys
        sizes = self.letter_sizes
        return Publishing(self.briefs, self.issues, kept, self.approvals, sizes, url, self.clock)

    @cached_property
    def public_pages(self) -> PublicPages:
        from newsletter.services.public_pages import PublicPages
        from newsletter.stores.printed_stories import PrintedStoryStore

        stories = PrintedStoryStore(self.engine)
        return PublicPages(self.publishing, stories, self.settings.newsletters)

    @cached_property
    def issue_remarks(self) -> IssueRemarks:
        from newsletter.services.issue_remarks import IssueRemarks

        return IssueRemarks(self.publishing)

    @cached_property
    def letter_sizes(self) -> LetterSizes:
        from newsletter.services.letter_sizes import LetterSizes

        return LetterSizes(self.subscriptions, self.settings.public_url)

    @cached_property
    def _kept_galleys(self) -> KeptGalleys:
        from newsletter.rendering.kept_galleys import KeptGalleys

        return KeptGalleys(self.renderer, self.settings.templates)

    @cached_property
    def approvals(self) -> Approvals:

        from newsletter.services.approval import Approvals

        practice = self.settings.practice
        return Approvals(
            self.issues,
            self.issue_edits,
            self.schedule_store,
            self.staff,
            self.api_token_store,
            self.decisions,
            self.clock,
            practice,
        )

    @cached_property
    def editing(self) -> Editing:
        from newsletter.services.editing import Editing

        return Editing(
            self.publishing,
            self.approvals,
            self.briefs,
            self.issue_edits,
            self.decisions,
            self.clock,
        )

    @cached_property
    def preflight(self) -> Preflight:
        from newsletter.rendering.contrast import low_contrasts
        from newsletter.services.past_issues import PastIssues
        from newsletter.services.preflight import Preflight
        from newsletter.stores.preflight_ticks import PreflightTicks

        return Preflight(
            self.publishing,
            self.forecasts,
            self._kept_galleys,
            PastIssues(self.issue_history),
            self.link_check_store,
            PreflightTicks(self.engine),
            self.send_checks.obstacles,
            low_contrasts,
            self.clock,
        )

    @cached_property
    def approval_requests(self) -> ApprovalRequests:
        from newsletter.services.approval_requests import ApprovalRequests

        return ApprovalRequests(
            self.publishing,
            self.approval_request_store,
            self.approval_letters,
            self.decisions,
            self.clock,
        )

    @cached_property
    def approval_letters(self) -> ApprovalLetters:
        from newsletter.services.approval_letters import ApprovalLetters

        return ApprovalLetters(
            self.settings.newsletters,
            self.staff,
            self.staff_addresses,
            self.issues,
            self.approval_request_store,
            self.staff_letter_store,
            mailer=lambda: self.staff_mailer,
            installation_id=lambda: self.installations.current().id,
            console_url=self.settings.service.web.console_url,  # one for this machine only is none
        )

    @cached_property
    def comparing(self) -> Comparing:
        from newsletter.services.comparing import Comparing

        return Comparing(self.publishing, self.issues, self.issue_edits, self.briefs)

    @cached_property
    def reviews(self) -> Reviews:
        from newsletter.services.review import Reviews

        return Reviews(self.publishing, self.preflight)

    @cached_property
    def test_letters(self) -> StaffLetters:
        from newsletter.services.staff_letters import StaffLetters

        return StaffLetters(
            self.staff_addresses,
            self.staff_letter_store,
            mailer=lambda: self.staff_mailer,
            installation_id=lambda: self.installations.current().id,
            base_url=self.settings.public_url,
            clock=self.clock,
        )

    @cached_property
    def link_checks(self) -> LinkChecks:
        from newsletter.services.link_checks import LinkChecks

        return LinkChecks(
            self.settings.newsletters,
            self.issues,
            self.issue_history,
            self.link_check_store,
            check=lambda: self.check_link,
            clock=self.clock,
        )

    @cached_property
    def previews(self) -> Previews:
        from newsletter.adapters.eml import to_eml
        from newsletter.services.preview import Previews

        url = self.settings.public_url
        issues = self.issue_history
        clock = self.clock
        return Previews(self.publishing, self.subscriptions, issues, url, to_eml, clock)

    @cached_property
    def forecasts(self) -> Forecasts:
        from newsletter.services.forecast import Forecasts

        return Forecasts(self.publishing, self.subscriptions, self.clock)

    @cached_property
    def send_checks(self) -> SendChecks:
        from newsletter.services.planning import SendChecks

        host = self.settings.sendgrid_host
        return SendChecks(self.mailer, public_url=self.settings.public_url, sendgrid_host=host)
