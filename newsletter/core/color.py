"""Color: what mail programs do to a letter's colors in the dark, and how well two contrast.

The repaint is Outlook's own rule, as Microsoft's editor roosterjs has it: in CIE Lab the lightness
is mirrored between white and #333333, and the hue stays.
"""

import re

Rgb = tuple[int, int, int]

_DARK_CANVAS = 21.247  #: the lightness of #333333
_WHITE_POINT = (0.95047, 1.0, 1.08883)  # D65
_NAMES = {
    "black": "#000000",
    "blue": "#0000ff",
    "gray": "#808080",
    "green": "#008000",
    "grey": "#808080",
    "navy": "#000080",
    "orange": "#ffa500",
    "purple": "#800080",
    "red": "#ff0000",
    "silver": "#c0c0c0",
    "teal": "#008080",
    "white": "#ffffff",
    "yellow": "#ffff00",
}
COLOR = re.compile(
    r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b|rgba?\([^)]*\)|\b(?:" + "|".join(_NAMES) + r")\b(?![-(])",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"[\d.]+")


def read_color(text: str) -> Rgb | None:
    """Return the color that CSS means by this; None if it is none, or cannot be seen.

    >>> read_color("#fff"), read_color("rgb(1, 2, 3)"), read_color("transparent")
    ((255, 255, 255), (1, 2, 3), None)
    """
    text = _NAMES.get(text.strip().lower(), text.strip().lower())
    if text.startswith("rgb"):
        parts = [float(part) for part in _NUMBERS.findall(text)]
        if len(parts) not in (3, 4) or "%" in text or (len(parts) == 4 and not parts[3]):  # noqa: PLR2004  # with alpha
            return None
        red, green, blue = (min(255, round(part)) for part in parts[:3])
        return red, green, blue
    if not re.fullmatch(r"#(?:[0-9a-f]{3}){1,2}", text):
        return None
    digits = text[1:] if len(text) > 4 else "".join(2 * digit for digit in text[1:])  # noqa: PLR2004  # "#fff"
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def repainted(color: Rgb) -> Rgb:
    """Return the color as Outlook shows it in the dark.

    >>> repainted((255, 255, 255)), repainted((0, 0, 0))
    ((51, 51, 51), (255, 255, 255))
    """
    lightness, a, b = _lab(color)
    mirrored = (100 - lightness) * (100 - _DARK_CANVAS) / 100 + _DARK_CANVAS
    return _rgb(mirrored, a, b)


def hexadecimal(color: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast of two colors, from 1 to 21 (WCAG 2.2, contrast ratio).

    >>> contrast((0, 0, 0), (255, 255, 255))
    21.0
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return round((lighter + 0.05) / (darker + 0.05), 2)


def _luminance(color: Rgb) -> float:
    red, green, blue = map(_linear, color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: int) -> float:
    share = part / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  # sRGB


def _shown(linear: float) -> int:
    share = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055  # noqa: PLR2004  # sRGB
    return round(255 * min(1.0, max(0.0, share)))


def _lab(color: Rgb) -> tuple[float, float, float]:
    red, green, blue = map(_linear, color)
    x, y, z = (
        _root(value / white)
        for value, white in zip(
            (
                0.4124564 * red + 0.3575761 * green + 0.1804375 * blue,
                0.2126729 * red + 0.7151522 * green + 0.0721750 * blue,
                0.0193339 * red + 0.1191920 * green + 0.9503041 * blue,
            ),
            _WHITE_POINT,
            strict=True,
        )
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(value: float) -> float:
    return value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116


def _rgb(lightness: float, a: float, b: float) -> Rgb:
    middle = (lightness + 16) / 116
    roots = (middle + a / 500, middle, middle - b / 200)
    x, y, z = (
        white * (root**3 if root**3 > 216 / 24389 else (116 * root - 16) * 27 / 24389)
        for root, white in zip(roots, _WHITE_POINT, strict=True)
    )
    return (
        _shown(3.2404542 * x - 1.5371385 * y - 0.4985314 * z),
        _shown(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z),
        _shown(0.0556434 * x - 0.2040259 * y + 1.0572252 * z),
    )
