"""Mocked results of AWS services, checked against the shape of what the service answers.

The shapes are botocore's, the names those that Step Functions gives their members. A member that the API does not know
is let through, as AWS does. https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from asl_engine.errors import ValidationException
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import IntegrationPattern, Resource, ResourceType
from asl_engine.language.sdk_services import BOTOCORE_NAMES

# Optimized integrations whose name is not botocore's.
_OPTIMIZED: Final = {"bedrock": "bedrock-runtime", "elasticmapreduce": "emr", "states": "stepfunctions"}
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, which AWS checks; the model allows more.
_DOCUMENTED_BOUNDS: Final = {"lambda": {"MemorySize": {"max": 10_240}}}
# What an integration gives as JSON of any kind, where the API has a text or bytes.
_FREE_FIELDS: Final = {
    ("lambda", "invoke", IntegrationPattern.REQUEST_RESPONSE): frozenset({"Payload"}),
    ("bedrock", "invokeModel", IntegrationPattern.REQUEST_RESPONSE): frozenset({"Body"}),
    ("states", "startExecution", IntegrationPattern.SYNC_2): frozenset({"Input", "Output"}),
}
_MODELS_MAX: Final = 8
_WITHOUT_MODEL: Final = frozenset({"apigateway", "http", "eks"})


def check_result(result: JsonValue, resource: Resource, *, requires_all: bool) -> None:
    """Raises ValidationException where the result is none that the service could give.

    `requires_all` is the mode STRICT: required members must be there. A result whose API is unknown passes, and so
    does one that no single API call answers (`.waitForTaskToken`, and `.sync` but for nested executions).
    """
    shape = _answer_shape(resource)
    if shape is None:
        return
    if not isinstance(result, dict):
        raise ValidationException("Mocked result must be a JSON object.")
    free = _FREE_FIELDS.get((resource.service, resource.action, resource.pattern), frozenset())
    checked: JsonObject = {name: value for name, value in result.items() if name not in free}
    _Checker(requires_all, free).check_structure(checked, shape)


def _answer_shape(resource: Resource) -> Any:
    if resource.type is not ResourceType.SERVICE or resource.service in _WITHOUT_MODEL:
        return None
    action = resource.action
    match resource.pattern:
        case IntegrationPattern.WAIT_FOR_TASK_TOKEN:
            return None
        case IntegrationPattern.SYNC | IntegrationPattern.SYNC_2:
            if resource.service != "states":
                return None
            action = "describeExecution"
    return _output_shape(resource.service, action)


def _output_shape(service: str, action: str) -> Any:
    """botocore's shape of an answer; None where it knows no such service or action, or the answer is empty."""
    model = _model(service)
    if model is None:
        return None
    operations = {operation.lower(): operation for operation in model.operation_names}
    operation = operations.get(action.lower())
    return model.operation_model(operation).output_shape if operation is not None else None


@lru_cache(_MODELS_MAX)
def _model(service: str) -> Any:
    """botocore's model of a service as a Resource names it, or None. A large one takes tens of megabytes."""
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    loader = Loader()
    sdk_name = service.removeprefix("aws-sdk:")
    without_hyphens = {name.replace("-", ""): name for name in loader.list_available_services("service-2")}
    table = _OPTIMIZED if sdk_name == service else BOTOCORE_NAMES
    name = table.get(sdk_name) or without_hyphens.get(sdk_name.replace("-", ""), sdk_name)
    try:
        description = loader.load_service_model(name, "service-2")
    except UnknownServiceError:
        return None
    for shape, bounds in _DOCUMENTED_BOUNDS.get(name, {}).items():
        description["shapes"][shape].update(bounds)
    return ServiceModel(description, name)


@dataclass(frozen=True, slots=True)
class _Checker:
    requires_all: bool
    free: frozenset[str]

    def check_structure(self, value: JsonObject, shape: Any) -> None:
        members = {name: member for key, member in shape.members.items() for name in _names(key)}
        if self.requires_all:
            for key in shape.required_members:
                if not _names(key) & value.keys() and not _names(key) & self.free:
                    raise _refused(f"Required field '{_first_upper(key)}' is missing")
        for name, member in value.items():
            if name in members:
                self._check(name, member, members[name])

    def _check(self, name: str, value: JsonValue, shape: Any) -> None:
        match shape.type_name:
            case "structure" if getattr(shape, "is_document_type", False):
                pass
            case "structure":
                self.check_structure(_an_object(name, value), shape)
            case "map":
                for member in _an_object(name, value).values():
                    self._check(name, member, shape.value)
            case "list":
                if not isinstance(value, list):
                    raise _wrong_type(name, "an array")
                for item in value:
                    self._check(name, item, shape.member)
            case "string" | "timestamp" | "blob" | "character":
                _check_text(name, value, shape)
            case "boolean":
                if not isinstance(value, bool):
                    raise _wrong_type(name, "a boolean")
            case _:
                _check_number(name, value, shape)


def _an_object(name: str, value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise _wrong_type(name, "an object")
    return value


def _check_text(name: str, value: JsonValue, shape: Any) -> None:
    if not isinstance(value, str):
        raise _wrong_type(name, "a string")
    if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        raise _refused(f"Field '{name}' is not an expected value")
    if len(value) < shape.metadata.get("min", 0):
        raise _refused(f"Field '{name}' is smaller than the minimum length")
    if len(value) > shape.metadata.get("max", len(value)):
        raise _refused(f"Field '{name}' exceeds the maximum length")


def _check_number(name: str, value: JsonValue, shape: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(name, "a number")
    if value < shape.metadata.get("min", value):
        raise _refused(f"Field '{name}' is less than the minimum value")
    if value > shape.metadata.get("max", value):
        raise _refused(f"Field '{name}' exceeds the maximum value")


def _wrong_type(name: str, expected: str) -> ValidationException:
    return _refused(f"Field '{name}' must be {expected}")


def _refused(reason: str) -> ValidationException:
    return ValidationException(f"Mock result schema validation error: {reason}")


def _first_upper(key: str) -> str:
    return key[:1].upper() + key[1:]


@cache
def _names(key: str) -> frozenset[str]:
    """How Step Functions may spell a member: `SSEKMSKeyId` is also `SsekmsKeyId`, as in the AWS SDK for Java.

    The optimized integrations keep acronyms, those of the SDK do not.
    """
    text = re.sub(r"[^A-Za-z0-9]+", " ", key)
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-zA-Z0-9])", " ", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    text = re.sub(r"([0-9])([a-zA-Z])", r"\1 \2", text)
    return frozenset({_first_upper(key), "".join(word.capitalize() for word in text.split())})
