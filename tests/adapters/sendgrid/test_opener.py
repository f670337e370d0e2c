"""By TLS, as SendGrid is asked: who may answer is verified, and known authorities are read once."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.adapters.sendgrid.mailer import SendGridMailer
from newsletter.adapters.sendgrid.opener import opener
from newsletter.core.delivery import Accepted, Refused, Remedy, Unknown
from newsletter.core.edition import Letter
from newsletter.core.mailing import Envelope
from tests.adapters.sendgrid.canned import answer, answering
from tests.adapters.sendgrid.conftest import claim_for
from tests.certificate import certificate_in

ACCEPTED = answer("202 Accepted", X_Message_Id="m")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Each time at which the authorities that this system trusts are read."""
    seen: list[object] = []

    def load(context: ssl.SSLContext, *purpose: Any) -> None:
        seen.append(context)
        given(context, *purpose)

    given = ssl.SSLContext.load_default_certs
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", load)
    opener.cache_clear()
    yield seen
    opener.cache_clear()  # it trusts the certificate of this test


def test_authorities_are_read_once_for_all_requests_of_all_mailers(
    make_mailer: Callable[..., SendGridMailer],
    envelope: Envelope,
    letter: Letter,
    loads: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate = certificate_in(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with answering(ACCEPTED, certificate) as url:
        outcomes = [
            mailer.send(envelope, letter, claim_for())
            for mailer in (make_mailer(host=url), make_mailer(host=url))
            for _ in range(2)
        ]
    assert outcomes == [Accepted(message_id="m")] * 4
    assert len(loads) == 1


def test_nothing_is_sent_to_whom_no_known_authority_vouches_for(
    make_mailer: Callable[..., SendGridMailer],
    envelope: Envelope,
    letter: Letter,
    loads: list[object],
    tmp_path: Path,
) -> None:
    with answering(ACCEPTED, certificate_in(tmp_path)) as url:
        outcome = make_mailer(host=url).send(envelope, letter, claim_for())
    assert isinstance(outcome, Refused)
    assert (outcome.remedy, outcome.reached) == (Remedy.RETRY, False)
    assert "certificate" in outcome.reason
    assert loads


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other"])
def test_a_redirect_takes_our_key_to_no_other_host(
    make_mailer: Callable[..., SendGridMailer], envelope: Envelope, letter: Letter, status: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        elsewhere = f"http://127.0.0.1:{other.getsockname()[1]}/"
        with answering(answer(status, Location=elsewhere)) as url:
            mailer = make_mailer(host=url, timeout=1)
            outcome, obstacle = mailer.send(envelope, letter, claim_for()), mailer.obstacle()
        with pytest.raises(BlockingIOError):  # nobody came
            other.accept()
    assert isinstance(outcome, Unknown)
    assert outcome.reason.startswith(status[:3])
    assert status[:3] in (obstacle or "")
