"""The error names and causes that Step Functions gives to what a service refused.

An optimized integration names its service and speaks as the AWS SDK for Java 1 does; an SDK integration, as version 2.
An exception that the service's model does not know gets the name of the service's own base exception.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from asl_engine.runtime.tasks import Failed

_SERVER_ERROR: Final = 500
_TOO_MANY_REQUESTS: Final = 429
_THROTTLING_CODES: Final = frozenset(
    {
        "EC2ThrottledException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
# S3's model has these for a few of the operations that answer them; Java's SDK knows them wherever they come from.
_OF_ANY_OPERATION: Final = frozenset({"NoSuchBucket", "NoSuchKey", "NoSuchUpload"})
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+")


class ErrorNames(Protocol):
    """How errors of one service are named."""

    def failure(self, error: Exception, model: Any) -> Failed:
        """The task's failure. `model` is botocore's of the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizedNames:
    """Names of an optimized integration: `Batch.ClientException`, `(Service: AWSBatch; Status Code: 400; …)`."""

    prefix: str
    service: str
    base: str

    def failure(self, error: Exception, model: Any) -> Failed:
        """See `ErrorNames`."""
        response = _response(error)
        if response is None:
            return _unsent(error, self.prefix)
        facts = _Facts.of(response)
        return Failed(
            f"{self.prefix}.{_modelled(error, model) or self.base}",
            f"{facts.message} (Service: {self.service}; Status Code: {facts.status}; Error Code: {facts.code}; "
            f"Request ID: {facts.request_id}; Proxy: null)",
        )


@dataclass(frozen=True, slots=True)
class SdkNames:
    """Names of an SDK integration: `DynamoDb.ResourceNotFoundException`."""

    def failure(self, error: Exception, model: Any) -> Failed:
        """See `ErrorNames`."""
        service = java_name(str(model.service_id))
        response = _response(error)
        if response is None:
            return _unsent(error, service)
        facts = _Facts.of(response)
        extended = response.get("ResponseMetadata", {}).get("HostId")
        request = f"Request ID: {facts.request_id}" + (f", Extended Request ID: {extended}" if extended else "")
        return Failed(
            f"{service}.{_modelled(error, model) or f'{service}Exception'}",
            f"{facts.message} (Service: {service}, Status Code: {facts.status}, {request}) (SDK Attempt Count: 1)",
        )


def java_name(service_id: str) -> str:
    """A service as the AWS SDK for Java 2 names it: DynamoDb for DynamoDB, CloudWatchLogs for CloudWatch Logs."""
    return "".join(word[:1].upper() + word[1:].lower() for word in _WORDS.findall(service_id))


def is_throttled(error: Exception) -> bool:
    """Whether the service refused the request for now, and certainly did nothing."""
    response = _response(error)
    if response is None:
        return False
    facts = _Facts.of(response)
    return facts.status == _TOO_MANY_REQUESTS or facts.code in _THROTTLING_CODES


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed soon. Unless it was throttled, the service may also have done it."""
    response = _response(error)
    if response is None:
        return isinstance(error, _unanswered())
    return is_throttled(error) or _Facts.of(response).status >= _SERVER_ERROR


def error_code(error: Exception) -> str:
    """The service's error code; empty if there was no answer."""
    response = _response(error)
    return "" if response is None else _Facts.of(response).code


def error_message(error: Exception) -> str:
    """What the service said."""
    response = _response(error)
    return str(error) if response is None else _Facts.of(response).message


def call_errors() -> tuple[type[Exception], ...]:
    """What a call of an AWS client may raise."""
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError, *_unanswered())


def _unanswered() -> tuple[type[Exception], ...]:
    """No connection, a broken one, or an answer that cannot be read."""
    from aiohttp import ClientError as ConnectionFailed  # aiobotocore lets these through while a body is read
    from botocore.exceptions import (
        ConnectionError,  # noqa: A004 - botocore's, which is no OSError
        HTTPClientError,
        IncompleteReadError,
    )
    from botocore.parsers import ResponseParserError

    unread = (IncompleteReadError, ResponseParserError, UnicodeDecodeError)
    return (ConnectionError, HTTPClientError, ConnectionFailed, OSError, *unread)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    code: str
    message: str
    status: int
    request_id: str

    @classmethod
    def of(cls, response: Mapping[str, Any]) -> _Facts:
        error, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
        return cls(
            code=str(error.get("Code", "Unknown")),
            message=str(error.get("Message") or error.get("message") or ""),
            status=int(metadata.get("HTTPStatusCode", 0)),
            request_id=str(metadata.get("RequestId", "")),
        )


def _unsent(error: Exception, prefix: str) -> Failed:
    """The failure of a request that did not come to an answer."""
    from botocore.exceptions import ParamValidationError

    if isinstance(error, ParamValidationError):
        return Failed("States.Runtime", str(error))
    return Failed(f"{prefix}.SdkClientException", f"Unable to execute HTTP request: {error}")


def _response(error: Exception) -> Mapping[str, Any] | None:
    response = getattr(error, "response", None)
    return response if isinstance(response, Mapping) else None


def _modelled(error: Exception, model: Any) -> str | None:
    """The exception that Java's SDK makes of an error code which the operation's model has, or S3's for any of its."""
    code = error_code(error)
    of_operation = model.operation_model(getattr(error, "operation_name", "")).error_shapes
    for shape in (*of_operation, *model.error_shapes) if code in _OF_ANY_OPERATION else of_operation:
        if code in {shape.name, shape.metadata.get("error", {}).get("code", shape.name)}:
            return shape.name if shape.name.endswith("Exception") else f"{shape.name}Exception"
    return None
