"""An HTTP request and its response, free of any server: a Lambda function and the local server translate theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

BODY_BYTES_MAX: Final = 128 * 1024
_FIELDS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """What arrived.

    `path` is what follows the mount point; header names are in lower case; `body` is as it was sent.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageResponse:
    """What to answer."""

    status: int
    headers: Mapping[str, str]
    body: str = ""


def read_fields(request: PageRequest) -> dict[str, str] | None:
    """The fields of a posted form; None for what is no form, is too large, or has a field twice."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded" or len(request.body) > BODY_BYTES_MAX:
        return None
    try:
        pairs = parse_qsl(
            request.body.decode("utf-8"), keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict"
        )
    except ValueError:
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


def is_from_elsewhere(request: PageRequest) -> bool:
    """Whether a browser says that another site's page sent this.

    A page under `Referrer-Policy: no-referrer` sends `Origin: null`, so that is what our own forms come with.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = request.headers.get("origin", "null")
    return origin != "null" and origin.partition("://")[2] != request.headers.get("host", "")
