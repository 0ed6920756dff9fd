"""A definition in YAML, read as the JSON value it stands for, with the place of every member.

Scalars are read as YAML 1.2 reads them, so that `Next: Yes` stays a name and a timestamp stays a string. Tags, such as
CloudFormation's `!Sub`, have no JSON and are refused, and so is what is no finite number. Aliases are followed, within
a bound on what they unfold to.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

import yaml

from asl_engine.json_value import JsonValue
from asl_engine.language.diagnostics import DiagnosticCode, Location
from asl_engine.language.source import Position, Refused, Source, SourceError, is_too_deep, refuse_size, too_deep

_NODES_MAX: Final = 500_000
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TAG_OF_YAML: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset({"map", "seq", "null", "bool", "int", "float", "str", "timestamp", "merge", "value"})
_SHOWN_MAX: Final = 40


def read_yaml(text: str, *, first: bool = False) -> Source:
    """Read a YAML text; of a key given twice, the `first`, or else the last. Raises SourceError."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        position = Position(mark.line + 1, mark.column + 1) if mark else None
        raise SourceError(error.problem or str(error), code=DiagnosticCode.INVALID_YAML, position=position) from error
    except (yaml.YAMLError, ValueError) as error:
        raise SourceError(str(error), code=DiagnosticCode.INVALID_YAML) from error
    if node is None:
        raise SourceError("Definition must be a valid JSON object", code=DiagnosticCode.SCHEMA_VALIDATION_FAILED)
    reading = _Reading(first)
    try:
        value = reading.value(node, ())
    except RecursionError as error:
        raise too_deep() from error
    if is_too_deep(value):
        raise too_deep()
    refuse_size(value, text)
    return Source(
        value=value,
        text=text,
        duplicates=tuple(reading.duplicates),
        refused=tuple(reading.refused),
        node_positions=reading.positions,
    )


class _Reading:
    def __init__(self, first: bool) -> None:
        self._first = first
        self.positions: dict[Location, Position] = {}
        self.duplicates: list[tuple[Location, Position]] = []
        self.refused: list[Refused] = []
        self._nodes = 0

    def value(self, node: yaml.Node, location: Location) -> JsonValue:
        self._nodes += 1
        if self._nodes > _NODES_MAX:
            raise SourceError(
                f"the text unfolds to more than {_NODES_MAX:,} values",
                code=DiagnosticCode.DEFINITION_TOO_LARGE,
                position=_position(node),
                hint="aliases inside of aliases multiply: write fewer of them",
            )
        self.positions.setdefault(location, _position(node))
        if node.tag.removeprefix(_TAG_OF_YAML) not in _TAGS:
            message = f"the tag {node.tag} has no meaning in a definition"
            hint = "fill in what a template's function such as !Sub or !GetAtt stands for"
            self.refused.append(Refused(location=location, position=_position(node), message=message, hint=hint))
            return None
        match node:
            case yaml.MappingNode():
                return self._object(node, location)
            case yaml.SequenceNode():
                return [self.value(item, (*location, index)) for index, item in enumerate(node.value)]
            case _:
                return self._scalar(node, location)

    def _object(self, node: yaml.MappingNode, location: Location) -> JsonValue:
        members: dict[str, JsonValue] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise SourceError(
                    "a key must be a string", code=DiagnosticCode.INVALID_YAML, position=_position(key_node)
                )
            key: str = key_node.value
            inner = (*location, key)
            if key in members:
                self.duplicates.append((inner, _position(key_node)))
                if self._first:
                    continue
            self.positions[inner] = _position(key_node)
            if key_node.tag == f"{_TAG_OF_YAML}merge":
                hint = "write out what it stands for"
                message = "<< is no member of JSON, and merges nothing"
                self.refused.append(Refused(location=inner, position=_position(key_node), message=message, hint=hint))
                continue
            members[key] = self.value(value_node, inner)
        return members

    def _scalar(self, node: Any, location: Location) -> JsonValue:
        text: str = node.value
        if node.style:
            return text
        value = _plain(text)
        if isinstance(value, float) and not math.isfinite(value):
            message = f"{text[:_SHOWN_MAX]} is not JSON"
            self.refused.append(Refused(location=location, position=_position(node), message=message))
            return None
        return value


def _plain(text: str) -> JsonValue:
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return math.nan if _NOT_FINITE.fullmatch(text) else text


def _position(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)
