"""Brief: one short piece of news, its source and how far it is verified."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum

_WORDS_PER_MINUTE = 230  #: silent reading of plain English prose, rounded


class Verification(StrEnum):
    """How far the hub has verified a brief; printed beside it in every letter."""

    VERIFIED = "verified"  #: confirmed by independent sources
    PARTIAL = "partial"  #: the main claim stands, some details are not confirmed
    UNVERIFIED = "unverified"  #: never printed

    @property
    def rank(self) -> int:
        """Order the labels: the higher, the better verified."""
        return {"unverified": 0, "partial": 1, "verified": 2}[self.value]


class Importance(StrEnum):
    """The hub's own weight of a brief: the letter after its label."""

    HIGH = "H"
    MEDIUM = "M"
    LOW = "L"

    @property
    def rank(self) -> int:
        """Order the letters: the higher, the sooner in the issue."""
        return {"L": 0, "M": 1, "H": 2}[self.value]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Who reported the news, and where it can be read."""

    name: str = ""
    url: str = ""  #: http or https; empty when the page did not give one


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Something of a brief that could not be read as its source meant it; a person mends it."""

    field: str  #: the field it is about; editing that ends the doubt
    reason: str  #: one sentence


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of a story, elsewhere on the web; one without an address is none."""

    url: str = ""  #: https
    alt: str = ""  #: what it shows, for those who do not see it
    width: int = 0  #: of the file in pixels; 0 when not given


@dataclass(frozen=True, kw_only=True)
class Brief:
    """One piece of news as received, cleaned of markup, before or after the gate.

    `title`, `summary` and `why` are plain text. `body` holds paragraphs of safe inline HTML
    (a, em, strong, code), so that links survive.
    """

    key: str  #: the same for every revision of one brief
    title: str
    pillar: str
    summary: str
    body: tuple[str, ...] = ()
    why: str = ""  #: "why it matters", one sentence; empty when the author gave none
    source: Source = Source()
    verification: Verification = Verification.UNVERIFIED
    importance: Importance = Importance.MEDIUM
    minutes: int = 0  #: reading time of the source; 0 when not given
    topics: tuple[str, ...] = ()  #: slugs the author chose; empty lets the keyword rules suggest
    published: datetime | None = None  #: aware; None when the source gave no date
    undated: bool = False  #: polled without a date: counts from its arrival, behind all dated ones
    doubts: tuple[Doubt, ...] = ()
    short: str = ""  #: the news in a few words, for the subject; empty: the title
    line: str = ""  #: one sentence, printed where it does not lead; empty: the summary's first
    unconfirmed: str = ""  #: what is not confirmed, of a brief that is partly verified
    picture: Picture = Picture()  #: printed if it leads the whole letter

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all that is said here: equal content, equal digest."""
        said = json.dumps(asdict(self), sort_keys=True, default=str, ensure_ascii=True)
        return hashlib.sha256(said.encode()).hexdigest()


def of_its_own(brief: Brief) -> Brief:
    """Return the brief under a key that its link makes its own."""
    mark = hashlib.sha256(brief.source.url.encode()).hexdigest()[:12]
    return replace(brief, key=f"{brief.key[:180]}#{mark}")


def brief_key(title: str) -> str:
    """Return the key of a brief known by its title alone: letters and digits, folded."""
    return "-".join(re.findall(r"\w+", title.casefold()))[:200]


def reading_minutes(words: int) -> int:
    """Return whole minutes, at least one, to read so many words."""
    return max(1, -(-words // _WORDS_PER_MINUTE))
