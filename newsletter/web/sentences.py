"""What a service says of an error, as a page or an answer says it: a sentence."""

import re

_ENDS = (".", "!", "?", ".”", "!”", "?”")
_begins_with_place = re.compile(r"(?:query|header)/").match


def sentence(text: str) -> str:
    """Return a message with a capital and a full stop; a place at its beginning stays as it is."""
    if not _begins_with_place(text):
        text = text[:1].upper() + text[1:]
    return text if text.endswith(_ENDS) else f"{text}."
