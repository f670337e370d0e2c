"""As whom a letter is looked at: everything, an edition, some topics, or one reader."""

from dataclasses import dataclass
from datetime import date

from newsletter.core.staff import Permission
from newsletter.errors import NotFound
from newsletter.services.preview import Preview
from newsletter.web.console.access import NotPermitted, Visit
from subscribers.errors import NoSuchSubscription

NOBODY = "none"  #: as which one: an address nobody reads with was entered
_KINDS = ("everything", "edition", "topics", "reader")


@dataclass(frozen=True)
class Persona:
    """A kind, and which one of it; as text it stands in an address: "edition:7f3a91c0"."""

    kind: str = "everything"
    which: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.which}" if self.which else self.kind


def persona_of(text: str) -> Persona:
    """Read the text form; whatever is not one is everything."""
    kind, _, which = text.partition(":")
    return Persona(kind, which) if kind in _KINDS and (which or kind == "everything") else Persona()


def preview_as(visit: Visit, on: date, persona: Persona) -> Preview:
    """Return the letter that this persona would get; NotFound says why there is none."""
    previews, newsletter = visit.services.previews, visit.here
    match persona.kind:
        case "edition":
            return previews.for_edition(newsletter, on, persona.which)
        case "topics":
            return previews.for_topics(newsletter, on, persona.which.split(","))
        case "reader":
            return previews.for_email(newsletter, on, _address(visit, persona.which))
        case _:
            return previews.everything(newsletter, on)


def _address(visit: Visit, ticket: str) -> str:
    """Return the address of the reader of a recorded look; the page's address has its ticket."""
    if not visit.may(Permission.KEEP_LIST):
        raise NotPermitted(Permission.KEEP_LIST)
    if ticket == NOBODY:
        raise NotFound("there is no such reader")
    number = visit.services.reader_looks.subscription_id(visit.signed, ticket)
    if number is None:
        raise NotFound(str(visit.services.pages.words("issue.look_again")))
    try:
        found = visit.services.subscriptions.by_id(number)
    except NoSuchSubscription:
        raise NotFound("there is no such reader") from None
    if found.newsletter != visit.here.readers.newsletter:
        raise NotFound("there is no such reader")
    return found.email
