"""JSON values and the values of an AWS SDK: what a Task gives to an operation, and what it gets back.

Step Functions spells every member with a capital. Where the API has a text or bytes, a Task may give any JSON, which is
sent as its text. https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.json_value import JsonObject, JsonValue, dump_json
from asl_engine.runtime.tasks import Failed, TaskCall

_KINDS: Final = {
    "structure": "an OBJECT",
    "map": "an OBJECT",
    "list": "an ARRAY",
    "boolean": "a BOOLEAN",
    "integer": "an INTEGER",
    "long": "an INTEGER",
    "float": "a NUMBER",
    "double": "a NUMBER",
}


class Moments(Enum):
    """How moments are shown: optimized integrations count milliseconds since the epoch, SDK integrations write them."""

    MILLISECONDS = 1
    TEXT = 2


class UnusableArguments(Exception):
    """The arguments make no request; the text says which member is wrong."""


def unusable(call: TaskCall, error: UnusableArguments) -> Failed:
    """The failure of arguments that make no request, in AWS's words."""
    arguments = dump_json(call.attempt.arguments)
    return Failed("States.Runtime", f"The Parameters '{arguments}' could not be used to start the Task: [{error}]")


def request_of(arguments: JsonValue, shape: Any) -> dict[str, Any]:
    """The SDK's parameters. `shape` is botocore's of the input, None if it has none. Raises UnusableArguments.

    Which values a member allows is for the service to say.
    """
    if arguments is None:
        return {}
    if not isinstance(arguments, dict):
        raise UnusableArguments("The Parameters must be an OBJECT")
    if shape is None:
        return _structure(arguments, {}, "")
    return _structure(arguments, shape.members, "")


def require(request: dict[str, Any], shape: Any) -> None:
    """Raises UnusableArguments for what the shape requires and the request lacks."""
    for name in shape.required_members:
        if name not in request:
            raise UnusableArguments(f'The field "{pascal(name)}" is required but was missing')


def result_of(answer: Any, shape: Any, moments: Moments) -> JsonObject:
    """A service's answer as a Task's result. Bytes must have been read."""
    if shape is None:
        return {}
    result: JsonObject = {
        pascal(name): _shown(answer[name], member, moments)
        for name, member in sorted(shape.members.items())
        if answer.get(name) is not None
    }
    return result


def pascal(name: str) -> str:
    """A member as Step Functions spells it."""
    return name[:1].upper() + name[1:]


def _structure(value: JsonObject, members: Any, path: str) -> dict[str, Any]:
    names = {pascal(name): name for name in members} | {name: name for name in members}
    given: dict[str, Any] = {}
    for name, member in value.items():
        here = f"{path}.{name}" if path else name
        if name not in names:
            raise UnusableArguments(f'The field "{here}" is not supported by Step Functions')
        if member is not None:
            given[names[name]] = _given(member, members[names[name]], here)
    return given


def _given(value: JsonValue, shape: Any, path: str) -> Any:
    match shape.type_name:
        case "structure" if getattr(shape, "is_document_type", False):
            return value
        case "structure" if isinstance(value, dict):
            return _structure(value, shape.members, path)
        case "map" if isinstance(value, dict):
            return {key: _given(member, shape.value, f"{path}.{key}") for key, member in value.items()}
        case "list" if isinstance(value, list):
            return [_given(member, shape.member, f"{path}[{index}]") for index, member in enumerate(value)]
        case "structure" | "map" | "list":
            raise UnusableArguments(f'The value for the field "{path}" must be {_KINDS[shape.type_name]}')
        case "blob":
            return (value if isinstance(value, str) else dump_json(value)).encode("utf-8", "surrogatepass")
        case "timestamp":
            return _moment(value, path)
        case _:
            return _scalar(value, shape.type_name, path)


def _scalar(value: JsonValue, type_name: str, path: str) -> Any:
    match type_name:
        case "string" | "character" if isinstance(value, str):
            return value
        case "string" | "character" if isinstance(value, dict | list):
            return dump_json(value)
        case "string" | "character":
            raise UnusableArguments(f'The value for the field "{path}" must be a STRING')
        case "boolean" if isinstance(value, bool):
            return value
        case "integer" | "long" if isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0:
            return int(value)
        case "float" | "double" if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    raise UnusableArguments(f'The value for the field "{path}" must be {_KINDS.get(type_name, "of another type")}')


def _moment(value: JsonValue, path: str) -> datetime | str:
    """Numbers are seconds since the epoch, as in the AWS SDK for Java."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    raise UnusableArguments(f'The value for the field "{path}" must be a TIMESTAMP, as in 2026-01-31T12:00:00Z')


def _shown(value: Any, shape: Any, moments: Moments) -> JsonValue:
    match shape.type_name:
        case "structure" if getattr(shape, "is_document_type", False):
            document: JsonValue = value
            return document
        case "structure":
            return result_of(value, shape, moments)
        case "map":
            return {str(key): _shown(member, shape.value, moments) for key, member in value.items()}
        case "list":
            return [_shown(member, shape.member, moments) for member in value]
        case "blob":
            return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        case "timestamp":
            return _shown_moment(value, moments)
    scalar: JsonValue = value
    return scalar


def _shown_moment(value: Any, moments: Moments) -> JsonValue:
    if not isinstance(value, datetime):
        return str(value)
    milliseconds = round(value.timestamp() * 1000)
    return milliseconds if moments is Moments.MILLISECONDS else format_timestamp(milliseconds)
