"""Tracking: what is counted of a letter, and the marks on its links that other statistics read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, quote, urlencode


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """What a newsletter counts; nothing is ever marked or counted on a reader's own links."""

    opens: bool = True  #: SendGrid puts an invisible picture into the letter
    clicks: bool = True  #: SendGrid leads the links of stories over a host of its own
    utm_source: str = ""  #: on links to stories; empty: they are not marked
    utm_medium: str = "email"  #: beside it; may be empty
    utm_campaign: str = "{newsletter}-{date}"  #: beside it; may be empty

    def marks(self, newsletter: str, on: date) -> tuple[tuple[str, str], ...]:
        """Return the parameters that an issue's links get; none unless there is a source."""
        if not self.utm_source:
            return ()
        campaign = self.utm_campaign.replace("{newsletter}", newsletter).replace("{date}", str(on))
        marks = {
            "utm_source": self.utm_source,
            "utm_medium": self.utm_medium,
            "utm_campaign": campaign,
        }
        return tuple((name, value) for name, value in marks.items() if value)


def marked_url(url: str, marks: Iterable[tuple[str, str]]) -> str:
    """Return the address with these parameters, unless it has them; its own, and its part, stay.

    >>> marked_url("https://a.example/x?id=7#end", [("utm_source", "daily")])
    'https://a.example/x?id=7&utm_source=daily#end'
    """
    page, sign, part = url.partition("#")
    path, _, query = page.partition("?")
    there = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    added = urlencode([one for one in marks if one[0] not in there], quote_via=quote)
    if not (url and added):
        return url
    own = f"{query}&" if query and not query.endswith("&") else query
    return f"{path}?{own}{added}{sign}{part}"
