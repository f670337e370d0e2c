"""Every example of the documentation, in its order, over HTTP: in Python, and as curl sends it."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import Engine

from newsletter.core.operator_alert import unknown_batch_alert
from newsletter.core.publication import ApprovalPolicy
from newsletter.core.webhook_delivery import WebhookAnswer
from newsletter.web.api.app import create_api
from newsletter.web.api.field_words import WORDS
from tests.container import TODAY, TestContainer, ids_of
from tests.settings import TECHNOLOGY
from tests.web.api.answers import RECORDED, recorded, shown
from tests.web.api.asking import API, OWN_SLUG, api_container, make_token
from tests.web.api.example import PYTHON_BEGINS, Example, steps
from tests.web.api.examples import EXAMPLES
from tests.web.api.issue_day import READERS
from tests.web.console.serving import listening, serving

pytestmark = pytest.mark.postgres

GRACE = timedelta(minutes=5)


def answered(*_: object, **__: object) -> WebhookAnswer:
    """Answer a post to a webhook endpoint."""
    return WebhookAnswer(status=204)


@pytest.fixture
def container(engine: Engine, tmp_path: Path) -> TestContainer:
    """Readers, and somebody who receives what is posted to webhook endpoints."""
    made = api_container(engine, replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON))
    made.post_webhook = answered
    made.subscribe(tmp_path, READERS | {"robot@example.com": "robotics"})
    made.sending_by_hand.grace = GRACE
    return made


@pytest.fixture
def environment(container: TestContainer) -> Iterator[dict[str, str]]:
    """What somebody sets before the examples."""
    token = make_token(container, newsletters=None, name="the hub")
    with serving(container.api, listening()) as url:
        yield {"API": url + API, "TOKEN": token}


def the_first_batch_leaves(container: TestContainer) -> None:
    container.clock.pass_time(minutes=GRACE.seconds // 60)
    container.sending_by_hand.run_due()
    batch = next(iter(container.queue.jobs))
    container.queue.jobs.pop(batch)
    container.sending.send_batches([batch])


def two_minutes_pass(container: TestContainer) -> None:
    container.clock.pass_time(minutes=2)  # an event is shown a minute after it came


def an_operator_alert_is_sent(container: TestContainer) -> None:
    container.schedule_store.queue_alert(
        unknown_batch_alert(OWN_SLUG, TODAY), container.clock.now()
    )


def events_come(container: TestContainer) -> None:
    """Have the first letter that left reported as delivered and opened."""
    claim, at = container.mailer.asked[0][2], int(container.clock.now().timestamp())
    for word in ("delivered", "open"):
        event = {"event": word, "email": claim.recipients[0].email, "sg_event_id": word}
        container.receive_events(event | {"timestamp": at} | ids_of(claim, 0))
    container.clock.pass_time(minutes=2)


FIRST: Mapping[str, Callable[[TestContainer], None]] = {
    "": lambda _: None,
    "the first batch leaves": the_first_batch_leaves,
    "events come": events_come,
    "two minutes pass": two_minutes_pass,
    "operators are told something": an_operator_alert_is_sent,
}


def test_every_call_has_an_example(container: TestContainer):
    described: Any = container.api.openapi()
    calls = {
        f"{method.upper()} {path.removeprefix(API)}"
        for path, operations in described["paths"].items()
        for method in operations
    }
    assert calls - {one.call for one in EXAMPLES} == set(), "no example in examples.py"
    assert {one.call for one in EXAMPLES} - calls == set(), "an example of no call"
    assert len({one.title for one in EXAMPLES}) == len(EXAMPLES)
    assert [one.title for one in EXAMPLES if not _is_of(one)] == []


def test_every_field_and_every_parameter_says_what_it_is():
    """A word that several objects have in one meaning stands in `field_words.py`."""
    described: Any = create_api(cast("Any", None)).openapi()
    schemas: dict[str, Any] = described["components"]["schemas"]
    fields = {
        f"{name}.{field}": one
        for name, schema in schemas.items()
        for field, one in schema.get("properties", {}).items()
    }
    parameters = {
        f"{path} {one['name']}": one
        for path, operations in described["paths"].items()
        for operation in operations.values()
        for one in operation.get("parameters", ())
    }
    silent = [name for name, one in (fields | parameters).items() if not one.get("description")]
    assert silent == []
    used = {name.partition(".")[2] for name in fields} | {
        one["name"] for one in parameters.values()
    }
    assert WORDS.keys() - fields.keys() - used == set(), "words that nothing says"


def test_what_a_patch_leaves_out_has_no_default():
    described: Any = create_api(cast("Any", None)).openapi()
    schemas = described["components"]["schemas"]
    for name in ("SubscriptionPatch", "ReaderPatch", "WebhookPatch", "EditedBrief", "IssuePatch"):
        assert [one for one in schemas[name]["properties"].values() if "default" in one] == []
    assert schemas["NewReader"]["properties"]["confirmed"]["default"] is False


def _is_of(one: Example) -> bool:
    """Return whether the path of an example is one of its call."""
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(one.call.partition(" ")[2]))
    return re.fullmatch(pattern, one.address.partition("?")[0]) is not None


def test_the_examples_in_python_are_answered_as_they_say(
    container: TestContainer, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {}
    exec(PYTHON_BEGINS, names)  # what a reader of the page copies
    answers: dict[str, Any] = {}
    with closing(names["api"]):
        for one in EXAMPLES:
            FIRST[one.first](container)
            exec(one.python, names)  # the same
            answer: httpx.Response = names["answer"]
            assert answer.status_code == one.status, f"{one.title}: {answer.text}"
            answers[one.title] = shown(one, answer)
    if os.environ.get("RECORD_ANSWERS"):
        text = json.dumps(answers, indent=1, ensure_ascii=False)
        RECORDED.write_text(text + "\n", encoding="utf-8")
    assert answers == recorded(), "RECORD_ANSWERS=1 records them anew; then `make docs`"


def test_the_examples_for_curl_are_answered_as_they_say(
    container: TestContainer, environment: dict[str, str], tmp_path: Path
):
    send = by_curl if shutil.which("curl") and shutil.which("sh") else by_its_words
    for one in EXAMPLES:
        FIRST[one.first](container)
        answer = send(one.curl, environment, tmp_path)
        assert answer.status_code == one.status, f"{one.title}: {answer.text}"
        for name, at in one.keeps.items():
            environment[name.upper()] = str(value_at(answer, at))


def value_at(answer: httpx.Response, at: str) -> Any:
    if not at.startswith("/"):
        return answer.headers[at]
    value: Any = answer.json()
    for step in steps(at):
        value = value[step]
    return value


def by_curl(words: str, environment: Mapping[str, str], folder: Path) -> httpx.Response:
    """Have a shell call curl as the page has it, but that the answer goes into files."""
    head, body = folder / "head", folder / "body"
    keeping = f'curl() {{ command curl -sS --max-time 20 -D "{head}" -o "{body}" "$@"; }}\n'
    body.write_bytes(b"")
    subprocess.run(
        ["sh", "-c", keeping + words],  # the shell of whoever runs the tests
        check=True,
        env=os.environ | environment,
    )
    first, *lines = head.read_text().strip().splitlines()
    headers = [(name, value.strip()) for name, _, value in (one.partition(":") for one in lines)]
    return httpx.Response(int(first.split()[1]), headers=headers, content=body.read_bytes())


def by_its_words(words: str, environment: Mapping[str, str], _: Path) -> httpx.Response:
    """Send what curl would send, where there is no curl."""
    asked = [Template(one).substitute(environment) for one in shlex.split(words)]
    options = dict(pairwise(asked))
    method = options.get("-X", "GET")
    url = next(one for one in asked if one.startswith("http"))
    pairs = (asked[at + 1].partition(": ") for at, one in enumerate(asked) if one == "-H")
    headers = {name: value for name, _, value in pairs}
    return httpx.request(method, url, headers=headers, content=options.get("--data"))
