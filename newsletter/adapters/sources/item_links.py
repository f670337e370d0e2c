"""Links of items as feeds write them, made whole where the feed says how."""

import re
from urllib.parse import parse_qs, urljoin, urlsplit

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BARE_HOST = re.compile(r"(?i)www\.[\w-]+\.[\w.-]+(?:[/?#:]|$)")


def absolute(link: str, base: str) -> str:
    """Return the link, relative ones resolved; as it stands where it cannot be mended.

    >>> absolute("/a b", "https://example.com/x/"), absolute("www.example.com/1", "")
    ('https://example.com/a%20b', 'https://www.example.com/1')
    """
    link = " ".join(link.split()).replace("&amp;", "&").replace(" ", "%20")
    if _BARE_HOST.match(link):
        return f"https://{link}"
    if not link or _SCHEME.match(link) or not base:
        return link
    try:
        return urljoin(base, link)
    except ValueError:
        return link


def target(link: str) -> str:
    """Return where a search engine's alert leads, which its link says; any other link as it is."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return link
    if not re.fullmatch(r"(?:www\.)?google\.[a-z.]{2,6}", parts.hostname or ""):
        return link
    named = parse_qs(parts.query)
    found = (named.get("url") or named.get("q") or [""])[0]
    return found if parts.path == "/url" and re.match("https?://", found) else link
