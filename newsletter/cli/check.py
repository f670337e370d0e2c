"""`newsletter check`: whether letters can be sent."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import typer
from rich.markup import escape

from newsletter.cli.common import AsJson, Slug, answer, console, container, newsletter_of
from newsletter.core.issue import sample_issue
from newsletter.core.letter_size import refusal
from newsletter.core.newsletter_checks import obstacles
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.reconciliation import ReconciliationEvidence
from newsletter.core.sending_limits import capacity_between
from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupGrade
from newsletter.core.timetable import hours_of
from newsletter.errors import ConfigurationError, NewsletterError

_WAVES = timedelta(hours=26)  #: between the same hour in the first and the last time zone
_PATIENCE = 5  #: seconds; a worker that had not begun when it was stopped is stopped again


def check(newsletter: Slug = None, as_json: AsJson = False) -> None:
    """Check whether letters can be sent."""
    findings = list(settings_findings(newsletter_of(newsletter)))

    def show_text() -> None:
        for one in findings:
            mark = "[green]✓[/]" if one.fine else "[red]✗[/]"
            console.print(f"{mark} {one.subject:<10}{escape(one.sentence)}")
        if all(one.fine for one in findings):
            console.print("Letters can be sent.")

    data = [
        {"question": one.subject, "fine": one.fine, "sentence": one.sentence} for one in findings
    ]
    answer(data, as_json=as_json, show=show_text)
    if not all(one.fine for one in findings):
        raise typer.Exit(1)


def settings_findings(which: Newsletter) -> Iterator[SetupFinding]:
    """Yield what is to be known without asking far: `newsletter doctor` begins with it."""
    settings = container().settings
    yield _found("settings", True, f"{which.name}; newsletters: {', '.join(settings.newsletters)}")
    yield _tried("database", _database)
    yield _tried("server", _connections)
    digests = [one for one in settings.newsletters.values() if one.week_of == which.slug]
    for one in (which, *digests):
        yield _tried("templates", partial(_templates, one))
        yield _tried("size", partial(_size, one))
    faults = list(
        obstacles(which, public_url=settings.public_url, sendgrid_host=settings.sendgrid_host)
    )
    for fault in faults:
        yield _found("sender", False, fault)
    if not faults:
        yield _found("sender", True, f"{which.sender.name} <{which.sender.email}>")
        yield _found("address", True, which.postal_address)
    yield _tried("key", _key)
    for one in (which, *digests):
        yield from _paused(one)
    if settings.service.rate_limit.limits:
        yield _tried("limit", partial(_rate_limit, which))
    yield _tried("unknowns", _unknowns)
    yield _tried("alerts", _alerts)
    if proxied := [one for one in (settings.public_url, settings.console_url) if _is_https(one)]:
        yield _tried("proxy", partial(_proxies, proxied))
    if settings.service.web.oidc:
        yield _tried("provider", _provider)


def _found(question: str, fine: bool, sentence: str) -> SetupFinding:
    grade = SetupGrade.OK if fine else SetupGrade.FAIL
    return SetupFinding(area=SetupArea.SETTINGS, subject=question, grade=grade, sentence=sentence)


def _tried(question: str, ask: Callable[[], str]) -> SetupFinding:
    try:
        return _found(question, True, ask())
    except (NewsletterError, ConfigurationError) as error:
        return _found(question, False, str(error))


def _database() -> str:
    from newsletter.stores.database import newest_version, shown  # a help page needs no database
    from newsletter.stores.server_checks import require_sessions

    url, environment = container().engine.url, container().settings.environment
    require_sessions(url)
    state = f"up to date (tables of version {newest_version()})"
    if environment.database_url is None:
        return f"the embedded PostgreSQL in {environment.var / 'postgres'}, {state}"
    return f"{shown(url)}, {state}"


def _templates(which: Newsletter) -> str:
    issue = sample_issue(which)
    container().renderer.set(which, issue)
    container().transactional_renderer.check_all(which)
    return f"{which.name}: a sample issue of {len(issue.entries)} briefs renders without errors"


def _size(which: Newsletter) -> str:
    """Return how large the letters of today's issue are, if it was assembled."""
    stored = container().issues.find(which.slug, day_of(which.timetable, container().clock.now()))
    large = container().letter_sizes.large(which, stored) if stored else ()
    if too_large := refusal(large):
        raise ConfigurationError(too_large)
    said = [one.sentence for one in large] or [f"{which.name}: no letter of today is over 90 kB"]
    return "; ".join(said)


