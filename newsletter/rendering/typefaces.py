"""What the script of a letter asks for: its direction, its fonts and the height of its lines."""

import unicodedata
from dataclasses import dataclass
from typing import Final

LTR: Final = "ltr"
RTL: Final = "rtl"
SIDES: Final = {LTR: "left", RTL: "right"}  #: where a line begins
_RIGHT_TO_LEFT = {"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}
_LATIN = "-apple-system,BlinkMacSystemFont,Segoe UI,Roboto,Helvetica,Arial"
_SIMPLIFIED = "PingFang SC,Hiragino Sans GB,Microsoft YaHei,Noto Sans CJK SC"
_TRADITIONAL = "PingFang TC,Microsoft JhengHei,Noto Sans CJK TC"
_CJK = {
    "ja": "Hiragino Sans,Yu Gothic,Meiryo,Noto Sans CJK JP",
    "ko": "Apple SD Gothic Neo,Malgun Gothic,Noto Sans CJK KR",
    "zh": _SIMPLIFIED,
}


@dataclass(frozen=True, kw_only=True)
class Typefaces:
    """How a language is set."""

    direction: str  #: "ltr" or "rtl"
    sans: str  #: fonts of the text; its own before the generic one
    serif: str  #: fonts of headlines
    line_height: str  #: of the text


def typefaces(language: str) -> Typefaces:
    """Return how a language is set, by its BCP 47 tag."""
    primary = language.partition("-")[0].lower()
    own = _own_fonts(primary, language.lower())
    return Typefaces(
        direction=RTL if primary in _RIGHT_TO_LEFT else LTR,
        sans=f"{_LATIN}{own},sans-serif",
        serif=f"Charter,Georgia{own},serif",
        line_height="29px" if own else "27px",
    )


def _own_fonts(primary: str, language: str) -> str:
    traditional = primary == "zh" and any(one in language for one in ("hant", "tw", "hk", "mo"))
    fonts = _TRADITIONAL if traditional else _CJK.get(primary, "")
    return f",{fonts}" if fonts else ""


def direction_of(text: str) -> str:
    """Return the direction of the first letter that has one, as `dir="auto"` finds it; or ""."""
    for one in text:
        kind = unicodedata.bidirectional(one)
        if kind in ("R", "AL"):
            return RTL
        if kind == "L":
            return LTR
    return ""
