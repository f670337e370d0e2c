"""A story as a template prints it: clean text, in the size and direction it is set in."""

from dataclasses import dataclass

from newsletter.core.brief import Verification
from newsletter.core.galley import (
    correction_piece,
    correction_tag,
    page_piece,
    page_tag,
    picture_piece,
    piece_of,
    plain_line,
)
from newsletter.core.issue import IssueEntry
from newsletter.core.picture import MEASURE, why_unfit_picture
from newsletter.core.story_size import printed_text, printed_why
from newsletter.core.tracking import marked_url
from newsletter.core.web_address import web_url
from newsletter.errors import RenderingFailed
from newsletter.rendering.typefaces import RTL, SIDES, direction_of

#: How far a brief is verified, as letters say it.
LABELS = {Verification.VERIFIED: "Verified", Verification.PARTIAL: "Partly verified"}

Marks = tuple[tuple[str, str], ...]  #: parameters of links


@dataclass(frozen=True, kw_only=True)
class StoryPicture:
    """A picture as it is printed, which a web address and a text describe."""

    piece: str
    url: str  #: https, percent-encoded
    alt: str
    width: int  #: in pixels of the letter


@dataclass(frozen=True, kw_only=True)
class Story:
    """A brief as it is printed: one line of plain text in each field."""

    brief_id: int
    piece: str
    title: str
    size: str  #: "lead", "story" or "small"
    text: str  #: of a lead its summary, else one sentence
    why: str  #: empty when it gives none, and in a small story
    label: str  #: how far it is verified, in words
    verified: bool
    unconfirmed: str  #: what is not; empty when it is verified, or does not say
    source: str  #: empty when unknown
    url: str  #: http or https, percent-encoded; empty when the brief has no such link
    minutes: int  #: reading time of the source; 0 when unknown
    start: str  #: "left" or "right": where its own lines begin
    turned: bool  #: whether it runs in another direction than the letter
    isolated: bool  #: whether its source must not turn the words beside it
    correction: tuple[str, str] | None  #: piece and tag of what the web says of it later
    page: tuple[str, str] | None  #: piece and tag of the web's link to the story's own page
    picture: StoryPicture | None  #: printed if it is the first story of an edition


def story_of(entry: IssueEntry, direction: str, marks: Marks) -> Story:
    """Return the story in a letter of this direction; RenderingFailed if it may not be printed.

    `marks` are added to its link.
    """
    brief, size = entry.brief, entry.size
    if brief.verification not in LABELS:
        raise RenderingFailed(f"brief {entry.brief_id} is unverified and is never printed")
    verified = brief.verification is Verification.VERIFIED
    source = plain_line(brief.source.name)
    own = direction_of(f"{brief.title} {brief.summary}") or direction
    return Story(
        brief_id=entry.brief_id,
        piece=piece_of(entry.brief_id),
        title=plain_line(brief.title),
        size=size.value,
        text=plain_line(printed_text(brief, size)),
        why=plain_line(printed_why(brief, size)),
        label=LABELS[brief.verification],
        verified=verified,
        unconfirmed="" if verified else plain_line(brief.unconfirmed),
        source=source,
        url=marked_url(web_url(brief.source.url), marks),
        minutes=brief.minutes,
        start=SIDES[own],
        turned=own != direction,
        isolated=RTL in (direction, direction_of(source)),
        correction=(correction_piece(entry.brief_id), correction_tag(entry.brief_id)),
        page=(page_piece(entry.brief_id), page_tag(entry.brief_id)),
        picture=_picture(entry),
    )


def _picture(entry: IssueEntry) -> StoryPicture | None:
    """Return the picture of a lead; one that a check refused is not printed."""
    picture = entry.brief.picture
    if not entry.lead or why_unfit_picture(picture):
        return None
    return StoryPicture(
        piece=picture_piece(entry.brief_id),
        url=web_url(picture.url),
        alt=plain_line(picture.alt),
        width=min(picture.width or MEASURE, MEASURE),
    )
