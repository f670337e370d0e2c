"""What the log says, and what it never says."""

import io
import json
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.adapters.logs import configure_logging
from newsletter.adapters.redaction import redactor
from newsletter.container import Container
from newsletter.settings import EnvironmentSettings, load_settings, shipped


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    levels = {
        name: logging.getLogger(name).level
        for name in ("python_http_client", "uvicorn", "sqlalchemy", "apprise", "procrastinate")
    }
    yield
    root.handlers = handlers
    root.setLevel(level)
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_machine_gets_one_json_object_per_line_with_its_action_and_ids() -> None:
    configure_logging(stream=(out := io.StringIO()))
    logging.getLogger("newsletter.post").info(
        "accepted", extra={"action": "batch.accepted", "batch": 7}
    )
    [line] = lines(out)
    assert (line["action"], line["batch"]) == ("batch.accepted", 7)
    assert (line["event"], line["level"]) == ("accepted", "info")
    assert line["logger"] == "newsletter.post"
    assert str(line["timestamp"]).endswith("Z")


def test_a_person_at_a_terminal_gets_words() -> None:
    configure_logging(stream=(out := Terminal()))
    logging.getLogger("newsletter").info("accepted", extra={"action": "batch.accepted"})
    assert "accepted" in out.getvalue()
    assert not out.getvalue().startswith("{")


ADDRESSES = st.one_of(
    st.emails(),
    st.builds('"{} {}"@{}'.format, *[st.from_regex(r"[a-z]{2,9}", fullmatch=True)] * 2,
              st.sampled_from(["example.com", "[127.0.0.1]"])),
    st.builds("{}%40example.org".format, st.from_regex(r"[a-z]{3,9}", fullmatch=True)),
)  # fmt: skip
KEYS = st.from_regex(r"SG\.[A-Za-z0-9_-]{4,22}\.[A-Za-z0-9_-]{4,43}", fullmatch=True)
AROUND = st.sampled_from(["", " ", "<", '"', "'", "(", "to=", "mailto:", "\n", ", ", "é", "\\"])


@given(ADDRESSES, KEYS, AROUND, AROUND, st.booleans())
def test_no_address_and_no_key_ever_reaches_the_log(
    address: str, key: str, before: str, after: str, terminal: bool
) -> None:
    configure_logging(stream=(out := Terminal() if terminal else io.StringIO()))
    log = logging.getLogger("some.vendor")
    words = f"{before}{address}{after} {key}"
    log.warning("for %s", words)
    log.warning(
        "deep", extra={"to": {words: [words, {"again": words}]}, "error": ValueError(words)}
    )
    log.error("failed", exc_info=ValueError(words))
    said = out.getvalue()
    assert said.count("[address]") >= 5
    assert "@" not in said
    assert "%40" not in said
    assert key not in said
    assert terminal or all(lines(out))


@given(st.lists(st.text("abcd*+.[]/:?=", min_size=8, max_size=20), max_size=4), st.text())
def test_a_known_secret_is_blacked_out_wherever_it_stands(secrets: list[str], words: str) -> None:
    said = redactor(secrets)(words + "".join(secrets) + words)
    assert not [secret for secret in secrets if secret in said]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("postgresql://news:pa55@db.example/news", "postgresql://[secret]@db.example/news"),
        ("GET /u/AAAAAAAAAAAAAAAAAAAAAAAAAAAA HTTP/1.1", "GET /u/[token] HTTP/1.1"),
        ("/c/BBBBBBBBBBBBBBBBBBBBBBBBBBBB", "/c/[token]"),
        ("/a/CCCCCCCCCCCCCCCCCCCCCCCCCCCC", "/a/[token]"),
        ("/k/DDDDDDDDDDDDDDDDDDDDDDDDDDDD", "/k/[token]"),
        ("authorization: Bearer abc.def-ghi", "authorization: Bearer [key]"),
        ("batch 7 of 2026-11-23 took 3.5 s", "batch 7 of 2026-11-23 took 3.5 s"),
        ("to reader@example.com: 550 no such user", "to [address]: 550 no such user"),
    ],
)
def test_what_is_blacked_out_and_what_is_left(words: str, said: str) -> None:
    assert redactor()(words) == said


def test_a_service_keeps_every_secret_of_its_environment_out_of_its_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = EnvironmentSettings.model_fields.values()
    names = [str(f.validation_alias) for f in fields if "SecretStr" in str(f.annotation)]
    assert len(names) >= 4
    for name in names:
        monkeypatch.setenv(name, f"scheme-of:/{name.lower()}/opensesame, json://x/opensesame")
    Container(load_settings(shipped("config"))).open_log()
    for name in names:
        logging.getLogger("any").error("%s it was", os.environ[name])
    logging.getLogger("any").error("json://x/opensesame alone")
    said = capsys.readouterr().err
    assert len(said.splitlines()) == len(names) + 1
    assert "opensesame" not in said


def test_the_vendor_that_prints_the_key_at_debug_logs_nothing() -> None:
    configure_logging(stream=(out := io.StringIO()))
    logging.getLogger("python_http_client.client").debug("Authorization: SG.a.b")
    logging.getLogger("sqlalchemy.engine").info("SELECT 1")
    logging.getLogger("uvicorn.access").info("GET /")
    assert out.getvalue() == ""


def test_a_vendor_whose_own_handler_would_not_redact_loses_it() -> None:
    theirs = io.StringIO()
    vendor = logging.getLogger("uvicorn.error")
    vendor.addHandler(logging.StreamHandler(theirs))
    configure_logging(stream=(out := io.StringIO()))
    vendor.error("no reader@example.com")
    assert theirs.getvalue() == ""
    [line] = lines(out)
    assert line["event"] == "no [address]"
