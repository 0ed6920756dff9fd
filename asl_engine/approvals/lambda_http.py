"""API Gateway's HTTP API (payload format 2.0) and Lambda function URLs in front of the pages.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from asl_engine.approvals.exchange import PageRequest, PageResponse

MOUNT: Final = "/approvals/"


def page_request(event: Mapping[str, Any]) -> PageRequest:
    """The request that an event carries."""
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    return PageRequest(
        method=str(event["requestContext"]["http"]["method"]).upper(),
        path=str(event.get("rawPath", "")).partition(MOUNT)[2],
        headers=headers,
        body=_body(event),
    )


def lambda_answer(response: PageResponse) -> dict[str, Any]:
    """The response as API Gateway takes it."""
    return {"statusCode": response.status, "headers": dict(response.headers), "body": response.body}


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(text).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
