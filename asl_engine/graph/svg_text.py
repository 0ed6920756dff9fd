"""Text in SVG: escaping, and how wide a text will be, without asking any font."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Final, NamedTuple

LINE_HEIGHT: Final = 15.0


class Font(NamedTuple):
    """A size in pixels and whether it is bold."""

    size: float
    bold: bool = False


NAME_FONT: Final = Font(13, bold=True)
SMALL_FONT: Final = Font(11)

# Widths in a sans-serif font, as parts of its size; guessed a little too wide, since too narrow would overlap.
_WIDTHS: Final[Mapping[str, float]] = {
    **dict.fromkeys("ijl.,:;'|!`", 0.3),
    **dict.fromkeys('frt()[]{}/\\-" ', 0.38),
    **dict.fromkeys("mwMW@%—", 0.92),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&=<>+≤≥_$#", 0.7),
}
_WIDTH: Final = 0.59
_BOLD: Final = 1.12
_WIDE_FROM: Final = "\u1100"  # East Asian scripts and emoji fill a square


def width_of(text: str, font: Font) -> float:
    """About how many pixels wide the text is."""
    ems = sum(_WIDTHS.get(character, _WIDTH if character < _WIDE_FROM else 1.0) for character in text)
    return ems * font.size * (_BOLD if font.bold else 1.0)


def escaped(text: str) -> str:
    """The text for XML, in an element or an attribute; characters that XML does not allow become U+FFFD."""
    return html.escape("".join(character if _is_allowed(character) else "\ufffd" for character in text))


def text_element(text: str, x: float, y: float, font: Font, *, fill: str, anchor: str = "middle") -> str:
    """One line of text whose baseline is at `y`."""
    weight = ' font-weight="600"' if font.bold else ""
    placed = f'x="{number(x)}" y="{number(y)}" font-size="{number(font.size)}"'
    return f'<text {placed} text-anchor="{anchor}" fill="{fill}"{weight}>{escaped(text)}</text>'


def title(text: str) -> str:
    """What a browser shows when the pointer rests on the element around it."""
    return f"<title>{escaped(text)}</title>" if text else ""


def number(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def _is_allowed(character: str) -> bool:
    """https://www.w3.org/TR/xml/#charsets."""
    code = ord(character)
    return (code >= 0x20 or character in "\t\n") and not 0xD800 <= code <= 0xDFFF and code not in (0xFFFE, 0xFFFF)
