"""`newsletter installation`, as an operator meets it."""

import pytest

from newsletter.stores.database import newest_version
from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.postgres


def test_an_installation_shows_its_id_and_gets_another_one_for_a_reason(cli: CommandLine):
    shown = cli.done("installation", "show")
    assert len(shown["id"]) == 16
    assert shown["id"] in cli.run("installation", "show").out

    assert "say why" in cli.refused("installation", "renew", "--because", " ")
    renewed = cli.done("installation", "renew", "--because", "a copy for staging")

    assert renewed["id"] != shown["id"]
    assert cli.done("installation", "show") == renewed | {"tables": newest_version()}
