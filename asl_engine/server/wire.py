"""AWS JSON 1.0 over HTTP: a POST whose X-Amz-Target names the operation, JSON in and out.

Whatever arrives is answered in that form, errors as {"__type", "message"}; nothing that a client sends is a fault of
the server.
https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import random
import uuid
from typing import Any, Final

from aiohttp import web

from asl_engine.api.service import Answer, StepFunctions
from asl_engine.errors import AslError, InvalidJson, RequestError, StoreError
from asl_engine.json_value import parse_json
from asl_engine.limits import REQUEST_BYTES_MAX

TARGET_PREFIX: Final = "AWSStepFunctions."
# Operations that end with their connection: they change nothing, or wait for what may never come.
_LOOKING: Final = ("Describe", "Get", "List")
_CONTENT_TYPES: Final = frozenset({"application/x-amz-json-1.0", "application/x-amz-json-1.1", "application/json"})
_dumps: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
_log: Final = logging.getLogger(__name__)


class Refused(Exception):
    """A request that does not come to an operation."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


class Wire:
    """Answers requests with a service. With an access token, only requests that carry it."""

    def __init__(self, service: StepFunctions, access_token: str | None = None) -> None:
        self._service, self._access_token = service, access_token

    async def handle(self, request: web.Request) -> web.Response:
        """The answer to an HTTP request."""
        try:
            self._check_access(request)
            operation = _operation(request)
            body = _parsed(await _body(request))
            return _response(200, await self._perform(operation, body))
        except Refused as refusal:
            return _error(refusal.status, refusal.code, refusal.message)
        except RequestError as error:
            return _error(400, error.code, str(error))
        except StoreError as error:
            _log.error("%s", error)
            return _error(503, "ServiceUnavailable", str(error))
        except AslError as error:
            return _error(400, "ValidationException", str(error))
        except Exception:
            _log.exception("a defect of asl-engine")
            return _error(500, "InternalFailure", "asl-engine failed; the server's log says where")

    async def _perform(self, operation: str, body: object) -> Answer:
        performing = self._service.call(operation, body)
        if operation.startswith(_LOOKING):
            return await performing
        return await asyncio.shield(performing)  # what was begun is finished, whether the client waits for it or not

    def _check_access(self, request: web.Request) -> None:
        if self._access_token is None:
            return
        given = request.headers.get("Authorization", "")
        bearer, _, token = given.partition(" ")
        token = token if bearer == "Bearer" else request.headers.get("X-Amz-Security-Token", "")
        # A header may hold bytes that are no text: they come as half characters.
        if not hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._access_token.encode()):
            raise Refused(
                403,
                "AccessDeniedException",
                "this server wants its access token: as the session token of the AWS credentials, "
                "or as `Authorization: Bearer TOKEN`",
            )


def _operation(request: web.Request) -> str:
    if request.method != "POST" or request.path != "/":
        raise Refused(404, "UnknownOperationException", "the Step Functions API takes POST requests to /")
    if request.content_type not in _CONTENT_TYPES:
        raise Refused(
            415, "UnsupportedMediaTypeException", "the Content-Type of a request is application/x-amz-json-1.0"
        )
    target = request.headers.get("X-Amz-Target", "")
    if not target.startswith(TARGET_PREFIX):
        raise Refused(400, "UnknownOperationException", "X-Amz-Target names no operation of AWSStepFunctions")
    return target.removeprefix(TARGET_PREFIX)


async def _body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise Refused(
            413, "RequestEntityTooLargeException", f"a request has at most {REQUEST_BYTES_MAX} bytes"
        ) from error
    except web.HTTPException as error:
        raise Refused(400, "SerializationException", error.text or "the body cannot be read") from error


def _parsed(body: bytes) -> object:
    try:
        return parse_json(body or b"{}")
    except InvalidJson as error:
        raise Refused(400, "SerializationException", str(error)) from error


def _error(status: int, code: str, message: str) -> web.Response:
    return _response(status, {"__type": code, "message": message})


def _response(status: int, answer: dict[str, Any]) -> web.Response:
    request_id = uuid.UUID(int=random.getrandbits(128), version=4)
    headers = {"x-amzn-RequestId": str(request_id), "Content-Type": "application/x-amz-json-1.0"}
    return web.Response(status=status, body=_dumps(answer).encode("ascii"), headers=headers)
