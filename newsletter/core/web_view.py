"""What the public view of an issue shows beside its letters: what became of its stories since."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from newsletter.core.galley import (
    correction_piece,
    correction_tag,
    page_piece,
    page_tag,
    picture_piece,
    piece_of,
    plain_line,
)


@dataclass(frozen=True, kw_only=True)
class WebView:
    """What is said of an issue's stories on the web alone, by the number of the brief."""

    corrections: Mapping[int, str] = field(default_factory=dict[int, str])  #: below a story
    withdrawn: Mapping[int, str] = field(default_factory=dict[int, str])  #: in place of a story
    pages: Mapping[int, str] = field(default_factory=dict[int, str])  #: the story's own address

    def pieces(self, chosen: AbstractSet[str], brief_ids: Iterable[int]) -> frozenset[str]:
        """Return the pieces of the view, where these are chosen of the letter."""
        ids = tuple(brief_ids)
        gone = {piece(one) for one in self.withdrawn for piece in (piece_of, picture_piece)}
        said = {correction_piece(one) for one in ids if one in self._said}
        return frozenset(chosen - gone | said | {page_piece(i) for i in ids if i in self.pages})

    def values(self, brief_ids: Iterable[int]) -> dict[str, str]:
        """Return what replaces the tags of these pieces."""
        ids, said = tuple(brief_ids), self._said
        return {
            **{correction_tag(one): plain_line(said[one]) for one in ids if one in said},
            **{page_tag(one): self.pages[one] for one in ids if one in self.pages},
        }

    @property
    def _said(self) -> Mapping[int, str]:
        return {**self.corrections, **self.withdrawn}
