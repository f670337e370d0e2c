"""Every sentence of the console's own, read from one file.

`templates/console/words.toml` holds them by page and name. A sentence may contain `{fields}`, which
are escaped, and simple HTML, which is not. A table with `one` and `other` is chosen by `count`.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

Sentence = str | Mapping[str, str]


class Words:
    """The console's sentences by their names, such as "today.no_briefs"."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._sentences = dict(_flat("", tomllib.load(file)))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._sentences)

    def __call__(self, name: str, /, **fields: object) -> Markup:
        """Return a sentence, filled in; KeyError for a name or a field that is not there."""
        sentence = self._sentences[name]
        if not isinstance(sentence, str):
            sentence = sentence["one" if fields["count"] == 1 else "other"]
        return Markup(sentence).format(**{key: _shown(value) for key, value in fields.items()})  # noqa: S704  # ours


def _flat(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, Sentence]]:
    found = list[tuple[str, Sentence]]()
    for key, value in table.items():
        if isinstance(value, str) or value.keys() == {"one", "other"}:
            found.append((prefix + key, value))
        else:
            found.extend(_flat(f"{prefix}{key}.", value))
    return found


def _shown(value: object) -> object:
    """Return a number with commas; anything else as it is."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
