"""Settings: complete, strict, and clear about what is wrong where."""

import shutil
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from pydantic import ValidationError

from newsletter.core.brief import Verification
from newsletter.core.publication import ApprovalPolicy, Weekday
from newsletter.errors import ConfigurationError
from newsletter.settings import load_settings, shipped


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return shutil.copytree(shipped("config"), tmp_path / "config")


def refusal(config: Path) -> str:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(config)
    return str(refused.value)


def test_the_shipped_settings_are_read_as_they_stand() -> None:
    settings = load_settings(shipped("config"))
    newsletter = settings.newsletter("technology")
    assert (newsletter.name, newsletter.minimum_verification) == (
        "Technology Daily",
        Verification.PARTIAL,
    )
    assert newsletter.approval is ApprovalPolicy.AUTOMATIC
    assert newsletter.timetable.days[0] is Weekday.MON
    assert newsletter.timetable.send_at.isoformat() == "06:10:00"
    assert settings.sendgrid_host == "https://api.sendgrid.com"
    assert settings.service.sending.batch_size == 1000


def test_the_environment_comes_before_the_files(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_CONFIG", str(config))
    monkeypatch.setenv("NEWSLETTER_SENDGRID_HOST", "http://127.0.0.1:4010/")
    monkeypatch.setenv("NEWSLETTER_PUBLIC_URL", "https://news.example.org/")
    monkeypatch.setenv("NEWSLETTER_VAR", "/elsewhere")
    monkeypatch.setenv("NEWSLETTER_TEMPLATES", str(shipped("templates")))
    service = config / "service.toml"
    service.write_text(service.read_text().replace("timeout_seconds = 30", "timeout_seconds = 7"))
    settings = load_settings()
    assert settings.service.sendgrid.timeout_seconds == 7
    assert settings.sendgrid_host == "http://127.0.0.1:4010"
    assert settings.public_url == "https://news.example.org"
    assert settings.environment.var == Path("/elsewhere")
    assert settings.templates == shipped("templates")


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", "")
    monkeypatch.setenv("NEWSLETTER_DATABASE_URL", "")
    environment = load_settings(shipped("config")).environment
    assert (environment.sendgrid_api_key, environment.database_url) == (None, None)


def test_secrets_are_not_shown_by_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.sesame")
    monkeypatch.setenv("NEWSLETTER_DATABASE_URL", "postgresql://user:sesame@127.0.0.1/news")
    settings = load_settings(shipped("config"))
    assert "sesame" not in repr(settings) + str(settings.environment)


def test_settings_do_not_change_once_read() -> None:
    settings = load_settings(shipped("config"))
    with pytest.raises(FrozenInstanceError):
        settings.templates = Path()  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.service.web.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("service.toml", "port = 8080", "prot = 8080", "web.port: this key is missing"),
        ("service.toml", "port = 8080", "prot = 8080", "web.prot: no such key"),
        ("service.toml", "port = 8080", "port = 80800", "web.port: "),
        (
            "service.toml",
            "port = 8080",
            'port = 1\ntrusted_proxies = ["*"]',
            "trusted_proxies.0: no ",
        ),
        (
            "service.toml",
            "port = 8080",
            'port = 1\ntrusted_proxies = ["10.0.0.1/8"]',
            "trusted_proxies.0: no address or network: 10.0.0.1/8 has host bits set",
        ),
        (
            "service.toml",
            "port = 8080",
            'port = 1\ntrusted_proxies = ["::/0"]',
            "believe everybody",
        ),
        ("service.toml", "port = 8080", "port = 1\n[web.oidc]\nname = 'x'", "web.oidc.issuer: "),
        ("service.toml", "batch_size = 1000", "batch_size = 1001", "sending.batch_size: "),
        ("service.toml", "[web]", "[web", "is not TOML: "),
        ("service.toml", 'public_url = "http:', 'public_url = "ftp:', "must begin with http://"),
        ("newsletters/technology.toml", "[caps]", "[cups]", "cups: no such key"),
        ("newsletters/technology.toml", 'days = ["mon"', 'days = ["moon"', "timetable.days.0: "),
        ("newsletters/technology.toml", 'slug = "chips"', 'slug = "policy"', "topics: each topic"),
        ("newsletters/technology.toml", "05:30:00", "5 o'clock", "is not TOML: "),
    ],
)
def test_a_slip_is_refused_with_the_file_and_the_key(
    config: Path, file: str, old: str, new: str, words: str
) -> None:
    path = config / file
    path.write_text(path.read_text().replace(old, new, 1))
    sentence = refusal(config)
    assert sentence.startswith(f"{path}: ")
    assert words in sentence
    assert "\n" not in sentence


def test_a_file_that_is_not_text_is_refused(config: Path) -> None:
    (config / "service.toml").write_bytes(b"\xff\xfe\x00")
    assert refusal(config) == f"{config}/service.toml: is not text in UTF-8"


def test_two_newsletters_do_not_print_one_pillar(config: Path) -> None:
    first = config / "newsletters" / "technology.toml"
    second = shutil.copy(first, first.with_name("zeitung.toml"))
    assert refusal(config) == f"{second}: pillar: {first} already prints this pillar"


def test_a_folder_without_newsletters_is_refused(config: Path) -> None:
    (config / "newsletters" / "technology.toml").unlink()
    assert "there is no newsletter here" in refusal(config)


def test_a_newsletter_that_is_not_there_is_said_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match="'cars'; choose from: technology"):
        load_settings(shipped("config")).newsletter("cars")


def test_letters_are_not_let_go_before_the_sunset_has_counted_them(config: Path) -> None:
    newsletter = config / "newsletters" / "technology.toml"
    sunset = "\n[sunset]\nafter_days = 500\nanswer_days = 14\nletters = 20\n"
    newsletter.write_text(newsletter.read_text() + sunset)
    assert refusal(config).endswith(
        "service.toml: retention: deliveries_days: 0, or at least the 500 of sunset.after_days in "
        "technology"
    )
