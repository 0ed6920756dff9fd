"""What the function `api` does: the Step Functions API behind an HTTP API of API Gateway, payload format 2.0.

An Express execution runs inside the invocation that started it, so the answer comes when it has ended: what a function
leaves running is frozen with it.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Any

from asl_engine.api import wire
from asl_engine.api.service import Answer, StepFunctions
from asl_engine.api.wire import Refused
from asl_engine.aws.assembly import engine_on
from asl_engine.aws.container import Container
from asl_engine.aws.ports import Ports, open_ports
from asl_engine.limits import REQUEST_BYTES_MAX


class ApiFunction:
    """Answers requests with a service."""

    def __init__(self, ports: Ports, service: StepFunctions) -> None:
        self._container = Container(ports)
        self.service = service

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> ApiFunction:
        """Raises AslError for what the environment lacks."""
        ports = open_ports(environ)
        return cls(ports, engine_on(ports).service)

    def handle(self, event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        """The answer to one request."""
        return self._container.run(self.answer(event))

    def close(self) -> None:
        """Let go of connections."""
        self._container.close()

    async def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request, once nothing that it began runs here any more."""
        answer = await wire.answer(self._perform(event))
        await self.service.express.until_idle()
        return {
            "statusCode": answer.status,
            "headers": dict(answer.headers),
            "body": answer.body.decode("ascii"),
            "isBase64Encoded": False,
        }

    async def _perform(self, event: Mapping[str, Any]) -> Answer:
        context, headers = event["requestContext"], event.get("headers") or {}
        operation = wire.operation_of(
            method=context["http"]["method"],
            path=_path(event["rawPath"], context.get("stage", "$default")),
            content_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
            target=headers.get("x-amz-target", ""),
        )
        return await self.service.call(operation, wire.parsed(_body(event)))


def _path(raw_path: str, stage: str) -> str:
    """The path behind a named stage, which API Gateway leaves in it."""
    return raw_path.removeprefix(f"/{stage}") or "/"


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, ValueError) as error:
        raise Refused(400, "SerializationException", f"the body cannot be read: {error}") from error
    if len(body) > REQUEST_BYTES_MAX:
        raise Refused(413, "RequestEntityTooLargeException", f"a request has at most {REQUEST_BYTES_MAX} bytes")
    return body
