"""The deployed API, reached by invoking its function with the request that API Gateway would have made."""

from __future__ import annotations

import json
from typing import Any

from asl_engine.deploy.publishing import ApiError
from asl_engine.errors import AslError
from asl_engine.json_value import JsonObject

_READ_TIMEOUT_SECONDS = 60


class ApiFunction:
    """Calls the function `api`."""

    def __init__(self, function_name: str) -> None:
        from botocore.config import Config
        from botocore.handlers import add_recursion_detection_header
        from botocore.session import get_session

        self._function_name = function_name
        config = Config(read_timeout=_READ_TIMEOUT_SECONDS, retries={"total_max_attempts": 3, "mode": "standard"})
        self._client = get_session().create_client("lambda", config=config)
        # Every AWS client of the engine drops this header, which chains invocations.
        self._client.meta.events.unregister("before-call", add_recursion_detection_header)

    def call(self, operation: str, request: JsonObject) -> JsonObject:
        """The answer to a request. Raises ApiError, or AslError when the function itself failed."""
        answer = self._client.invoke(
            FunctionName=self._function_name, Payload=json.dumps(_http_request(operation, request)).encode()
        )
        payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise AslError(f"{self._function_name} failed in {operation}: {payload.decode('utf-8', 'replace')}")
        return _answer(operation, json.loads(payload))


def _http_request(operation: str, request: JsonObject) -> dict[str, Any]:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html, 2.0."""
    return {
        "version": "2.0",
        "routeKey": "POST /",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"AWSStepFunctions.{operation}"},
        "requestContext": {"http": {"method": "POST", "path": "/", "protocol": "HTTP/1.1"}, "stage": "$default"},
        "body": json.dumps(request),
        "isBase64Encoded": False,
    }


def _answer(operation: str, response: dict[str, Any]) -> JsonObject:
    body = json.loads(response.get("body") or "{}")
    if response.get("statusCode") != 200:
        code = str(body.get("__type", response.get("statusCode"))).rpartition("#")[2]
        raise ApiError(code, f"{operation}: {body.get('message', body)}")
    return dict(body)
