"""A connection to AWS on which requests and answers get lost, as a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from asl_engine.store.dynamodb.connection import Connection
from tests.store.dynamodb_tables import environment


class Fault(StrEnum):
    """What goes wrong with one request."""

    LOST_REQUEST = "the connection breaks before the request is carried out"
    LOST_ANSWER = "the connection breaks after it was carried out"
    TIMEOUT = "it is carried out, and no answer comes in time"
    LATE = "it is carried out long after its sender gave it up"
    ERROR = "the service fails before it carries it out"
    ERROR_AFTER = "the service fails after it has carried it out"
    THROTTLED = "the service refuses it for now"
    TRUNCATED = "half of the answer comes, and looks whole"
    EMPTY = "an answer without a body comes"


WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}
Choice = Callable[[int, str], Fault | None]


class HttpAnswer:
    """An answer as aiobotocore hands it to the parser."""

    def __init__(self, status_code: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status_code, self.headers, self._body = status_code, headers, body

    @property
    async def content(self) -> bytes:
        return self._body


class FaultyConnection(Connection):
    """Asks `choose` what goes wrong with each request, of which it tells the number (from 0) and the operation.

    It stays open when a store is closed, as opening takes longer than most tests: `really_close` it.
    """

    def __init__(self, url: str, choose: Choice) -> None:
        super().__init__(environment(url))
        self._late: list[Any] = []
        self.begin(choose)

    def begin(self, choose: Choice) -> None:
        """From here on go by this choice, and count anew."""
        self.choose = choose
        self.requests: list[str] = []
        self._late.clear()

    async def close(self) -> None:
        """Nothing yet."""

    async def really_close(self) -> None:
        await super().close()

    async def _open(self, service: str) -> Any:
        client = await super()._open(service)
        endpoint = client._endpoint

        async def before_send(request: Any, event_name: str, **_unused: object) -> Any:
            operation = event_name.rpartition(".")[2]
            number = len(self.requests)
            self.requests.append(operation)
            fault = self.choose(number, operation)
            if operation in WRITES:
                while self._late:
                    await (await endpoint._send(self._late.pop(0))).content
            return await _answered(fault, request, endpoint, self._late)

        client.meta.events.register("before-send", before_send)
        return client


async def _answered(fault: Fault | None, request: Any, endpoint: Any, late: list[Any]) -> Any:
    match fault:
        case None:
            return None
        case Fault.LOST_REQUEST:
            raise ConnectionClosedError(endpoint_url=request.url)
        case Fault.LATE:
            late.append(request)
            raise ReadTimeoutError(endpoint_url=request.url)
        case Fault.ERROR:
            return _failure(500, "InternalServerError")
        case Fault.THROTTLED:
            return _failure(400, "ThrottlingException")
    done = await endpoint._send(request)
    body = await done.content
    match fault:
        case Fault.LOST_ANSWER:
            raise ConnectionClosedError(endpoint_url=request.url)
        case Fault.TIMEOUT:
            raise ReadTimeoutError(endpoint_url=request.url)
        case Fault.ERROR_AFTER:
            return _failure(503, "ServiceUnavailable")
        case Fault.TRUNCATED:
            return HttpAnswer(200, {}, body[: len(body) // 2])
    return HttpAnswer(200, {}, b"")


def _failure(status: int, code: str) -> HttpAnswer:
    body = f'{{"__type": "com.amazonaws.dynamodb.v20120810#{code}", "message": "on purpose"}}'
    return HttpAnswer(status, {}, body.encode())
