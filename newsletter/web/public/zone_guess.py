"""Guesses that spare a reader a choice: the time zone of a country that has only one."""

import re
from collections import defaultdict
from functools import cache
from importlib import resources

#: A language with its region, as browsers name them: "de-AT", "pt-BR", "zh-Hant-TW".
_TAG = re.compile(r"^[a-z]{2,3}(?:-[A-Z][a-z]{3})?-([A-Z]{2})$", re.IGNORECASE)


def zone_guess(accept_language: str, otherwise: str) -> str:
    """Return the zone of the first country that a browser's languages name, if it has but one."""
    for part in accept_language[:200].split(","):
        tag = _TAG.match(part.partition(";")[0].strip())
        if tag:
            return _only_zones().get(tag[1].upper(), otherwise)
    return otherwise


@cache
def _only_zones() -> dict[str, str]:
    """Return the countries with one zone, by code, from the table that comes with the zones."""
    table = resources.files("tzdata") / "zoneinfo" / "zone.tab"
    zones: dict[str, list[str]] = defaultdict(list)
    for line in table.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            zones[country].append(zone)
    return {country: of[0] for country, of in zones.items() if len(of) == 1}
