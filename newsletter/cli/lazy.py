"""Commands whose modules are imported when they run: a help page waits for none of them."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, NamedTuple, cast

import typer
from typer.core import TyperCommand, TyperGroup

LOOK: dict[str, Any] = {
    "no_args_is_help": True,
    "rich_markup_mode": "rich",
    "add_completion": False,
    "pretty_exceptions_enable": False,
}


class ListedCommand(NamedTuple):
    """A command as the main help page lists it, and where it is."""

    panel: str
    help: str  #: the first sentence of its own help page
    load: Callable[[], Any]  #: imports its function, or the Typer of a group


class LazyCommands(MutableMapping[str, Any]):
    """Every command by its name, imported when it is looked up."""

    def __init__(self, listed: dict[str, ListedCommand]) -> None:
        self.listed = dict(listed)
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(name, self.listed[name])
        return self._loaded[name]

    def __setitem__(self, name: str, value: Any) -> None:
        raise TypeError("commands are listed, not added")

    def __delitem__(self, name: str) -> None:
        del self.listed[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.listed)

    def __len__(self) -> int:
        return len(self.listed)


class LazyGroup(TyperGroup):
    """A group of commands that imports the one that is run, and lists the others."""

    listed: dict[str, ListedCommand]

    def __init__(self, **options: Any) -> None:
        options["commands"] = {}
        super().__init__(**options)
        self.commands = LazyCommands(self.listed)

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(self.listed)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return what a help page shows of a command."""
        del ctx
        if (found := self.listed.get(cmd_name)) is None:
            return None
        return TyperCommand(name=cmd_name, help=found.help, rich_help_panel=found.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command itself, which is to run."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, self.commands[cast("str", name)], rest


def group_of(listed: dict[str, ListedCommand]) -> type[LazyGroup]:
    """Return the class of a group with these commands, as Typer takes it."""
    return type("Commands", (LazyGroup,), {"listed": listed})


def _load(name: str, listed: ListedCommand) -> Any:
    found = listed.load()
    parent = typer.Typer(**LOOK)
    parent.callback()(lambda: None)  # makes it a group, though it has only one command
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name, rich_help_panel=listed.panel)
    else:
        parent.command(name, rich_help_panel=listed.panel)(found)
    return cast("Any", typer.main.get_command(parent)).commands[name]
