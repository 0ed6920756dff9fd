"""A place in the text of an expression, moved from left to right by the parsers. It never moves back."""

from __future__ import annotations

import re
from typing import NoReturn

from asl_engine.errors import InvalidExpression

_BLANKS = re.compile(r"\s*")


class Cursor:
    """The text, and how many of its characters have been read."""

    __slots__ = ("position", "text")

    def __init__(self, text: str, position: int = 0) -> None:
        self.text, self.position = text, position

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.position >= len(self.text)

    def sees(self, token: str) -> bool:
        """Whether the token comes next."""
        return self.text.startswith(token, self.position)

    def takes(self, token: str) -> bool:
        """Whether the token comes next; if so, it is read."""
        if not self.sees(token):
            return False
        self.position += len(token)
        return True

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Read what the pattern matches here, if anything."""
        found = pattern.match(self.text, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def skip_blanks(self) -> None:
        """Read white space."""
        self.match(_BLANKS)

    def expect(self, token: str) -> None:
        """Read the token. Raises InvalidExpression where something else comes next."""
        if not self.takes(token):
            self.fail(f"expected {token}")

    def fail(self, reason: str) -> NoReturn:
        """Raise InvalidExpression for the place reached."""
        raise InvalidExpression(self.text, reason, position=self.position)
