"""Whatever is asked of the API by its own description is answered as it describes."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine

from newsletter.core.operator_alert import unknown_batch_alert
from tests.alert_receiver import Receiver
from tests.container import TODAY, TestContainer
from tests.web.api.asking import OWN_SLUG, ApiClient, given_brief, make_token
from tests.web.api.issue_day import approved, issue_day

pytestmark = pytest.mark.postgres

#: Few of each: what matters is that it is every call, with what is right and what is wrong.
LEAN = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS: Any = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def test_every_call_answers_as_it_is_described(api: ApiClient, container: TestContainer):
    container.api.state.services.rate_limit.per_minute = 1_000_000
    api.post("/briefs", given_brief())
    schema = openapi.from_dict(api.get("/openapi.json").json())
    schema.app = container.api
    asked: dict[str, set[int]] = {}
    for operation in (found.ok() for found in schema.get_all_operations()):
        seen = asked[operation.label] = set()
        for mode in GenerationMode:
            ask(operation.as_strategy(generation_mode=mode), api.token, seen)
    assert len(asked) >= 4
    assert {label for label, seen in asked.items() if not seen} == set()
    assert 200 in asked["GET /api/v1/briefs"] & asked["GET /api/v1/newsletters"]


def ask(
    cases: Any,
    token: str,
    statuses: set[int],
    *,
    most: int = LEAN.max_examples,
    here: dict[str, Any] | None = None,
    **headers: str,
) -> None:
    @settings(LEAN, max_examples=most)
    @given(case=cases)
    def check(case: Case) -> None:
        case.path_parameters = here or case.path_parameters
        answer = case.call(headers={"Authorization": f"Bearer {token}", **headers})
        case.validate_response(answer, checks=CHECKS)
        statuses.add(answer.status_code)

    check()


def test_calls_about_an_issue_that_is_there_answer_as_described(
    engine: Engine, anonymous: ApiClient, tmp_path: Path
):
    container = issue_day(engine, tmp_path)
    container.api.state.services.rate_limit.per_minute = 1_000_000
    api = ApiClient(container.api, anonymous.portal, make_token(container))
    schema = openapi.from_dict(api.get("/openapi.json").json())
    schema.app = container.api
    statuses, operations = set[int](), [found.ok() for found in schema.get_all_operations()]
    for sent in (False, True):
        if sent:
            approved(api)
            container.send_issue()
        for one in (one for one in operations if "{date}" in one.label and _reads(one) >= sent):
            here = {"newsletter": OWN_SLUG, "date": str(TODAY)}
            cases = one.as_strategy(generation_mode=GenerationMode.POSITIVE)
            ask(cases, api.token, statuses, most=4, here=here)
            if one.method == "patch":  # no tag that is made up is sure to be well-formed
                ask(cases, api.token, statuses, most=2, here=here, **{"If-Match": '"older"'})
    assert statuses >= {200, 409, 412, 422}


def test_calls_about_what_has_a_number_answer_as_described(
    api: ApiClient, container: TestContainer, receiver: Receiver
):
    container.api.state.services.rate_limit.per_minute = 1_000_000
    [receipt] = api.post("/briefs", given_brief()).json()["data"]
    hook = {"name": "shop", "url": receiver.url.replace("json:", "http:")}
    number = api.post("/webhooks", hook).json()["webhook"]["id"]
    ping = api.post(f"/webhooks/{number}/test").json()
    reader = {"email": "ann@example.com", "newsletter": OWN_SLUG, "consent": "asked"}
    alert = unknown_batch_alert(OWN_SLUG, TODAY)
    container.schedule_store.queue_alert(alert, container.clock.now())
    stored: dict[str, Any] = {
        "brief_id": receipt["brief"]["id"],
        "webhook_id": number,
        "delivery_id": ping["id"],
        "reader_id": api.post("/readers", reader | {"confirmed": True}).json()["reader"],
        "alert_id": api.get("/notices").json()["data"][0]["id"],
    }
    schema = openapi.from_dict(api.get("/openapi.json").json())
    schema.app = container.api
    numbered = [one.ok() for one in schema.get_all_operations()]
    numbered = [one for one in numbered if any(f"{{{name}}}" in one.label for name in stored)]
    for one in sorted(numbered, key=lambda one: one.method == "delete"):
        here = {name: value for name, value in stored.items() if f"{{{name}}}" in one.label}
        statuses = set[int]()
        cases = one.as_strategy(generation_mode=GenerationMode.POSITIVE)
        ask(cases, api.token, statuses, most=2, here=here)
        assert statuses - {404}, one.label
    assert len(numbered) >= 12


def _reads(operation: Any) -> bool:
    return operation.method == "get"


def test_the_description_says_what_every_call_needs(api: ApiClient):
    described = api.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for path in described["paths"].values():
        for method, operation in path.items():
            assert operation["security"] == [{"HTTPBearer": []}]
            assert {"401", "403", "404", "422", "429", "503"} <= operation["responses"].keys()
            names = [one["name"] for one in operation.get("parameters", ())]
            assert ("Idempotency-Key" in names) == (method == "post")
    assert described["components"]["schemas"]["GivenBrief"]["additionalProperties"] is False
