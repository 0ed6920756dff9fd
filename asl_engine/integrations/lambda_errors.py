"""The error names and causes that Step Functions gives to what went wrong with a Lambda invocation.

A function's own error keeps the name that the function gave it, and its cause is the answer as it came. What the
service or the SDK refuses is named `Lambda.<Exception>`, with the cause in the words of the AWS SDK for Java.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from asl_engine.errors import InvalidJson
from asl_engine.json_value import parse_json
from asl_engine.runtime.tasks import Failed

_FUNCTION_NOT_FOUND = re.compile(r"Function not found: .*:function:[^:]+")
_TIMED_OUT = re.compile(r"Task timed out after [\d.]+ seconds")
_SERVICE_ERROR_STATUS: Final = 500
_THROTTLED_STATUS: Final = 429


def failure_of_function(payload: str) -> Failed:
    """The error of a function that failed; `payload` is what Lambda answered for it."""
    try:
        answer = parse_json(payload)
    except InvalidJson:
        answer = None
    details = answer if isinstance(answer, dict) else {}
    error_type = details.get("errorType")
    if isinstance(error_type, str) and error_type:
        return Failed(error_type, payload)
    if _TIMED_OUT.search(str(details.get("errorMessage"))):  # Lambda says Sandbox.Timedout; emulators may omit it
        return Failed("Sandbox.Timedout", payload)
    return Failed(
        "Lambda.Unknown",
        f"The cause could not be determined because Lambda did not return an error type. Returned payload: {payload}",
    )


def failure_of_request(response: Mapping[str, Any], operation: Any) -> Failed:
    """The error of a request that Lambda refused. `operation` is the SDK's model of Invoke: it knows its exceptions."""
    error, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(error.get("Code", "Unknown")), int(metadata.get("HTTPStatusCode", 0))
    cause = (
        f"{_message(error)} (Service: AWSLambda; Status Code: {status}; Error Code: {code}; "
        f"Request ID: {metadata.get('RequestId', '')}; Proxy: null)"
    )
    return Failed(f"Lambda.{_exception(code, status, operation)}", cause)


def failure_of_sdk(error: Exception, endpoint_url: str | None) -> Failed:
    """The error of a request that did not come to an answer: no connection, no credentials, no region."""
    endpoint = f" (endpoint {endpoint_url})" if endpoint_url and endpoint_url not in str(error) else ""
    return Failed("Lambda.SdkClientException", f"Unable to execute HTTP request: {error}{endpoint}")


def _exception(code: str, status: int, operation: Any) -> str:
    if code in {shape.name for shape in operation.error_shapes}:
        return code
    if status == _THROTTLED_STATUS:
        return "TooManyRequestsException"
    return "ServiceException" if status >= _SERVICE_ERROR_STATUS else "AWSLambdaException"


def _message(error: Mapping[str, Any]) -> str:
    message = str(error.get("Message") or error.get("message") or "")
    # Step Functions asks for the version $LATEST, so AWS names it; an emulator that was not asked does not.
    return f"{message}:$LATEST" if _FUNCTION_NOT_FOUND.fullmatch(message) else message
