"""A batch to send, and the sandbox to send it to over real HTTP."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from newsletter.adapters.sendgrid.mailer import SendGridMailer
from newsletter.core.delivery import Claim, Outcome, Recipient
from newsletter.core.edition import (
    ADDRESS_HTML,
    ADDRESS_TEXT,
    PREFERENCES_URL,
    UNSUBSCRIBE_URL,
    Letter,
)
from newsletter.core.mailing import Envelope, envelope_of
from newsletter.sandbox.server import Sandbox, SandboxConfig
from tests.fakes import FakeClock
from tests.settings import BASE_URL, TECHNOLOGY

KEY = "SG.a-key-that-nobody-may-see"


def recipient(number: int, email: str | None = None) -> Recipient:
    return Recipient(
        place=1000 + number,
        email=email or f"reader-{number}@example.com",
        subscription_id=number,
        link_key=bytes([number % 256]) * 16,
    )


def claim_for(*emails: str) -> Claim:
    """Return a claim of a batch for these addresses, or for three readers."""
    recipients = tuple(recipient(n, email) for n, email in enumerate(emails, start=1))
    return Claim(
        installation_id="0123456789abcdef",
        attempt_id="attempt-of-the-test",
        attempt=1,
        batch_id=3,
        issue_id=7,
        brief_ids=(1,),
        recipients=recipients or tuple(recipient(n) for n in (1, 2, 3)),
    )


@pytest.fixture(scope="session")
def envelope() -> Envelope:
    return envelope_of(TECHNOLOGY, BASE_URL)


@pytest.fixture(scope="session")
def letter() -> Letter:
    """A small letter that holds every recipient tag."""
    return Letter(
        subject="Foundry halves its water – 2 stories",
        html="<!DOCTYPE html><html><head><title>Daily</title></head><body><p>Caf&#233;</p>"
        f'<a clicktracking="off" href="{UNSUBSCRIBE_URL}">Leave</a>'
        f'<a clicktracking="off" href="{PREFERENCES_URL}">Topics</a><p>{ADDRESS_HTML}</p>'
        "</body></html>",
        text=f"Café\n\nLeave: {UNSUBSCRIBE_URL}\nTopics: {PREFERENCES_URL}\nTo: {ADDRESS_TEXT}\n",
    )


@pytest.fixture(scope="session")
def large_letter(letter: Letter) -> Letter:
    """A letter that no socket swallows at once: 8 MB."""
    return replace(letter, html=letter.html.replace("Caf&#233;", "x" * 8_000_000))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    config = SandboxConfig(
        data=tmp_path_factory.mktemp("sandbox"), keys=(KEY,), max_body=20_000_000, events=False
    )
    with Sandbox(config) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """The sandbox, having forgotten what was before."""
    running.clear()
    running.fail()
    return running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make_mailer(sandbox: Sandbox, clock: FakeClock) -> Callable[..., SendGridMailer]:
    def make(*, api_key: str = KEY, host: str = "", timeout: float = 30) -> SendGridMailer:
        host = host or sandbox.url
        return SendGridMailer(api_key=api_key, host=host, timeout=timeout, clock=clock)

    return make


@pytest.fixture
def send(
    make_mailer: Callable[..., SendGridMailer], envelope: Envelope, letter: Letter
) -> Callable[..., Outcome]:
    """Send a letter, the usual one to the usual three by default."""

    def send(claim: Claim | None = None, *, letter: Letter = letter, **choices: object) -> Outcome:
        return make_mailer(**choices).send(envelope, letter, claim or claim_for())

    return send
