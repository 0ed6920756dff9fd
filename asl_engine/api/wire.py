"""AWS JSON 1.0, without a transport: a POST whose X-Amz-Target names the operation, JSON in and out.

Whatever arrives is answered in that form, errors as {"__type", "message"}; nothing that a client sends is a fault of
the server.
https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

import json
import logging
import random
import uuid
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from asl_engine.api.service import Answer
from asl_engine.errors import AslError, Conflict, InvalidJson, QueueUnavailable, RequestError, StoreError
from asl_engine.json_value import parse_json

CONTENT_TYPE: Final = "application/x-amz-json-1.0"
TARGET_PREFIX: Final = "AWSStepFunctions."
_CONTENT_TYPES: Final = frozenset({CONTENT_TYPE, "application/x-amz-json-1.1", "application/json"})
_dumps: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
_log: Final = logging.getLogger(__name__)


class Refused(Exception):
    """A request that does not come to an operation."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class WireAnswer:
    """An HTTP answer; its body is ASCII."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def answer(performing: Awaitable[Answer]) -> WireAnswer:
    """What a client gets for a request that is being performed, or refused: whatever goes wrong has an answer."""
    try:
        return _answer(200, await performing)
    except Refused as refusal:
        return _error(refusal.status, refusal.code, refusal.message)
    except RequestError as error:
        return _error(400, error.code, str(error))
    except Conflict as error:  # lost races, no mistake of the caller's: every SDK asks again
        return _error(503, "ServiceUnavailable", str(error))
    except (StoreError, QueueUnavailable) as error:
        _log.error("%s", error)
        return _error(503, "ServiceUnavailable", str(error))
    except AslError as error:
        return _error(400, "ValidationException", str(error))
    except Exception:
        _log.exception("a defect of asl-engine")
        return _error(500, "InternalFailure", "asl-engine failed; the server's log says where")


def operation_of(*, method: str, path: str, content_type: str, target: str) -> str:
    """The operation that a request names. Raises Refused."""
    if method != "POST" or path != "/":
        raise Refused(404, "UnknownOperationException", "the Step Functions API takes POST requests to /")
    if content_type not in _CONTENT_TYPES:
        raise Refused(415, "UnsupportedMediaTypeException", f"the Content-Type of a request is {CONTENT_TYPE}")
    if not target.startswith(TARGET_PREFIX):
        raise Refused(400, "UnknownOperationException", "X-Amz-Target names no operation of AWSStepFunctions")
    return target.removeprefix(TARGET_PREFIX)


def parsed(body: bytes) -> object:
    """The members of a request. Raises Refused."""
    try:
        return parse_json(body or b"{}")
    except InvalidJson as error:
        raise Refused(400, "SerializationException", str(error)) from error


def _error(status: int, code: str, message: str) -> WireAnswer:
    return _answer(status, {"__type": code, "message": message})


def _answer(status: int, members: dict[str, Any]) -> WireAnswer:
    request_id = uuid.UUID(int=random.getrandbits(128), version=4)
    headers = {"x-amzn-RequestId": str(request_id), "Content-Type": CONTENT_TYPE}
    return WireAnswer(status=status, headers=headers, body=_dumps(members).encode("ascii"))
