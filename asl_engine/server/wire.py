"""The API behind aiohttp: each HTTP request is one operation, or is refused."""

from __future__ import annotations

import asyncio
import hmac
from typing import Final

from aiohttp import web

from asl_engine.api import wire
from asl_engine.api.service import Answer, StepFunctions
from asl_engine.api.wire import Refused
from asl_engine.limits import REQUEST_BYTES_MAX

# Operations that end with their connection: they change nothing, or wait for what may never come.
_LOOKING: Final = ("Describe", "Get", "List")
_BODY_SECONDS: Final = 30.0


class Wire:
    """Answers requests with a service. With an access token, only requests that carry it."""

    def __init__(self, service: StepFunctions, access_token: str | None = None) -> None:
        self._service, self._access_token = service, access_token

    async def handle(self, request: web.Request) -> web.Response:
        """The answer to an HTTP request."""
        answer = await wire.answer(self._perform(request))
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    async def _perform(self, request: web.Request) -> Answer:
        self._check_access(request)
        operation = wire.operation_of(
            method=request.method,
            path=request.path,
            content_type=request.content_type,
            target=request.headers.get("X-Amz-Target", ""),
        )
        performing = self._service.call(operation, wire.parsed(await _body(request)))
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


async def _body(request: web.Request) -> bytes:
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise Refused(400, "SerializationException", "a compressed body is not read here: send it as it is")
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise Refused(
            413, "RequestEntityTooLargeException", f"a request has at most {REQUEST_BYTES_MAX} bytes"
        ) from error
    except TimeoutError as error:
        raise Refused(408, "RequestTimeoutException", "the body of the request did not come in time") from error
    except web.HTTPException as error:
        raise Refused(400, "SerializationException", error.text or "the body cannot be read") from error
