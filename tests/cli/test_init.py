"""`newsletter init`: from nothing to settings that `newsletter check` has no word against."""

import io
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from newsletter.cli import main
from newsletter.settings import EnvironmentSettings
from tests.cli.conftest import CommandLine

ANSWERS = (
    "--name", "Harbour Daily", "--from-address", "daily@harbour.news",
    "--postal-address", "Harbour Daily, 1 Quay, Port", "--public-url", "https://news.harbour.news",
    "--console-url", "https://console.harbour.news/", "--timezone", "Europe/Berlin",
)  # fmt: skip


class Terminal(io.StringIO):
    """Somebody who types these lines."""

    def isatty(self) -> bool:
        return True


def run(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["init", str(folder), *options])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def test_the_answers_stand_in_the_files_and_the_comments_stay(tmp_path, capsys):
    code, out, err = run(capsys, tmp_path / "config", *ANSWERS)

    assert (code, err) == (0, "")
    path = tmp_path / "config/newsletters/harbour-daily.toml"
    newsletter = read(path)
    assert newsletter["sender"] == {"name": "Harbour Daily", "email": "daily@harbour.news"}
    assert newsletter["unsubscribe_email"] == "unsubscribe@harbour.news"
    assert newsletter["list_id"] == "harbour-daily.harbour.news"
    assert newsletter["timetable"]["zone"] == "Europe/Berlin"
    assert "# The least verified label that may be printed" in path.read_text()
    service = read(tmp_path / "config/service.toml")
    assert service["public_url"] == "https://news.harbour.news"
    assert service["web"]["console_url"] == "https://console.harbour.news"
    assert service["web"]["trusted_proxies"] == ["127.0.0.1"]
    assert "web.trusted_proxies): 127.0.0.1" in out


def test_a_folder_for_this_machine_listens_where_its_urls_lead(tmp_path, capsys):
    urls = ("--public-url", "http://127.0.0.1:9080", "--console-url", "http://[::1]:9081")
    run(capsys, tmp_path / "config", *urls)
    web = read(tmp_path / "config/service.toml")["web"]
    assert (web["host"], web["port"]) == ("127.0.0.1", 9080)
    assert (web["console_host"], web["console_port"]) == ("::1", 9081)


def test_only_the_operator_reads_the_environment_which_has_a_place_for_each_secret(
    tmp_path, capsys
):
    run(capsys, tmp_path / "new config", *ANSWERS)

    file = tmp_path / "new config" / "newsletter.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    values = dict(re.findall(r"^(\w+)=(.*)$", file.read_text(), re.MULTILINE))
    known = {str(one.validation_alias) for one in EnvironmentSettings.model_fields.values()}
    not_secret = {"SENDGRID_HOST", "PUBLIC_URL", "TEMPLATES", "VAR", "BACKUPS"}
    assert values.keys() == known - {f"NEWSLETTER_{name}" for name in not_secret}
    assert values["NEWSLETTER_CONFIG"] == f"'{tmp_path}/new config'"
    assert len(values["NEWSLETTER_METRICS_TOKEN"]) >= 40


@pytest.mark.postgres
@pytest.mark.parametrize("options", [(), ANSWERS], ids=["nothing said", "all said"])
def test_check_says_of_the_folder_just_what_init_said_was_missing(
    cli: CommandLine, options: tuple[str, ...]
):
    folder = cli.folder / "new"
    missing = cli.done("init", str(folder), *options)["missing"]
    cli.environment(NEWSLETTER_CONFIG=str(folder))

    answers = cli.run("check", "--json").data

    wrong = {one["sentence"] for one in answers if not one["fine"]}
    in_files = {one.partition(": ")[2] for one in missing if ".toml: " in one}
    assert len(in_files) == (0 if options else 5)
    assert wrong == in_files | {"SENDGRID_API_KEY is not set: there is no key to send with"}
    assert any("SENDGRID_API_KEY" in one for one in missing)


def test_a_person_at_a_terminal_is_asked_again_until_the_answer_makes_sense(
    tmp_path, capsys, monkeypatch
):
    typed = ["Harbour Daily", "", "", "Mars", "UTC", "nobody", "daily@harbour.news", *[""] * 4]
    monkeypatch.setattr("sys.stdin", Terminal("\n".join([*typed, ""])))

    code, out, err = run(capsys, tmp_path / "config")

    assert (code, err) == (0, "")
    assert "'Mars' is not an IANA time zone" in out
    assert "'nobody' is not an address" in out
    newsletter = read(tmp_path / "config/newsletters/harbour-daily.toml")
    assert newsletter["reply_to"]["email"] == "daily@harbour.news"
    assert "postal_address is empty" in out


def test_nothing_is_overwritten(tmp_path, capsys):
    (tmp_path / "mine.toml").write_text("precious")

    code, _, err = run(capsys, tmp_path, *ANSWERS)

    assert code == 2
    assert "exists and is not empty; nothing was written" in err
    assert [one.name for one in tmp_path.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--from-address", "nobody", "'nobody' is not an address"),
        ("--timezone", "Mars", "not an IANA time zone"),
        ("--public-url", "news.harbour.news", "is not a URL"),
        ("--console-url", "http://localhost:99999", "is not a URL"),
        ("--slug", "Harbour Daily", "small letters, digits and hyphens"),
        ("--name", "日報", "say --slug"),
        ("--console-url", "https://news.harbour.news", "config/service.toml: web: console_url"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(tmp_path, capsys, option, value, sentence):
    code, _, err = run(capsys, tmp_path / "config", *ANSWERS, option, value)

    assert code == 2
    assert sentence in err
    assert list(tmp_path.iterdir()) == []
