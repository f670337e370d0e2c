"""Web addresses: which ones a reader can be sent to."""

import re
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from newsletter.core.galley import plain_line
from newsletter.core.web_host import ascii_host, why_unfit_host

#: Scheme, user and host, port, path with query, fragment (RFC 3986, appendix B).
_WEB = re.compile(
    r"(?i)(?P<scheme>https?://)(?P<host>[^/?#]+?)(?P<port>:\d*)?(?P<path>[/?][^#]*)?(?P<end>#.*)?"
)
#: RFC 3986, 3.3 to 3.5: what may follow the host; everything else is percent-encoded.
_NOT_IN_URL = re.compile(r"[^A-Za-z0-9\-._~:/?@!$&'()*+,;=%]|%(?![0-9A-Fa-f]{2})")
_LONGEST = 2_000  #: characters; what browsers and mail clients all carry
_TRACKING = re.compile(r"(?i)utm_\w+|fbclid|gclid|mc_[ce]id")


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
    if parts.port == 0:
        return "it names port 0, which there is not"
    return why_unfit_host(parts.hostname or "")


def web_url(url: str) -> str:
    """Return a link that is safe to print; "" unless it is http or https.

    Its host is in Punycode, the rest percent-encoded, also a "%" that encodes nothing.
    """
    found = _WEB.fullmatch(plain_line(url))
    if not found:
        return ""
    user, at, name = found["host"].rpartition("@")
    host = name if name.isascii() else ascii_host(name) or _encoded(name)
    path, end = _encoded(found["path"] or ""), _encoded((found["end"] or "")[1:])
    mark = "#" if found["end"] else ""
    return f"{found['scheme']}{_encoded(user)}{at}{host}{found['port'] or ''}{path}{mark}{end}"


def _encoded(text: str) -> str:
    return _NOT_IN_URL.sub(lambda odd: "".join(f"%{b:02X}" for b in odd[0].encode()), text)


def page_key(url: str) -> tuple[str, str, str]:
    """Return what addresses of one page have in common, as they are printed."""
    return _page(web_url(url))


def same_page(one: str, other: str) -> bool:
    """Return whether two addresses lead to one page, tracking marks and fragments aside."""
    return bool(one and other) and _page_of(one) == _page_of(other)


def same_site(one: str, other: str) -> bool:
    """Return whether two addresses are of one host, however it is written."""
    pages = (_page_of(address) for address in (one, other))
    return bool(one and other) and len({host for host, *_ in pages}) == 1


def _split(url: str) -> SplitResult | None:
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is no number only shows when asked for
    except ValueError:
        return None
    return parts


@lru_cache(maxsize=8192)  # each address is compared with every other
def _page_of(address: str) -> tuple[str, str, str]:
    return _page(web_url(address) or address)


def _page(url: str) -> tuple[str, str, str]:
    parts = _split(url)
    if parts is None:
        return ("", url, "")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(sorted(pair for pair in pairs if not _TRACKING.fullmatch(pair[0])))
    return ((parts.hostname or "").removeprefix("www."), parts.path.rstrip("/"), query)
