"""The API on a test's database, and clients with tokens."""

from collections.abc import Iterator

import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import Engine

from tests.container import TestContainer
from tests.web.api.asking import ApiClient, api_container, make_token


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    """Two newsletters of different pillars, without readers and briefs."""
    return api_container(engine)


@pytest.fixture
def anonymous(container: TestContainer) -> Iterator[ApiClient]:
    """The API as somebody without a token asks it."""
    with start_blocking_portal() as portal:
        yield ApiClient(container.api, portal)


@pytest.fixture
def api(container: TestContainer, anonymous: ApiClient) -> ApiClient:
    """The API with a token that may do everything in the one newsletter, and sees no other."""
    return anonymous.with_token(make_token(container))
