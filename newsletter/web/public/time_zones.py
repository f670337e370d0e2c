"""Time zones to choose from: those that are a place, by their part of the world."""

from functools import cache
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


@cache
def zones_by_region() -> dict[str, list[str]]:
    """Return the names of zones, sorted, under the region they begin with."""
    names = sorted(available_timezones())
    return {region: [n for n in names if n.startswith(f"{region}/")] for region in _REGIONS}
