"""What optimized integrations add to a service's answer: how it was transmitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from asl_engine.json_value import JsonObject

# boto3 lower-cases header names; these are the names as Step Functions shows them.
_HEADERS: Final = {
    name.lower(): name
    for name in (
        "Connection",
        "Content-Length",
        "Content-Type",
        "Date",
        "Server",
        "X-Amz-Executed-Version",
        "X-Amz-Log-Result",
        "X-Amzn-Trace-Id",
        "x-amzn-Remapped-Content-Length",
        "x-amzn-RequestId",
    )
}


def shown_headers(answer: Mapping[str, Any]) -> dict[str, str]:
    """The HTTP headers of an answer."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return {_HEADERS.get(name, name): value for name, value in headers.items()}


def with_metadata(output: JsonObject, answer: Mapping[str, Any]) -> JsonObject:
    """The output with the metadata of its transmission."""
    metadata, headers = answer.get("ResponseMetadata", {}), shown_headers(answer)
    return {
        **output,
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": dict(headers),
            "HttpStatusCode": metadata.get("HTTPStatusCode", 200),
        },
        "SdkResponseMetadata": {"RequestId": metadata.get("RequestId", "")},
    }
