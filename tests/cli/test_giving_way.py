"""Which commands give way to what readers wait for."""

import pytest

from newsletter.container import Container
from tests.cli.conftest import READER, CommandLine

pytestmark = pytest.mark.postgres


def test_what_nobody_waits_for_gives_way_and_what_somebody_does_not(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Container] = []

    def remember(container: Container) -> None:
        given.append(container)

    monkeypatch.setattr(Container, "give_way", remember)
    listed = cli.file("list.csv", f"email\n{READER}\n")
    for number, words in enumerate(
        (
            ("subscribers", "import", listed, "--consent", "a form"),
            ("subscribers", "export", str(cli.folder / "out.csv")),
            ("bulk", "tag", "vip", "--file", listed),
            ("subscribers", "undo", "1"),
        ),
        start=1,
    ):
        assert cli.run(*words).code == 0, words
        assert len(given) == number
    cli.done("subscribers", "show", READER)
    assert len(given) == 4
