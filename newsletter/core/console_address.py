"""Where the console may be reached: on this machine, or by https; never at the readers' origin."""

from urllib.parse import urlsplit

from newsletter.core.loopback import is_loopback, is_loopback_url

_PORTS = {"http": 80, "https": 443}


def console_url(host: str, port: int) -> str:
    """Return the console's base URL where none is set.

    Browsers make no passkeys for an IP address, so this machine is called by its name.
    """
    named = "localhost" if is_loopback(host) else f"[{host}]" if ":" in host else host
    return f"http://{named}:{port}"


def console_fault(host: str, url: str, public_url: str) -> str | None:
    """Return why the console must not be served so; None if it may be."""
    if urlsplit(url).path or urlsplit(url).query:
        return f"console_url: {url} has a path: the console has an origin of its own"
    if _origin(url) == _origin(public_url):
        return f"console_url: {url} is the origin of public_url: the console needs one of its own"
    here = is_loopback(host) and is_loopback_url(url)
    if not here and urlsplit(url).scheme != "https":
        return "console_url: must begin with https:// where the console is not on loopback only"
    return None


def is_console_origin(origin: str, url: str, host: str) -> bool:
    """Return whether a browser's Origin is the console's; `host` is what the request asked for.

    Anybody can make a request say any host, so it counts only where the console is on this machine:
    there it has several names, and a tunnel gives it another port.
    """
    try:
        if _origin(origin) == _origin(url):
            return True
        asked, ours = urlsplit(origin), urlsplit(url)
        here = is_loopback_url(origin) and is_loopback_url(url)
    except ValueError:  # no URL, whatever it is
        return False
    return here and asked.scheme == ours.scheme and asked.netloc == host


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    host = (parts.hostname or "").casefold()
    named = "localhost" if is_loopback(host) else host
    return parts.scheme, named, parts.port or _PORTS.get(parts.scheme)
