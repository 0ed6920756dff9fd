"""HTML that is escaped unless it says of itself that it is HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable
from string import Template


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def fill(template: str, **values: str) -> Html:
    """The template with each `$name` replaced: Html as it is, any other text escaped, in attributes too."""
    shown = {name: value if isinstance(value, Html) else escape(value) for name, value in values.items()}
    return Html(Template(template).substitute(shown))


def escape(text: str) -> Html:
    """Text as HTML shows it."""
    return Html(html.escape(text, quote=True))


def joined(parts: Iterable[Html]) -> Html:
    """One after the other."""
    return Html("".join(parts))


def paragraphs(text: str) -> Html:
    """Plain text with its paragraphs and lines."""
    blocks = [block.strip() for block in text.replace("\r\n", "\n").split("\n\n")]
    return joined(
        Html("<p>" + "<br>".join(escape(line) for line in block.split("\n")) + "</p>") for block in blocks if block
    )