def _connections() -> str:
    """Return whether the database's server lets `serve` have its connections."""
    from newsletter.stores.connections import SERVE, WORKER, connections_allowed

    allowed = connections_allowed(container().engine)
    need = f"`newsletter serve` needs up to {SERVE} connections, each further worker {WORKER}"
    if allowed < SERVE:
        raise ConfigurationError(f"{need}; PostgreSQL allows {allowed}: raise max_connections")
    return f"{need}; PostgreSQL allows {allowed}"


def _key() -> str:
    if obstacle := container().mailer.obstacle():
        raise ConfigurationError(obstacle)
    return f"{container().settings.sendgrid_host} accepts this key"


def _paused(which: Newsletter) -> Iterator[SetupFinding]:
    try:
        for stored in container().issues.paused(which.slug):
            yield _found("paused", False, f"the issue of {stored.issue.date} is {stored.pause}")
    except NewsletterError as error:
        yield _found("paused", False, str(error))


def _rate_limit(which: Newsletter) -> str:
    """Return whether the list can be sent to in time; a warm-up may not allow it."""
    rate_limit, now = container().settings.service.rate_limit, container().clock.now()
    hours = hours_of(which.timetable, day_of(which.timetable, now))
    waves = _WAVES if which.timetable.reader_time else timedelta(0)
    capacity = capacity_between(rate_limit, hours.send, hours.stale + waves)
    readers = container().subscriptions.counts(which.slug).mailable
    if readers <= capacity:
        return f"{readers:,} readers can be sent to while an issue is fresh"
    text = (
        f"{int(capacity):,} of {readers:,} readers can be sent to while an issue is fresh, "
        f"{which.timetable.catch_up_hours} hours; the others get nothing"
    )
    if not rate_limit.warm_up:
        raise ConfigurationError(f"{text}: raise [rate_limit] or catch_up_hours")
    return f"{text}, because of the warm-up"


def _unknowns() -> str:
    container().check_webhook_key()
    means = container().reconciling.means()
    match means.evidence:
        case ReconciliationEvidence.EVENTS:
            return "unknown batches are reconciled by events: SENDGRID_WEBHOOK_KEY is set"
        case ReconciliationEvidence.LOGS:
            return "no events are received; unknown batches are reconciled by SendGrid's Email Logs"
        case ReconciliationEvidence.NONE:
            return f"unknown batches are resolved by hand: no events are received, {means.obstacle}"


def _is_https(url: str) -> bool:
    return url.startswith("https://")


def _proxies(urls: list[str]) -> str:
    """Return which proxies are believed; what is https has one, and the limits must see past it."""
    trusted = container().settings.service.web.trusted_proxies
    if not trusted:
        raise ConfigurationError(
            f"{' and '.join(urls)} need a proxy, and web.trusted_proxies names none: everybody who "
            "comes through it counts as one network, at sign-ups and sign-ins"
        )
    return f"what {', '.join(trusted)} say of a client is believed"


def _provider() -> str:
    """Return whether the staff can sign in at the company's own provider."""
    provider = container().identity_provider
    assert provider  # it is configured
    if obstacle := provider.obstacle():
        raise ConfigurationError(obstacle)
    return f"staff can sign in at {provider.issuer}"


def _alerts() -> str:
    if names := [channel.name for channel in container().alert_channels]:
        return f"{', '.join(names)}; `newsletter alerts test` sends a test"
    return "no channel: alerts go to the log only; name channels in NEWSLETTER_ALERTS"
