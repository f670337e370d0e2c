"""What publishing systems add to every text is taken out, and what reads alike stays."""

import pytest

from newsletter.core.boilerplate import boilerplate_in, prose, without_cut_end
from newsletter.core.characters import misread
from newsletter.core.similarity import alike

SAID = "Wafers became cheaper in October, traders say."


@pytest.mark.parametrize(
    "whole",
    [
        "The post <a href='x'>Wafers</a> appeared first on Wire.",
        "Der Beitrag Wafer erschien zuerst auf Draht.",
        "<em>As an Amazon Associate we earn from qualifying purchases.</em>",
        "This article may contain affiliate links; see our policy.",
        "Advertisement",
        "Photo: Jane Doe/Agency",
        "Sign up for our newsletter here!",
        "submitted by /u/x [link] [comments]",
        "Points: 12",
        "Comments",
    ],
)
def test_a_paragraph_that_is_nothing_else_goes(whole: str) -> None:
    assert prose(whole) == ""
    assert boilerplate_in(whole)


@pytest.mark.parametrize(
    "tail",
    [
        " <a href='x'>Continue reading Wafers →</a>",
        " Continue reading “Wafers” »",
        " (<a href='x'>Read more</a>)",
        " Read more…",
        " <a href='x'>Weiterlesen »</a>",
        ' [gallery ids="1,2"]',
        " [caption id=\"a\"]<img src='x'/> A man[/caption]",
    ],
)
def test_what_stands_at_the_end_of_prose_goes(tail: str) -> None:
    assert prose(SAID + tail) == SAID


@pytest.mark.parametrize(
    "text",
    [
        SAID,
        "He said [sic] that the [unnamed] firm [1] is late.",
        "Readers read more on paper than on screens, a study says.",
        "The post office appeared to be the first on the list.",
        "Arrays such as a[i] and b[j] are checked.",
        "Photo: " + SAID * 4,
    ],
)
def test_prose_stays(text: str) -> None:
    assert (prose(text), boilerplate_in(text)) == (text, "")


def test_a_cut_text_ends_with_its_last_whole_sentence() -> None:
    long = "A whole sentence that is long enough to be read without the rest of it."
    assert without_cut_end(f"{long} And then …") == long
    assert without_cut_end(f"{long} …") == long
    assert without_cut_end("Cut at once …") == "Cut at once …"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Google sues Epic", "Epic sues Google", False),
        ("Big Tech sues EU over fees", "EU sues Big Tech over fees", False),
        ("Court says fab may grow", "Fab may grow, court says", True),
        ("Plant halves its water use", "Plant Halves Its Use of Water", True),
    ],
)
def test_swapped_subjects_make_another_story(one: str, other: str, *, same: bool) -> None:
    assert alike(one, other) is alike(other, one) is same


@pytest.mark.parametrize("text", ["Café", "Ã la carte", "São Paulo – €5 “now”", "Œuvre", "ÅÄÖ"])
def test_text_in_its_own_characters_is_not_misread(text: str) -> None:
    assert misread(text) == ""
    doubled = text.encode().decode("cp1252", "ignore")
    assert text == "ÅÄÖ" or bool(misread(doubled)) or doubled.isascii()
