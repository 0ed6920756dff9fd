"""Requests checked against the API's own model, which botocore carries: what is required, types, lengths, ranges.

Each operation's shape is compiled once to a function that collects every violation, in AWS's words. Members that the
model does not know are ignored, as AWS ignores them; a null counts as absent.
https://smithy.io/2.0/spec/constraint-traits.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from asl_engine.errors import SerializationException, UnknownOperationException, ValidationException

Check: TypeAlias = Callable[[Any, str, list[str]], None]

# AWS prints the values of an enumeration in the order of a Java set; where it was seen, it is kept.
_ENUM_ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "ExecutionStatus": ("SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING"),
}
_JAVA_CLASSES: Final = {r"\p{ASCII}": r"[\x00-\x7f]"}


def check_request(operation: str, request: object) -> dict[str, Any]:
    """The request without nulls. Raises UnknownOperationException, SerializationException or ValidationException."""
    check = _checks(operation)
    if not isinstance(request, dict):
        raise SerializationException(f"{_found(request)} found where a structure was expected")
    request = {name: value for name, value in request.items() if value is not None}
    violations: list[str] = []
    check(request, "", violations)
    if violations:
        count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected: "
        raise ValidationException(count + "; ".join(violations))
    return request


@cache
def operations() -> frozenset[str]:
    """The names of all operations of the API."""
    return frozenset(_model().operation_names)


@cache
def _model() -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("stepfunctions", "service-2"), "stepfunctions")


@cache
def _checks(operation: str) -> Check:
    if operation not in operations():
        raise UnknownOperationException(f"the operation {operation} is not known")
    shape = _model().operation_model(operation).input_shape
    return _structure(shape)


def _check_of(shape: Any) -> Check:
    match shape.type_name:
        case "structure":
            return _structure(shape)
        case "list":
            return _list(shape)
        case "string":
            return _string(shape)
        case "boolean":
            return _boolean
        case "integer" | "long":
            return _number(shape, int)
        case "float" | "double":
            return _number(shape, int, float)
    return _anything


def _structure(shape: Any) -> Check:
    required = frozenset(shape.required_members)
    members = {name: _check_of(member) for name, member in shape.members.items()}

    def check(value: Any, path: str, violations: list[str]) -> None:
        if not isinstance(value, dict):
            raise SerializationException(f"{_found(value)} found where a structure was expected")
        for name, check_member in members.items():
            member_path = f"{path}.{name}" if path else name
            member = value.get(name)
            if member is not None:
                check_member(member, member_path, violations)
            elif name in required:
                violations.append(
                    f"Value null at '{member_path}' failed to satisfy constraint: Member must not be null"
                )

    return check


def _list(shape: Any) -> Check:
    check_member = _check_of(shape.member)
    metadata = shape.metadata

    def check(value: Any, path: str, violations: list[str]) -> None:
        if not isinstance(value, list):
            raise SerializationException(f"{_found(value)} found where a list was expected")
        of_members: list[str] = []
        for number, member in enumerate(value, 1):
            check_member(member, f"{path}.{number}.member", of_members)
        _check_length(len(value), metadata, lambda: _shown(value, shape), path, violations)
        violations += of_members

    return check


def _string(shape: Any) -> Check:
    metadata, sensitive = shape.metadata, shape.metadata.get("sensitive", False)
    pattern = _pattern(metadata.get("pattern"))
    allowed = _ENUM_ORDERS.get(shape.name, tuple(shape.enum))

    def check(value: Any, path: str, violations: list[str]) -> None:
        if not isinstance(value, str):
            raise SerializationException(f"{_found(value)} can not be converted to a String")

        def shown() -> str:
            return "" if sensitive else _shown(value)

        _check_length(len(value), metadata, shown, path, violations)
        if pattern is not None and pattern.fullmatch(value) is None:
            violations.append(
                _violation(shown(), path, f"Member must satisfy regular expression pattern: {metadata['pattern']}")
            )
        if allowed and value not in allowed:
            violations.append(_violation(shown(), path, f"Member must satisfy enum value set: [{', '.join(allowed)}]"))

    return check


def _number(shape: Any, *types: type) -> Check:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")

    def check(value: Any, path: str, violations: list[str]) -> None:
        if isinstance(value, bool) or not isinstance(value, types):
            raise SerializationException(f"{_found(value)} can not be converted to a number")
        if least is not None and value < least:
            violations.append(
                _violation(_shown(value), path, f"Member must have value greater than or equal to {least}")
            )
        if most is not None and value > most:
            violations.append(_violation(_shown(value), path, f"Member must have value less than or equal to {most}"))

    return check


def _boolean(value: Any, _path: str, _violations: list[str]) -> None:
    if not isinstance(value, bool):
        raise SerializationException(f"{_found(value)} can not be converted to a Boolean")


def _anything(_value: Any, _path: str, _violations: list[str]) -> None:
    """The API's requests have no other types."""


def _check_length(
    length: int, metadata: Mapping[str, Any], shown: Callable[[], str], path: str, violations: list[str]
) -> None:
    least, most = metadata.get("min"), metadata.get("max")
    if least is not None and length < least:
        violations.append(_violation(shown(), path, f"Member must have length greater than or equal to {least}"))
    if most is not None and length > most:
        violations.append(_violation(shown(), path, f"Member must have length less than or equal to {most}"))


def _violation(shown: str, path: str, constraint: str) -> str:
    return f"Value {shown + ' ' if shown else ''}at '{path}' failed to satisfy constraint: {constraint}"


def _shown(value: Any, shape: Any = None) -> str:
    """A value as Java would print it, whole."""
    return f"'{_java_text(value, shape)}'"


def _java_text(value: Any, shape: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(_java_text(member, shape.member) for member in value)}]"
        case dict():
            members = (f"{name}={_java_text(value.get(name), member)}" for name, member in shape.members.items())
            return f"{shape.name}({', '.join(members)})"
    return str(value)


def _found(value: object) -> str:
    match value:
        case None:
            return "NULL_VALUE"
        case bool():
            return f"{str(value).upper()}_VALUE"
        case int() | float():
            return "NUMBER_VALUE"
        case str():
            return "STRING_VALUE"
        case list():
            return "Start of list"
    return "Start of structure"


def _pattern(java: str | None) -> re.Pattern[str] | None:
    if java is None:
        return None
    for name, characters in _JAVA_CLASSES.items():
        java = java.replace(name, characters)
    return re.compile(java)
