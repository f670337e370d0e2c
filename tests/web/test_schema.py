"""Whatever is asked of a public address, by its own description, the service has no fault."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import SecretStr
from schemathesis import Case, GenerationMode, openapi

from newsletter.container import Container
from newsletter.settings import load_settings, shipped
from newsletter.web.public.one_click import ONE_CLICK
from subscribers.model import Purpose
from subscribers.tokens import make_token
from tests.container import TestContainer
from tests.signing import Seal
from tests.web.conftest import OTHER, READER, now_of

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.filterwarnings("ignore:Duplicate Operation ID"),  # a GET and its HEAD share one
]

#: Few of each: what matters is that it is every address, with what is right and what is wrong.
LEAN = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
#: How one-click unsubscribe would be described if it were a route of FastAPI.
ONE_CLICK_OPERATION = {
    "parameters": [{"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}],
    "responses": {"200": {"description": "gone"}},
}
PURPOSES = {"u": Purpose.UNSUBSCRIBE, "p": Purpose.PREFERENCES, "k": Purpose.STILL_WANTED}


@pytest.fixture
def whole_app(
    container: TestContainer, database_url: str, seal: Seal, tmp_path: Path
) -> Iterator[FastAPI]:
    """The application as it is served, on the database of the two readers."""
    chosen = load_settings(shipped("config"))
    environment = chosen.environment.model_copy(
        update={
            "database_url": SecretStr(database_url),
            "sendgrid_webhook_key": seal.public_key,
            "var": tmp_path,
        }
    )
    with closing(Container(replace(chosen, environment=environment))) as whole:
        yield whole.app


def test_no_address_of_the_service_has_a_fault(whole_app: FastAPI, container: TestContainer):
    described: dict[str, Any] = whole_app.openapi()  # it is never published
    described["paths"].setdefault(ONE_CLICK, {})["post"] = ONE_CLICK_OPERATION
    schema = openapi.from_dict(described)
    schema.app = whole_app
    answers: dict[str, set[int]] = {}
    for operation in (found.ok() for found in schema.get_all_operations()):
        if operation.method == "head":  # it is answered as a GET is
            continue
        seen = answers[operation.label] = set()
        # A form's words are never wrong by their description; JSON's may be.
        is_json = "application/json" in operation.get_request_payload_content_types()
        modes = GenerationMode if operation.body and is_json else [GenerationMode.POSITIVE]
        for mode, token in product(modes, {None, live_token(container, operation.path)}):
            known = {"token": token} if token else None
            ask(operation.as_strategy(generation_mode=mode, path_parameters=known), seen)

    assert {label for label, seen in answers.items() if not seen or max(seen) >= 500} == set()
    for label in ("POST /u/{token}", "POST /p/{token}", "POST /p/{token}/erase"):
        assert {200, 404} <= answers[label]


def ask(cases: Any, answers: set[int]) -> None:
    @LEAN
    @given(case=cases)
    def note(case: Case) -> None:
        answers.add(case.call().status_code)

    note()


def live_token(container: TestContainer, path: str) -> str | None:
    """A link that works, for who comes first in an address of this kind; one is to be erased."""
    purpose = PURPOSES.get(path.split("/")[1])
    if purpose is None or "{token}" not in path:
        return None
    reader = now_of(container, OTHER if path.endswith("erase") else READER)
    return make_token(purpose, reader.id, reader.link_key)
