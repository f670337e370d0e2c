"""The fixtures of sign-ups: these tests go through the pages, too."""

from tests.web.signup.conftest import client, container, running, sandbox  # noqa: F401  # fixtures
