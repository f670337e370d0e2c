"""A brief from named fields, which front matter, JSON and polled items share."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar, cast

from newsletter.adapters.sources.cleaning import paragraphs, plain, visible
from newsletter.adapters.values import moment
from newsletter.core.boilerplate import prose, without_cut_end
from newsletter.core.brief import Brief, Importance, Picture, Source, Verification, brief_key
from newsletter.errors import InvalidBrief

NAMES = (
    "id", "title", "pillar", "source", "source_url", "verification", "importance", "minutes",
    "topics", "published", "summary", "why", "body", "short", "line", "unconfirmed",
    "picture", "picture_alt", "picture_width",
)  # fmt: skip
LABELS = {  #: "-" and "_" count as " "; "not verified" must not be read as "verified"
    "verified": Verification.VERIFIED,
    "partial": Verification.PARTIAL,
    "partially verified": Verification.PARTIAL,
    "partly verified": Verification.PARTIAL,
    "verified in part": Verification.PARTIAL,
    "unverified": Verification.UNVERIFIED,
    "not verified": Verification.UNVERIFIED,
    "not yet verified": Verification.UNVERIFIED,
    "un verified": Verification.UNVERIFIED,
    "non verified": Verification.UNVERIFIED,
}
_IMPORTANCE = {
    word: importance
    for importance in Importance
    for word in (importance.value.lower(), importance.name.lower())
}
_NUMBER = re.compile(r"([0-9]{1,4})(?: ?(?:min(?:ute)?s?|px))?(?: read)?", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"<[^<>\s]+>")

T = TypeVar("T")
Where = Callable[[str], str]  #: the place of a field, for people: file, and line or item


def brief_of(
    given: Mapping[str, object], where: Where, *, clean: Callable[[str], str] = plain
) -> Brief:
    """Return the brief these fields describe; InvalidBrief names the field that is wrong.

    Required: title and pillar. A brief without a label is unverified. `clean` makes plain text of
    a field; what has been cleaned already is not cleaned as markup again.
    """
    for name in given:
        if name not in NAMES:
            raise InvalidBrief(where(name), f"unknown field {name!r}; known are {', '.join(NAMES)}")
    fields = _Fields(given, where, clean)
    title = fields.required("title")
    return Brief(
        key=fields.key(title),
        title=title,
        pillar=fields.required("pillar"),
        summary=fields.prose("summary"),
        body=tuple(filter(None, map(prose, fields.body()))),
        why=fields.prose("why"),
        source=Source(name=fields.text("source"), url=_address(fields.raw("source_url"))),
        verification=fields.one_of("verification", LABELS, Verification.UNVERIFIED),
        importance=fields.one_of("importance", _IMPORTANCE, Importance.MEDIUM),
        minutes=fields.number("minutes"),
        topics=tuple(dict.fromkeys(fields.topics())),
        published=fields.published(),
        short=fields.text("short"),
        line=fields.text("line"),
        unconfirmed=fields.text("unconfirmed"),
        picture=fields.picture(),
    )


def _address(written: str) -> str:
    """Return the address, without what HTML and Markdown put into and around it."""
    bare = visible(written).replace("&amp;", "&")
    return bare[1:-1] if _IN_BRACKETS.fullmatch(bare) else bare


class _Fields:
    """Reads each field in its type, or names the field that is wrong."""

    def __init__(
        self, given: Mapping[str, object], where: Where, clean: Callable[[str], str]
    ) -> None:
        self._given = given
        self._where = where
        self._clean = clean

    def wrong(self, name: str, reason: str) -> InvalidBrief:
        return InvalidBrief(self._where(name), f"{name} {reason}")

    def raw(self, name: str) -> str:
        value = self._given.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(name, f"must be text, not {type(value).__name__}")
        return value

    def text(self, name: str) -> str:
        return self._clean(self.raw(name))

    def prose(self, name: str) -> str:
        """Return the text without boilerplate; as it is, for the gate, if it is nothing else."""
        text = self.text(name)
        return without_cut_end(prose(text)) or text

    def required(self, name: str) -> str:
        if text := self.text(name):
            return text
        raise self.wrong(name, "is missing")

    def key(self, title: str) -> str:
        given = self.text("id")
        if self._given.get("id") is not None and not given:
            raise self.wrong("id", "is empty")
        if key := (given or brief_key(title))[:200]:
            return key
        raise self.wrong("title", "has neither letter nor digit")

    def one_of(self, name: str, known: Mapping[str, T], default: T) -> T:
        word = " ".join(re.split(r"[\s_-]+", self.text(name).casefold()))
        if word and word not in known:
            raise self.wrong(name, f"must be one of {', '.join(known)}, not {word[:40]!r}")
        return known[word] if word else default

    def picture(self) -> Picture:
        return Picture(
            url=visible(self.raw("picture")),
            alt=self.text("picture_alt"),
            width=self.number("picture_width"),
        )

    def number(self, name: str) -> int:
        given = self._given.get(name)
        if given is None or given == "":
            return 0
        number = isinstance(given, str | int) and not isinstance(given, bool)
        written = str(given) if number else ""
        found = _NUMBER.fullmatch(visible(written))
        if not found:
            shown = f"{written[:40]!r}" if written else type(given).__name__
            raise self.wrong(name, f"must be a whole number such as 4, not {shown}")
        return int(found[1])

    def texts(self, name: str, split: Callable[[str], Iterable[str]]) -> Iterator[str]:
        """Yield the texts of a list, or the parts of one text."""
        given = self._given.get(name)
        given = () if given is None else given
        items = split(given) if isinstance(given, str) else given
        if not isinstance(items, Iterable) or isinstance(items, Mapping):
            raise self.wrong(name, f"must be text or a list of texts, not {type(given).__name__}")
        for item in cast("Iterable[object]", items):
            if not isinstance(item, str):
                raise self.wrong(name, f"must hold texts only, not {type(item).__name__}")
            yield item

    def topics(self) -> Iterator[str]:
        slugs = (plain(slug).lower() for slug in self.texts("topics", lambda text: text.split(",")))
        return (slug for slug in slugs if slug)

    def body(self) -> tuple[str, ...]:
        texts = self.texts("body", lambda text: (text,))
        return tuple(part for text in texts for part in paragraphs(text))

    def published(self) -> datetime | None:
        given = self.text("published")
        published = moment(given)
        if given and not published:
            wanted = "must be a date such as 2026-03-31T08:00Z"
            raise self.wrong("published", f"{wanted}, not {given[:40]!r}")
        return published
