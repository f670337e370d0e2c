"""The web pages, the webhooks and the console."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from newsletter.container.doctor import DoctorParts

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp

    from newsletter.web.api.dependencies import ApiServices
    from newsletter.web.console.dependencies import ConsoleServices
    from newsletter.web.dependencies import WebServices


class WebParts(DoctorParts):
    """The web pages, the webhooks and the console."""

    @cached_property
    def web_services(self) -> WebServices:
        from newsletter.adapters.metrics import Metrics
        from newsletter.adapters.sendgrid.inbound import read_mail
        from newsletter.core.site import doctor_token
        from newsletter.stores.duties import CHECKING, EVENTS, PAGES, UNSUBSCRIBING
        from newsletter.stores.healthcheck import UNANSWERED, check_health
        from newsletter.web.dependencies import WebServices
        from newsletter.web.form_tokens import FormTokens
        from newsletter.web.pages import Pages

        pages, unsubscribing = self.for_duty(PAGES), self.for_duty(UNSUBSCRIBING)
        key, token = self.settings.environment.inbound_key, self.settings.environment.metrics_token
        return WebServices(
            newsletters=self.settings.newsletters,
            public_url=self.settings.public_url,
            now=self.clock.now,
            pages=Pages(self.settings.templates),
            form_tokens=FormTokens(lambda: pages.signups.forms_key, self.clock.now),
            publishing=pages.publishing,
            public_pages=pages.public_pages,
            subscriptions=pages.subscriptions,
            unsubscribing=unsubscribing.subscriptions,
            people=pages.people,
            signup=pages.signing_up,
            sunsets=pages.sunsets,
            event_intake=self.event_intake,
            unsubscribe_by_mail=self.unsubscribe_by_mail,
            read_mail=read_mail,
            inbound_key=key.get_secret_value() if key else None,
            healthcheck=partial(check_health, self.for_duty(CHECKING).engine),
            metrics=Metrics(
                pages.engine,
                audit=pages.deliveries.audit,
                counts=self.event_intake.counters.values,
            ),
            metrics_token=token.get_secret_value() if token else None,
            doctor_token=lambda: doctor_token(pages.signups.forms_key),
            unanswered=UNANSWERED,
            threads={
                "pages": PAGES.connections,
                "webhook": EVENTS.connections,
                "unsubscribe": UNSUBSCRIBING.connections,
            },
        )

    @cached_property
    def console_services(self) -> ConsoleServices:
        from newsletter.adapters.clock import new_token
        from newsletter.services.reader_looks import ReaderLooks
        from newsletter.stores.healthcheck import UNANSWERED, UNREADABLE
        from newsletter.web.console.dependencies import ConsoleServices
        from newsletter.web.console.pages import ConsolePages
        from subscribers.errors import ConcurrentChange

        practice, oidc = self.settings.practice, self.settings.service.web.oidc
        return ConsoleServices(
            newsletters=self.settings.newsletters,
            url=self.settings.console_url,
            practice=practice,
            unanswered=(*UNANSWERED, ConcurrentChange),
            unreadable=UNREADABLE,
            now=self.clock.now,
            pages=ConsolePages(self.settings.templates, practice=practice),
            sessions=self.staff_sessions,
            signing_in=self.signing_in,
            provider_sign_in=self.provider_sign_in,
            provider_name=oidc.name if oidc else "",
            staff_accounts=self.staff_accounts,
            today=self.today,
            archive=self.archive,
            forecasts=self.forecasts,
            previews=self.previews,
            issue_remarks=self.issue_remarks,
            preflight=self.preflight,
            reviews=self.reviews,
            editing=self.editing,
            comparing=self.comparing,
            approval_requests=self.approval_requests,
            approval_letters=self.approval_letters,
            test_letters=self.test_letters,
            setup_letters=self.setup_letters,
            setup_reports=self.setup_reports,
            credentials=self.staff_credentials,
            staff_addresses=self.staff_addresses,
            api_tokens=self.api_tokens,
            intake=self.intake,
            polling=self.polling,
            publishing=self.publishing,
            public_pages=self.public_pages,
            sending_by_hand=self.sending_by_hand,
            figures=self.figures,
            list_changes=self.list_changes,
            results=self.results,
            issue_people=self.issue_people,
            alerts=self.operator_alerts,
            skipped_days=self.skipped_days,
            halting=self.halting,
            limits=self.sending_limits,
            reconciling=self.reconciling,
            recovery=self.recovery,
            explaining=self.explaining,
            people=self.people,
            reader_looks=ReaderLooks(self.staff_tokens, self.archive, new_token, self.clock),
            records=self.records,
            subscriptions=self.subscriptions,
            webhooks=self.webhooks,
        )

    @cached_property
    def console(self) -> FastAPI:
        from dataclasses import replace

        from newsletter.stores.duties import CONSOLE
        from newsletter.web.console.app import create_console

        # To plan an issue takes longer than to show a page, and so does to stop it meanwhile. What
        # looks at the whole installation takes no connection from the pages.
        made = self.for_duty(CONSOLE).console_services
        services = replace(
            made,
            sending_by_hand=self.sending_by_hand,
            halting=self.halting,
            setup_reports=replace(made.setup_reports, examine=self.setup_reports.examine),
        )
        return create_console(services)

    @cached_property
    def api_services(self) -> ApiServices:
        from newsletter.adapters.sources.fields import brief_of
        from newsletter.adapters.sources.hub_html import read_hub_html
        from newsletter.stores.healthcheck import UNANSWERED, UNREADABLE
        from newsletter.web.api.dependencies import ApiServices
        from newsletter.web.api.rate_limit import RequestAllowances
        from subscribers.errors import ConcurrentChange

        return ApiServices(
            newsletters=self.settings.newsletters,
            now=self.clock.now,
            unanswered=(*UNANSWERED, ConcurrentChange),
            unreadable=UNREADABLE,
            rate_limit=RequestAllowances(self.settings.service.web.api_per_minute, self.clock.now),
            tokens=self.api_tokens,
            repeated=self.repeated_requests,
            archive=self.archive,
            intake=self.intake,
            publishing=self.publishing,
            editing=self.editing,
            reviews=self.reviews,
            preflight=self.preflight,
            forecasts=self.forecasts,
            previews=self.previews,
            issue_remarks=self.issue_remarks,
            comparing=self.comparing,
            approval_requests=self.approval_requests,
            skipped_days=self.skipped_days,
            figures=self.figures,
            results=self.results,
            received_events=self.received_events,
            issue_people=self.issue_people,
            explaining=self.explaining,
            halting=self.halting,
            limits=self.sending_limits,
            recovery=self.recovery,
            sending_by_hand=self.sending_by_hand,
            subscriptions=self.subscriptions,
            records=self.records,
            people=self.people,
            reader_keeping=self.reader_keeping,
            webhooks=self.webhooks,
            alerts=self.operator_alerts,
            lists=self.lists,
            read_brief=brief_of,
            read_page=read_hub_html,
        )

    @cached_property
    def api(self) -> FastAPI:
        from dataclasses import replace

        from newsletter.stores.duties import API
        from newsletter.web.api.app import create_api

        # As the console's are: to plan an issue, and to stop it meanwhile, takes its time. So does
        # an export, which is sent as fast as it is taken.
        services = replace(
            self.for_duty(API).api_services,
            sending_by_hand=self.sending_by_hand,
            halting=self.halting,
            lists=self.lists,
        )
        return create_api(services)

    @cached_property
    def console_and_api(self) -> ASGIApp:
        """What the console's origin serves."""
        from newsletter.web.api.route import PREFIX
        from newsletter.web.by_prefix import ByPrefix

        return ByPrefix(self.console, PREFIX, self.api)

    @cached_property
    def app(self) -> FastAPI:
        from newsletter.web.app import create_app

        return create_app(self.web_services)
