"""Renders the reference of the commands, from Typer."""

import inspect
from collections.abc import Iterator
from typing import Any

from tests.docs.generate.markdown import choices, shown, table


def commands(root: Any) -> Iterator[str]:
    """Yield the lines of the page."""
    yield "Every command also answers `--help`. Exit codes: 0 success, 1 failure, 2 wrong input or"
    yield "settings."
    yield ""
    yield from _group(root, "newsletter", level=2)


def _group(command: Any, words: str, level: int) -> Iterator[str]:
    for name, inner in sorted(command.commands.items()):
        if not inner.hidden:
            yield from _command(inner, f"{words} {name}", level)


def _command(command: Any, words: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} {words}"
    yield ""
    yield inspect.cleandoc(command.help or "")
    yield ""
    if hasattr(command, "commands"):
        yield from _group(command, words, level + 1)
        return
    yield "```"
    yield " ".join([words, *filter(None, map(_usage, command.params)), "[OPTIONS]"])
    yield "```"
    yield ""
    yield from table(("Parameter", "Description", "Default"), map(_parameter, command.params))


def _usage(parameter: Any) -> str:
    if not parameter.required:
        return ""
    return (
        f"{parameter.opts[0]} {_value(parameter)}" if _is_option(parameter) else _value(parameter)
    )


def _parameter(parameter: Any) -> tuple[str, str, str]:
    value = _value(parameter)
    names = " ".join([", ".join(parameter.opts), value]) if _is_option(parameter) else value
    default = "required" if parameter.required else shown(parameter.default or None)
    return f"`{names.strip()}`", parameter.help or "", default


def _is_option(parameter: Any) -> bool:
    return parameter.param_type_name == "option"


def _value(parameter: Any) -> str:
    """Return what stands for a parameter's value; nothing for a flag."""
    if getattr(parameter, "is_flag", False):
        return ""
    if parameter.metavar:
        return parameter.metavar
    return "|".join(choices(parameter.type_descriptor.annotation)) or parameter.name.upper()
