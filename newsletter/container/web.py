"""The web pages, the webhooks and the console."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from newsletter.container.doctor import DoctorParts

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp

    from newsletter.adapters.metrics import Metrics
    from newsletter.web.api.dependencies import ApiServices
    from newsletter.web.console.dependencies import ConsoleServices
    from newsletter.web.dependencies import WebServices

    Services = TypeVar("Services", ConsoleServices, ApiServices)


class WebParts(DoctorParts):
    """The web pages, the webhooks and the console."""

    @cached_property
    def web_services(self) -> WebServices:
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
            metrics=self._metrics(pages),
            metrics_token=token.get_secret_value() if token else None,
            doctor_token=lambda: doctor_token(pages.signups.forms_key),
            unanswered=UNANSWERED,
            threads={
                "pages": PAGES.connections,
                "webhook": EVENTS.connections,
                "unsubscribe": UNSUBSCRIBING.connections,
            },
        )

    def _metrics(self, pages: Self) -> Metrics:
        from newsletter.adapters.metrics import Metrics

        counts = self.event_intake.counters.values
        return Metrics(pages.engine, audit=pages.deliveries.audit, counts=counts)

    @cached_property
    def console_services(self) -> ConsoleServices:
        from newsletter.adapters.clock import new_token
        from newsletter.services.reader_looks import ReaderLooks
        from newsletter.web.console.dependencies import ConsoleServices
        from newsletter.web.console.pages import ConsolePages

        practice, oidc = self.settings.practice, self.settings.service.web.oidc
        return self._served(
            ConsoleServices,
            url=self.settings.console_url,
            practice=practice,
            pages=ConsolePages(self.settings.templates, practice=practice),
            provider_name=oidc.name if oidc else "",
            sessions=self.staff_sessions,
            credentials=self.staff_credentials,
            reader_looks=ReaderLooks(self.staff_tokens, self.archive, new_token, self.clock),
        )

    @cached_property
    def console(self) -> FastAPI:
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
        from newsletter.web.api.dependencies import ApiServices
        from newsletter.web.api.rate_limit import RequestAllowances

        return self._served(
            ApiServices,
            rate_limit=RequestAllowances(self.settings.service.web.api_per_minute, self.clock.now),
            tokens=self.api_tokens,
            repeated=self.repeated_requests,
            read_brief=brief_of,
            read_page=read_hub_html,
        )

    @cached_property
    def api(self) -> FastAPI:
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

    def _served(self, kind: type[Services], **given: Any) -> Services:
        """Return what the routes of staff or programs use: what is not given is a part of ours.

        It is the part of the same name; tests/test_container.py says that it is of the same type.
        """
        from newsletter.stores.healthcheck import UNANSWERED, UNREADABLE
        from subscribers.errors import ConcurrentChange

        given |= {
            "newsletters": self.settings.newsletters,
            "now": self.clock.now,
            "unanswered": (*UNANSWERED, ConcurrentChange),
            "unreadable": UNREADABLE,
            "alerts": self.operator_alerts,
            "limits": self.sending_limits,
        }
        ours = (one.name for one in fields(kind) if one.name not in given)
        return kind(**given, **{name: getattr(self, name) for name in ours})

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
