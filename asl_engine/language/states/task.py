"""Task: has work done by a service, a Lambda function or an activity worker."""

import re
from typing import Final

from asl_engine.errors import InvalidExpression
from asl_engine.expressions.scope import Expression
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.branch import StateSyntax
from asl_engine.language.definition import (
    IntegrationPattern,
    QueryLanguage,
    Resource,
    ResourceType,
    StateType,
    TaskState,
)
from asl_engine.language.diagnostics import DiagnosticCode
from asl_engine.language.error_handling import CATCH, RETRY
from asl_engine.language.fields import JSONPATH, Attributes, Field, FieldTable, expected
from asl_engine.language.kinds import JSONATA_SCHEMA, Custom, Number, OrJsonata, RequiredPath, read_template
from asl_engine.language.place import Place
from asl_engine.language.resource import parse_resource
from asl_engine.language.state_fields import (
    ARGUMENTS,
    ASSIGN,
    EVERY_STATE,
    OUTPUT,
    PARAMETERS,
    PATHS,
    RESULT_PATH,
    RESULT_SELECTOR,
    TRANSITION,
    check_transition,
)
from asl_engine.limits import TASK_TIMEOUT_SECONDS_MAX

_NAME: Final = re.compile(r"[\w.:/?#\[\]@!&'()*+,;=%~-]+")  # the characters of a URI
_OF_AWS: Final = re.compile(r"arn:[^:]*:(lambda|states):")


def _read_resource(value: JsonValue, place: Place, name: str) -> Resource | None:
    if not isinstance(value, str):
        expected(place, "an ARN", value, name)
        return None
    try:
        resource = parse_resource(value)
    except InvalidExpression as error:
        return _read_unknown_resource(value, error.reason, place, name)
    if place.compilation.express:
        _refuse_in_express(resource, place, name)
    return resource


def _read_unknown_resource(value: str, reason: str, place: Place, name: str) -> Resource | None:
    """Any other URI is a name, which `--tasks` may know; what is meant for AWS must be right."""
    message = (
        f"The resource provided {value} is not recognized. The value is not a valid resource ARN, "
        "or the resource is not available in this region."
    )
    if not place.compilation.any_resource or not _NAME.fullmatch(value) or _OF_AWS.match(value):
        place.error(message, name, hint=reason)
        return None
    hint = f"AWS refuses it, and only --tasks or --mocks can perform it: {reason}"
    place.warning(message, name, code=DiagnosticCode.UNKNOWN_RESOURCE, hint=hint)
    return Resource(arn=value, type=ResourceType.LAMBDA_FUNCTION)


def _refuse_in_express(resource: Resource, place: Place, name: str) -> None:
    if resource.type is ResourceType.ACTIVITY:
        place.error("Express state machine does not support Activity ARNs", name)
    elif resource.pattern is not IntegrationPattern.REQUEST_RESPONSE:
        # The blank at the end is AWS's.
        place.error(f"Express state machine does not support '{resource.pattern}' service integration ", name)


def _read_credentials(value: JsonValue, place: Place, name: str) -> Expression | None:
    whole = place.jsonata and isinstance(value, str)
    if not whole:
        if not isinstance(value, dict):
            expected(place, "an object", value, name)
            return None
        if "RoleArn" not in value and (place.jsonata or "RoleArn.$" not in value):
            place.error("The field 'RoleArn' is required but was missing", name, hint="name the role to assume")
    return read_template(value, place, name)


def _credentials_schema(language: QueryLanguage) -> JsonObject:
    fields: JsonObject = {"type": "object", "anyOf": [{"required": ["RoleArn"]}, {"required": ["RoleArn.$"]}]}
    return {"anyOf": [fields, JSONATA_SCHEMA]} if language is QueryLanguage.JSONATA else fields


_LAMBDA_INVOKE: Final = re.compile(r"arn:[^:]*:states:[^:]*:[^:]*:lambda:invoke(\.waitForTaskToken)?")
_SECONDS: Final = OrJsonata(Number(least=1, most=TASK_TIMEOUT_SECONDS_MAX), "number")

TABLE: Final = FieldTable(
    "a Task state",
    *EVERY_STATE,
    *TRANSITION,
    Field(
        "Resource",
        Custom(_read_resource, lambda _language: {"type": "string", "minLength": 1}),
        "What does the work: the ARN of a Lambda function, of an activity, or arn:aws:states:::service:action.",
        "resource",
        required=True,
    ),
    *PATHS,
    PARAMETERS,
    ARGUMENTS,
    RESULT_SELECTOR,
    RESULT_PATH,
    ASSIGN,
    OUTPUT,
    Field(
        "Credentials",
        Custom(_read_credentials, _credentials_schema),
        "The role to assume for the call, in RoleArn.",
        "credentials",
    ),
    Field("TimeoutSeconds", _SECONDS, "How long one attempt may take.", "timeout_seconds"),
    Field("TimeoutSecondsPath", RequiredPath(), "A path to TimeoutSeconds.", "timeout_seconds_path", JSONPATH),
    Field(
        "HeartbeatSeconds", _SECONDS, "The longest silence of a worker; less than TimeoutSeconds.", "heartbeat_seconds"
    ),
    Field("HeartbeatSecondsPath", RequiredPath(), "A path to HeartbeatSeconds.", "heartbeat_seconds_path", JSONPATH),
    RETRY,
    CATCH,
    exclusive=[("TimeoutSeconds", "TimeoutSecondsPath"), ("HeartbeatSeconds", "HeartbeatSecondsPath")],
)


def _build(attributes: Attributes) -> TaskState:
    return TaskState(type=StateType.TASK, **attributes)


def _check(value: JsonObject, place: Place) -> None:
    check_transition(value, place)
    timeout, heartbeat = value.get("TimeoutSeconds"), value.get("HeartbeatSeconds")
    if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat >= timeout:
        place.error(
            f"HeartbeatSeconds must be smaller than TimeoutSeconds, which is {timeout}",
            "HeartbeatSeconds",
            hint="a heartbeat that is never missed before the timeout has no use",
        )
    resource = value.get("Resource")
    if isinstance(resource, str) and _LAMBDA_INVOKE.fullmatch(resource):
        _require_function_name(value, place)


def _require_function_name(value: JsonObject, place: Place) -> None:
    name = "Arguments" if place.jsonata else "Parameters"
    call = value.get(name)
    if isinstance(call, dict) and "FunctionName" not in call and (place.jsonata or "FunctionName.$" not in call):
        place.at(name).error("The field 'FunctionName' is required but was missing", hint="name the function to invoke")


SYNTAX: Final = StateSyntax(TABLE, _build, _check)
