"""A day of the newsletter whose issue the API's tests look at: a draft, and readers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from newsletter.core.publication import ApprovalPolicy
from tests.container import TODAY, TestContainer
from tests.settings import TECHNOLOGY
from tests.web.api.asking import OWN_SLUG, ApiClient, api_container

ISSUE = f"/issues/{OWN_SLUG}/{TODAY}"
READERS = {f"r{n}@example.com": ("chips", "chips;policy", "")[n % 3] for n in range(6)}
BECAUSE = {"because": "a slip in the lead"}


def issue_day(
    engine: Engine, folder: Path, approval: ApprovalPolicy = ApprovalPolicy.PERSON, **sending: Any
) -> TestContainer:
    """Return a container with a draft of three stories, and readers of whom one gets nothing."""
    made = api_container(engine, replace(TECHNOLOGY, approval=approval), **sending)
    made.receive("chips", "security", "policy")
    made.subscribe(folder, READERS | {"robot@example.com": "robotics"})
    made.publishing.assemble(made.newsletter, TODAY)
    return made


def approved(api: ApiClient) -> httpx.Response:
    """Approve today's draft as a program does that looked at all findings."""
    checks = api.get(f"{ISSUE}/preflight").json()
    seen = [one["key"] for one in checks["findings"] if one["grade"] == "look"]
    return api.post(f"{ISSUE}/approve", {"hash": checks["hash"], "seen": seen})


def status(api: ApiClient) -> str:
    return api.get(ISSUE).json()["status"]
