"""Reference paths: `$`, `$.a.b[0]`, `$['a b']`: exactly one node, so they may also be written to.

They are nearly all paths of real definitions, so reading one is a chain of look-ups made when the path is compiled.
Names may hold anything but the characters that end them; `\\` before such a character makes it part of the name.
https://states-language.net/spec.html#ref-paths
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from asl_engine.errors import EvaluationError, InvalidExpression, PathNotFound
from asl_engine.expressions.value_text import java_class, java_text, json_text
from asl_engine.json_value import JsonObject, JsonValue

Segment: TypeAlias = str | int
Read: TypeAlias = Callable[[JsonValue], JsonValue]

_NO_MEMBERS: JsonObject = {}
NAME = r"(?:[^\s.\[\]()'\",*\\]|\\.)+"
_SEGMENT = re.compile(
    rf"""\.(?P<name>{NAME})"""
    r"""|\.?\[\s*(?:'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<index>[0-9]{1,15}))\s*\]""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ReferencePath:
    """A path that names exactly one node. A segment is the name of a member or the index of an item."""

    text: str
    segments: tuple[Segment, ...]
    read: Read
    """The node below a root. Raises PathNotFound."""

    def write(self, root: JsonValue, value: JsonValue) -> JsonValue:
        """A copy of `root` with `value` at this path; missing objects on the way are created.

        Raises EvaluationError (States.ResultPathMatchFailure) where a name meets no object, or an index no item.
        """
        node, above = root, []
        for segment in self.segments:
            above.append(node)
            match segment, node:
                case str(), dict():
                    node = node.get(segment, _NO_MEMBERS)
                case int(), list() if segment < len(node):
                    node = node[segment]
                case _:
                    reason = f"Unable to apply ReferencePath {self.text} to input {json_text(root)}"
                    raise EvaluationError("States.ResultPathMatchFailure", reason)
        for container, segment in zip(reversed(above), reversed(self.segments), strict=True):
            value = _replaced(container, segment, value)
        return value


def compile_reference_path(text: str) -> ReferencePath:
    """Raises InvalidExpression for what is no path, and for a path that may find several nodes."""
    if not text.startswith("$"):
        raise InvalidExpression(text, "a reference path begins with $", position=0)
    segments, end = parse_segments(text, 1)
    if end < len(text.rstrip()):
        raise InvalidExpression(text, "a reference path has only .name, ['name'] and [index] after $", position=end)
    return ReferencePath(text, segments, reader(segments, text))


def parse_segments(text: str, start: int) -> tuple[tuple[Segment, ...], int]:
    """As many segments as follow from `start`, and the position after them."""
    segments: list[Segment] = []
    while match := _SEGMENT.match(text, start):
        segments.append(_segment(match))
        start = match.end()
    return tuple(segments), start


def unescape_name(name: str) -> str:
    """A name between dots: a backslash makes the next character ordinary."""
    return re.sub(r"\\(.)", r"\1", name, flags=re.DOTALL) if "\\" in name else name


def unescape_quoted(name: str, quote: str) -> str:
    """A name between quotes: only the quote itself and the backslash are escaped; AWS keeps `\\"` within `'…'`."""
    return re.sub(rf"\\([{quote}\\])", r"\1", name) if "\\" in name else name


def reader(segments: tuple[Segment, ...], text: str) -> Read:
    """The function that follows the segments from a root. What it raises names `text` as the path."""
    match segments:
        case ():
            return _itself
        case (str() as name,):
            return _member_reader(name, text)
        case (str() as first, str() as second):
            return _grandchild_reader(first, second, text)
        case _:
            return _chain_reader(segments, text)


def bracketed(segments: tuple[Segment, ...]) -> str:
    """Jayway's spelling of a path: `$['a'][0]`."""
    return "$" + "".join(f"['{segment}']" if isinstance(segment, str) else f"[{segment}]" for segment in segments)


def _segment(match: re.Match[str]) -> Segment:
    if (name := match["name"]) is not None:
        return unescape_name(name)
    if (name := match["single"]) is not None:
        return unescape_quoted(name, "'")
    if (name := match["double"]) is not None:
        return unescape_quoted(name, '"')
    return int(match["index"])


def _itself(root: JsonValue) -> JsonValue:
    return root


def _member_reader(name: str, text: str) -> Read:
    def read(root: Any) -> JsonValue:
        try:
            return root[name]  # type: ignore[no-any-return]
        except (KeyError, TypeError):
            _raise_not_found(root, (name,), text)

    return read


def _grandchild_reader(first: str, second: str, text: str) -> Read:
    def read(root: Any) -> JsonValue:
        try:
            return root[first][second]  # type: ignore[no-any-return]
        except (KeyError, TypeError):
            _raise_not_found(root, (first, second), text)

    return read


def _chain_reader(segments: tuple[Segment, ...], text: str) -> Read:
    def read(root: Any) -> JsonValue:
        node = root
        try:
            for segment in segments:
                if type(node) is str:  # the one value beside a list that Python would index with a number
                    break
                node = node[segment]
            else:
                return node  # type: ignore[no-any-return]
        except (KeyError, TypeError, IndexError):
            pass
        _raise_not_found(root, segments, text)

    return read


def _raise_not_found(root: JsonValue, segments: tuple[Segment, ...], text: str) -> NoReturn:
    raise PathNotFound(text, _miss(root, segments)) from None


def _miss(root: JsonValue, segments: tuple[Segment, ...]) -> str:
    """Jayway's text for the first segment that leads nowhere."""
    node, depth = root, 0
    while _leads_on(node, segments[depth]):
        node, depth = node[segments[depth]], depth + 1  # type: ignore[index]
    above, segment = segments[:depth], segments[depth]
    match segment, node:
        case str(), dict() if depth + 1 < len(segments):
            return f"Missing property in path {bracketed((*above, segment))}"
        case (str(), dict()) | (int(), list()):
            return f"No results for path: {bracketed(segments)}"
        case str(), _:
            return _no_object(node, above, segment)
        case _, None:
            return f"The path {bracketed(above)} is null"
    return f"Filter: [{segment}] can only be applied to arrays. Current context is: {java_text(node)}"


def _leads_on(node: JsonValue, segment: Segment) -> bool:
    if isinstance(segment, str):
        return isinstance(node, dict) and segment in node
    return isinstance(node, list) and segment < len(node)


def _no_object(node: JsonValue, above: tuple[Segment, ...], name: str) -> str:
    return (
        f"Expected to find an object with property ['{name}'] in path {bracketed(above)} but found "
        f"'{java_class(node)}'. This is not a json object according to the JsonProvider: "
        "'com.jayway.jsonpath.spi.json.JacksonJsonProvider'."
    )


def _replaced(container: Any, segment: Segment, value: JsonValue) -> JsonValue:
    copy = container.copy()
    copy[segment] = value
    return copy  # type: ignore[no-any-return]
