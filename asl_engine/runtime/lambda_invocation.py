"""What a Lambda task sends and what Step Functions makes of the answer, whoever runs the function.

A function ARN as the Resource sends its input and receives the function's value. `lambda:invoke` reads FunctionName,
Payload and the rest from its arguments, and its result carries the value as `Payload` among what the SDK answered.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from asl_engine.errors import InvalidJson
from asl_engine.json_value import JsonObject, JsonValue, dump_json, json_type, parse_json
from asl_engine.runtime.tasks import Failed, TaskCall

_FIELDS: Final = frozenset({"FunctionName", "Payload", "InvocationType", "Qualifier", "ClientContext", "LogType"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaRequest:
    """An Invoke request. `event` is what the function receives."""

    function_name: str
    event: JsonValue
    invocation_type: str = "RequestResponse"
    qualifier: str | None = None
    client_context: str | None = None
    log_type: str | None = None


def read_request(call: TaskCall) -> LambdaRequest | Failed:
    """The Invoke request of a Lambda task; Failed, in AWS's words, when its arguments make none."""
    arguments = call.attempt.arguments
    if not call.is_lambda_invoke:
        return LambdaRequest(function_name=call.function_name, event=arguments)
    problem = _problem(arguments)
    if problem or not isinstance(arguments, dict):
        return Failed(
            "States.Runtime",
            f"The Parameters '{dump_json(arguments)}' could not be used to start the Task: [{problem}]",
        )
    return LambdaRequest(
        function_name=call.function_name,
        event=_event(arguments.get("Payload")),
        invocation_type=_text(arguments, "InvocationType") or "RequestResponse",
        qualifier=_text(arguments, "Qualifier"),
        client_context=_client_context(arguments.get("ClientContext")),
        log_type=_text(arguments, "LogType"),
    )


def invoke_output(
    payload: JsonValue,
    *,
    status_code: int,
    headers: Mapping[str, str],
    request_id: str,
    executed_version: str | None = "$LATEST",
    log_result: str | None = None,
) -> JsonObject:
    """The result of `lambda:invoke`, with the members that Step Functions gives it."""
    output: JsonObject = {}
    if executed_version is not None:
        output["ExecutedVersion"] = executed_version
    if log_result is not None:
        output["LogResult"] = log_result
    output["Payload"] = payload
    output["SdkHttpMetadata"] = {
        "AllHttpHeaders": {name: [value] for name, value in headers.items()},
        "HttpHeaders": dict(headers),
        "HttpStatusCode": status_code,
    }
    output["SdkResponseMetadata"] = {"RequestId": request_id}
    output["StatusCode"] = status_code
    return output


def _problem(arguments: JsonValue) -> str | None:
    if not isinstance(arguments, dict):
        return f"expected an object, found {json_type(arguments)}"
    if "FunctionName" not in arguments:
        return 'The field "FunctionName" is required but was missing'
    for name, value in arguments.items():
        if name not in _FIELDS:
            return f'The field "{name}" is not supported by Step Functions'
        if name not in {"Payload", "ClientContext"} and not isinstance(value, str):
            return f'The value for the field "{name}" must be a STRING'
    return None


def _text(arguments: JsonObject, name: str) -> str | None:
    value = arguments.get(name)
    return value if isinstance(value, str) else None


def _event(payload: JsonValue) -> JsonValue:
    """Null is sent as {}, and a string that is JSON as the value it spells: so AWS was seen to do."""
    if payload is None:
        return {}
    if isinstance(payload, str):
        try:
            return parse_json(payload)
        except InvalidJson:
            return payload
    return payload


def _client_context(value: JsonValue) -> str | None:
    """A string is taken to be in Base64 already, as the Invoke API wants it."""
    if value is None or isinstance(value, str):
        return value
    return base64.b64encode(dump_json(value).encode()).decode()
