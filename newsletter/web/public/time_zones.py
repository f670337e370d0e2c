"""Time zones to choose from, and a guess at a reader's own."""

import re
from collections import defaultdict
from functools import cache
from importlib import resources
from zoneinfo import available_timezones

_REGIONS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)
#: A language with its region, as browsers name them: "de-AT", "pt-BR", "zh-Hant-TW".
_TAG = re.compile(r"^[a-z]{2,3}(?:-[A-Z][a-z]{3})?-([A-Z]{2})$", re.IGNORECASE)


@cache
def zones_by_region() -> dict[str, list[str]]:
    """Return the sorted names of the zones that are places, under their region."""
    names = sorted(available_timezones())
    return {region: [n for n in names if n.startswith(f"{region}/")] for region in _REGIONS}


def is_listed(zone: str) -> bool:
    """Return whether `zones_by_region` has this zone."""
    return any(zone in names for names in zones_by_region().values())


def zone_guess(accept_language: str, default: str) -> str:
    """Return the zone of the first country in Accept-Language, if that country has only one."""
    for part in accept_language[:200].split(","):
        tag = _TAG.match(part.partition(";")[0].strip())
        if tag:
            return _only_zones().get(tag[1].upper(), default)
    return default


@cache
def _only_zones() -> dict[str, str]:
    """Return the zone of each country that has only one, by the country's code."""
    table = resources.files("tzdata") / "zoneinfo" / "zone.tab"
    zones: dict[str, list[str]] = defaultdict(list)
    for line in table.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            zones[country].append(zone)
    return {country: of[0] for country, of in zones.items() if len(of) == 1}
