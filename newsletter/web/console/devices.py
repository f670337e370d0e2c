"""What a browser calls itself, as people say it."""

from collections.abc import Mapping

#: The first that is found counts: browsers name those that they resemble, too.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}
_LENGTH = 60


def is_phone(headers: Mapping[str, str]) -> bool:
    """Return whether a browser says that it runs on a phone, as it does unless asked not to."""
    return headers.get("sec-ch-ua-mobile") == "?1" or "Mobi" in headers.get("user-agent", "")


def device_name(user_agent: str) -> str:
    """Return "Firefox, Windows"; or the beginning of whatever else it says of itself."""
    found = (_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent))
    return ", ".join(filter(None, found)) or user_agent[:_LENGTH]


def _first(names: dict[str, str], user_agent: str) -> str:
    return next((name for mark, name in names.items() if mark in user_agent), "")
