"""Templates that are compiled once in a test process: each test's container reads them anew."""

from types import CodeType
from typing import Any

from jinja2 import Environment


def remember_compiled_templates() -> None:
    """Let Jinja compile a source only once for environments that are set alike."""
    compile_anew, known = Environment.compile, dict[tuple[Any, ...], CodeType]()

    def remembered(
        self: Environment,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        *how: bool,
        **named: bool,
    ) -> Any:
        if not isinstance(source, str) or how or named:
            return compile_anew(self, source, name, filename, *how, **named)
        key = (source, name, filename, *_how_it_is_set(self))
        if key not in known:  # a faulty template raises each time
            known[key] = compile_anew(self, source, name, filename)
        return known[key]

    Environment.compile = remembered  # type: ignore[method-assign]


def _how_it_is_set(environment: Environment) -> tuple[Any, ...]:
    """Return all that the compiled code depends on besides the source."""
    return (
        type(environment),
        environment.undefined,
        environment.autoescape,
        environment.trim_blocks,
        environment.lstrip_blocks,
        environment.keep_trailing_newline,
        frozenset(environment.filters),
        frozenset(environment.tests),
        frozenset(environment.extensions),
    )
