"""Options that several commands have: a dataclass names them, and each command is given one."""

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

Command = Callable[..., None]


def given(kind: type[Any]) -> Callable[[Command], Command]:
    """Let a command's first argument be one of a dataclass, whose fields are options of it."""
    options = [
        Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default, annotation=one.type)
        for one in fields(kind)
    ]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def with_given(**values: Any) -> None:
            asked = kind(**{one.name: values.pop(one.name) for one in options})
            command(asked, **values)

        _, *own = signature(command).parameters.values()
        own = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in own]
        # Typer reads a command's options from its signature.
        vars(with_given)["__signature__"] = Signature([*own, *options])
        return with_given

    return decorate
