"""Web addresses: which ones a reader can be sent to."""

import ipaddress
import re
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from newsletter.core.galley import plain_line

_WEB = re.compile(r"https?://[^/]", re.IGNORECASE)
#: RFC 3986, 2.2 and 2.3: what a URL may contain; everything else is percent-encoded.
_NOT_IN_URL = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")
_LONGEST = 2_000  #: characters; what browsers and mail clients all carry
_PRIVATE_ENDINGS = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "onion")
_TRACKING = re.compile(r"(?i)utm_\w+|fbclid|gclid|mc_[ce]id")
_NUMERIC_LABEL = re.compile(r"(?i)\d+|0x[0-9a-f]*")  # WHATWG URL: such a last label means IPv4


def is_web_address(url: str) -> bool:
    parts = _split(url)
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)


def why_unfit(url: str) -> str:
    """Return why readers cannot be sent to this address; empty when they can."""
    if not is_web_address(url):
        return "it is not a web address beginning with https:// or http://"
    if len(url) > _LONGEST:
        return f"it is longer than {_LONGEST} characters"
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        return "it carries a user name or password"
    if not _is_public_host((parts.hostname or "").rstrip(".")):
        return f"{parts.hostname} is not a public host"
    return ""


def web_url(url: str) -> str:
    """Return a link that is safe to print, percent-encoded; "" unless it is http or https."""
    url = plain_line(url)
    if not _WEB.match(url):
        return ""
    return _NOT_IN_URL.sub(lambda odd: "".join(f"%{b:02X}" for b in odd[0].encode()), url)


def page_key(url: str) -> tuple[str, str, str]:
    """Return what addresses of one page have in common, as they are printed."""
    return _page(web_url(url))


def same_page(one: str, other: str) -> bool:
    """Return whether two addresses lead to one page, tracking marks and fragments aside."""
    return bool(one and other) and _page(one) == _page(other)


def same_site(one: str, other: str) -> bool:
    """Return whether two addresses are of one host, however it is written."""
    return bool(one and other) and _page(one)[0] == _page(other)[0]


def _split(url: str) -> SplitResult | None:
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is no number only shows when asked for
    except ValueError:
        return None
    return parts


def _is_public_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        labels = host.split(".")
        named = len(labels) > 1 and all(labels) and not _NUMERIC_LABEL.fullmatch(labels[-1])
        return named and labels[-1] not in _PRIVATE_ENDINGS and not host.endswith(".home.arpa")


def _page(url: str) -> tuple[str, str, str]:
    parts = _split(url)
    if parts is None:
        return ("", url, "")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(sorted(pair for pair in pairs if not _TRACKING.fullmatch(pair[0])))
    return ((parts.hostname or "").removeprefix("www."), parts.path.rstrip("/"), query)
