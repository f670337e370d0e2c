"""What is to be known here, without asking far: `newsletter check`; the doctor begins with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from newsletter.core.issue import sample_issue
from newsletter.core.letter_size import refusal
from newsletter.core.newsletter_checks import obstacles
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.reconciliation import ReconciliationEvidence
from newsletter.core.sending_limits import RateLimit, capacity_between
from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupGrade, SetupSubject
from newsletter.core.timetable import hours_of
from newsletter.errors import ConfigurationError, NewsletterError
from newsletter.ports import AlertChannel, Clock, IdentityProvider, Mailer, Renderer
from newsletter.services.letter_sizes import LetterSizes
from newsletter.services.reconciliation import Reconciling
from newsletter.stores.connections import SERVE, WORKER
from newsletter.stores.issues import IssueStore
from newsletter.stores.server_checks import ServerChecks

_WAVES = timedelta(hours=26)  #: between the same hour in the first and the last time zone


@dataclass(frozen=True, kw_only=True)
class KnownSettings:
    """What the settings say, as far as it is looked at."""

    newsletters: Mapping[str, Newsletter]
    public_url: str
    console_url: str
    sendgrid_host: str
    trusted_proxies: Sequence[str]
    rate_limit: RateLimit
    has_provider: bool  #: staff can sign in at an identity provider


@dataclass(eq=False, kw_only=True)
class SettingsChecks:
    """Looks at the settings of a newsletter, and tries what they name.

    Whatever may be missing is called late, so that each of them is a finding.
    """

    known: KnownSettings
    server: Callable[[], ServerChecks]
    renderer: Renderer
    check_transactional: Callable[[Newsletter], object]
    issues: Callable[[], IssueStore]
    letter_sizes: Callable[[], LetterSizes]
    mailer: Callable[[], Mailer]
    mailable: Callable[[str], int]  #: readers of a newsletter
    check_webhook_key: Callable[[], None]
    reconciling: Callable[[], Reconciling]
    alert_channels: Callable[[], Sequence[AlertChannel]]
    provider: Callable[[], IdentityProvider | None]
    clock: Clock

    def findings(self, which: Newsletter) -> Iterator[SetupFinding]:
        """Yield what is found about one newsletter, and about what all of them share."""
        known, newsletters = self.known, self.known.newsletters
        yield _found("settings", True, f"{which.name}; newsletters: {', '.join(newsletters)}")
        yield _tried("database", self._database)
        yield _tried("server", self._connections)
        both = (which, *(one for one in newsletters.values() if one.week_of == which.slug))
        for one in both:
            yield _tried("templates", partial(self._templates, one))
            yield _tried("size", partial(self._size, one))
        yield from self._sender(which)
        yield _tried("key", self._key)
        for one in both:
            yield from self._paused(one)
        if known.rate_limit.limits:
            yield _tried("limit", partial(self._rate_limit, which))
        yield _tried("unknowns", self._unknowns)
        yield from self._alerts()
        if proxied := [one for one in (known.public_url, known.console_url) if _is_https(one)]:
            yield _tried("proxy", partial(self._proxies, proxied))
        if known.has_provider:
            yield _tried("provider", self._provider)

    def _database(self) -> str:
        return self.server().described()

    def _connections(self) -> str:
        """Return whether the database's server lets `serve` have its connections."""
        allowed = self.server().connections()
        need = f"`newsletter serve` needs up to {SERVE} connections, each further worker {WORKER}"
        if allowed < SERVE:
            raise ConfigurationError(f"{need}; PostgreSQL allows {allowed}: raise max_connections")
        return f"{need}; PostgreSQL allows {allowed}"

    def _templates(self, which: Newsletter) -> str:
        issue = sample_issue(which)
        self.renderer.set(which, issue)
        self.check_transactional(which)
        return f"{which.name}: a sample issue of {len(issue.entries)} briefs renders without errors"

    def _size(self, which: Newsletter) -> str:
        """Return how large the letters of today's issue are, if it was assembled."""
        stored = self.issues().find(which.slug, day_of(which.timetable, self.clock.now()))
        large = self.letter_sizes().large(which, stored) if stored else ()
        if too_large := refusal(large):
            raise ConfigurationError(too_large)
        none = f"{which.name}: no letter of today is over 90 kB"
        return "; ".join(one.sentence for one in large) or none

    def _sender(self, which: Newsletter) -> Iterator[SetupFinding]:
        urls = {"public_url": self.known.public_url, "sendgrid_host": self.known.sendgrid_host}
        faults = list(obstacles(which, **urls))
        yield from (_found("sender", False, fault) for fault in faults)
        if not faults:
            yield _found("sender", True, f"{which.sender.name} <{which.sender.email}>")
            yield _found("address", True, which.postal_address)

    def _key(self) -> str:
        if obstacle := self.mailer().obstacle():
            raise ConfigurationError(obstacle)
        return f"{self.known.sendgrid_host} accepts this key"

    def _paused(self, which: Newsletter) -> Iterator[SetupFinding]:
        try:
            for stored in self.issues().paused(which.slug):
                yield _found("paused", False, f"the issue of {stored.issue.date} is {stored.pause}")
        except NewsletterError as error:
            yield _found("paused", False, str(error))

    def _rate_limit(self, which: Newsletter) -> str:
        """Return whether the list can be sent to in time; a warm-up may not allow it."""
        rate_limit, now = self.known.rate_limit, self.clock.now()
        hours = hours_of(which.timetable, day_of(which.timetable, now))
        waves = _WAVES if which.timetable.reader_time else timedelta(0)
        capacity = capacity_between(rate_limit, hours.send, hours.stale + waves)
        readers = self.mailable(which.slug)
        if readers <= capacity:
            return f"{readers:,} readers can be sent to while an issue is fresh"
        text = (
            f"{int(capacity):,} of {readers:,} readers can be sent to while an issue is fresh, "
            f"{which.timetable.catch_up_hours} hours; the others get nothing"
        )
        if not rate_limit.warm_up:
            raise ConfigurationError(f"{text}: raise [rate_limit] or catch_up_hours")
        return f"{text}, because of the warm-up"

    def _unknowns(self) -> str:
        self.check_webhook_key()
        means = self.reconciling().means()
        match means.evidence:
            case ReconciliationEvidence.EVENTS:
                return "unknown batches are reconciled by events: SENDGRID_WEBHOOK_KEY is set"
            case ReconciliationEvidence.LOGS:
                logs = "unknown batches are reconciled by SendGrid's Email Logs"
                return f"no events are received; {logs}"
            case ReconciliationEvidence.NONE:
                why = f"no events are received, {means.obstacle}"
                return f"unknown batches are resolved by hand: {why}"

    def _proxies(self, urls: Sequence[str]) -> str:
        """Return which proxies are believed; what is https has one, and limits must see past it."""
        trusted = self.known.trusted_proxies
        if not trusted:
            raise ConfigurationError(
                f"{' and '.join(urls)} need a proxy, and web.trusted_proxies names none: everybody "
                "who comes through it counts as one network, at sign-ups and sign-ins"
            )
        return f"what {', '.join(trusted)} say of a client is believed"

    def _provider(self) -> str:
        """Return whether the staff can sign in at the company's own provider."""
        provider = self.provider()
        assert provider  # it is configured
        if obstacle := provider.obstacle():
            raise ConfigurationError(obstacle)
        return f"staff can sign in at {provider.issuer}"

    def _alerts(self) -> Iterator[SetupFinding]:
        try:
            names = [channel.name for channel in self.alert_channels()]
        except ConfigurationError as error:
            yield _found("alerts", False, str(error))
            return
        if names:
            text = f"{', '.join(names)}; `newsletter alerts test` sends a test"
            yield _found("alerts", True, text)
        else:
            yield SetupSubject(SetupArea.SETTINGS, "alerts").warn(
                "no channel: alerts go to the log only", "name channels in NEWSLETTER_ALERTS"
            )


def _found(question: str, fine: bool, sentence: str) -> SetupFinding:
    grade = SetupGrade.OK if fine else SetupGrade.FAIL
    return SetupFinding(area=SetupArea.SETTINGS, subject=question, grade=grade, sentence=sentence)


def _tried(question: str, ask: Callable[[], str]) -> SetupFinding:
    try:
        return _found(question, True, ask())
    except (NewsletterError, ConfigurationError) as error:
        return _found(question, False, str(error))


def _is_https(url: str) -> bool:
    return url.startswith("https://")
