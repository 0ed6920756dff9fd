"""Regular expressions for `=~`, matched in time linear in the text whatever the pattern.

Python's `re` backtracks: `(a+)+$` would hang an execution. Here a pattern becomes a small program whose possible places
are all followed at once (Thompson 1968), so a character costs at most one visit per instruction. `re` only tells
whether one character fits one atom. Groups, alternatives, classes, quantifiers and anchors are supported;
back references and look-around are not. As in Jayway the whole text must match.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from asl_engine.expressions.cursor import Cursor
from asl_engine.limits import FILTER_NESTING_MAX, PATTERN_INSTRUCTIONS_MAX

Fits: TypeAlias = Callable[[str], object]

_ATOM = re.compile(
    r"\\[dDwWsStnrf]|\\[^A-Za-z0-9\s]|\[\^?\]?(?:\\[dDwWsStnrf]|\\[^A-Za-z0-9\s]|[^\]\[\\])*\]|[^\\|*+?{}()\[\]^$]"
)
_QUANTIFIER = re.compile(r"(?:(?P<sign>[*+?])|\{(?P<least>[0-9]{1,4})(?P<open>,(?P<most>[0-9]{1,4})?)?\})\??")
_SET_OPERATION = re.compile(r"--|&&|\|\||~~")
_FLAGS: Final = {"i": re.IGNORECASE, "s": re.DOTALL, "u": re.NOFLAG}
_SIGNS: Final[dict[str, tuple[int, int | None]]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


@dataclass(frozen=True, slots=True)
class _Fit:
    """Read one character that fits, then go on with the next instruction."""

    fits: Fits


@dataclass(frozen=True, slots=True)
class _Fork:
    """Go on in several places, each given relative to here."""

    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Anchor:
    """Go on only at the start, or at the end, of the text."""

    at_start: bool


_Instruction: TypeAlias = _Fit | _Fork | _Anchor
_Program: TypeAlias = list[_Instruction]


@dataclass(frozen=True, slots=True)
class RegularExpression:
    """A compiled pattern. Matching a text takes at most `size` visits per character."""

    program: tuple[_Instruction, ...]

    @property
    def size(self) -> int:
        """The number of instructions."""
        return len(self.program) + 1

    def matches(self, text: str) -> bool:
        """Whether the pattern matches all of the text."""
        places = self._closure({0}, 0, len(text))
        for position, character in enumerate(text, start=1):
            places = self._closure(self._step(places, character), position, len(text))
            if not places:
                return False
        return len(self.program) in places

    def _step(self, places: set[int], character: str) -> set[int]:
        reached = set()
        for place in places:
            instruction = self.program[place] if place < len(self.program) else None
            if isinstance(instruction, _Fit) and instruction.fits(character):
                reached.add(place + 1)
        return reached

    def _closure(self, places: set[int], position: int, length: int) -> set[int]:
        """The places, and all that are reached from them without reading a character."""
        open_places, reached = list(places), set(places)
        while open_places:
            place = open_places.pop()
            for target in self._free_moves(place, position, length):
                if target not in reached:
                    reached.add(target)
                    open_places.append(target)
        return reached

    def _free_moves(self, place: int, position: int, length: int) -> tuple[int, ...]:
        match self.program[place] if place < len(self.program) else None:
            case _Fork(targets):
                return tuple(place + target for target in targets)
            case _Anchor(at_start) if position == (0 if at_start else length):
                return (place + 1,)
        return ()


def compile_regular_expression(pattern: str, flags: str) -> RegularExpression:
    """Raises ValueError for what is not supported, and InvalidExpression for a pattern that does not parse."""
    unknown = set(flags) - _FLAGS.keys()
    if unknown:
        raise ValueError(f"unknown flag {min(unknown)}")
    re_flags = re.NOFLAG
    for flag in flags:
        re_flags |= _FLAGS[flag]
    cursor = Cursor(pattern)
    program = _alternatives(cursor, re_flags, depth=0)
    if not cursor.at_end:
        raise ValueError(f"unexpected {pattern[cursor.position]}")
    return RegularExpression(tuple(program))


def _alternatives(cursor: Cursor, flags: re.RegexFlag, depth: int) -> _Program:
    if depth > FILTER_NESTING_MAX:
        raise ValueError(f"groups may be nested {FILTER_NESTING_MAX} deep")
    branches = [_sequence(cursor, flags, depth)]
    while cursor.takes("|"):
        branches.append(_sequence(cursor, flags, depth))
    program = branches.pop()
    while branches:
        branch = branches.pop()
        program = _bounded([_Fork((1, len(branch) + 2)), *branch, _Fork((len(program) + 1,)), *program])
    return program


def _sequence(cursor: Cursor, flags: re.RegexFlag, depth: int) -> _Program:
    program: _Program = []
    while not (cursor.at_end or cursor.sees("|") or cursor.sees(")")):
        program = _bounded(program + _quantified(cursor, _atom(cursor, flags, depth)))
    return program


def _atom(cursor: Cursor, flags: re.RegexFlag, depth: int) -> _Program:
    if cursor.takes("("):
        if cursor.sees("?") and not cursor.takes("?:"):
            raise ValueError("look-around and named groups are not supported")
        body = _alternatives(cursor, flags, depth + 1)
        if not cursor.takes(")"):
            raise ValueError("a group has no end")
        return body
    for sign in "^$":
        if cursor.takes(sign):
            return [_Anchor(at_start=sign == "^")]
    atom = cursor.match(_ATOM)
    if atom is None or _SET_OPERATION.search(atom[0]):
        raise ValueError(f"not supported: {cursor.text[cursor.position :][:10]}")
    try:
        return [_Fit(re.compile(atom[0], flags).fullmatch)]
    except re.error as error:
        raise ValueError(error.msg) from error


def _quantified(cursor: Cursor, body: _Program) -> _Program:
    quantifier = cursor.match(_QUANTIFIER)
    if quantifier is None:
        return body
    if sign := quantifier["sign"]:
        least, most = _SIGNS[sign]
    else:
        least = int(quantifier["least"])
        most = least if quantifier["open"] is None else int(quantifier["most"]) if quantifier["most"] else None
    if most is not None and most < least:
        raise ValueError("the bounds of a quantifier are out of order")
    return _repeated(body, least, most)


def _repeated(body: _Program, least: int, most: int | None) -> _Program:
    copies = least + (1 if most is None else most - least)
    if copies * (len(body) + 2) > PATTERN_INSTRUCTIONS_MAX:
        raise ValueError("the pattern is too large")
    if most is None:
        return [*body * least, _Fork((1, len(body) + 2)), *body, _Fork((-len(body) - 1,))]
    return body * least + [_Fork((1, len(body) + 1)), *body] * (most - least)


def _bounded(program: _Program) -> _Program:
    if len(program) > PATTERN_INSTRUCTIONS_MAX:
        raise ValueError("the pattern is too large")
    return program
