"""Pictures: which one a letter may print beside its first story."""

from newsletter.core.brief import Picture
from newsletter.core.web_address import why_unfit

MEASURE = 544  #: pixels: the width of the text, and of a picture above it
NARROWEST = 272  #: half of that; a smaller picture is a symbol
WIDEST = 3_000  #: of a file; a wider one is too large for a letter
ALT_LENGTH = range(8, 251)  #: characters that say what a picture shows


def why_unfit_picture(picture: Picture) -> str:
    """Return why this picture is not printed; empty when it can be."""
    if not picture.url:
        return "it has no picture"
    if not picture.url.lower().startswith("https://"):
        return "its address does not begin with https://"
    if trouble := why_unfit(picture.url):
        return trouble
    if len(picture.alt) not in ALT_LENGTH:
        fit = f"{ALT_LENGTH[0]} to {ALT_LENGTH[-1]} say what it shows"
        return f"its text has {len(picture.alt)} characters; {fit}"
    if picture.width and not NARROWEST <= picture.width <= WIDEST:
        return f"it is {picture.width} pixels wide; {NARROWEST} to {WIDEST} fit"
    return ""
