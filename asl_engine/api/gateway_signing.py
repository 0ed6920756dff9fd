"""Requests to a deployed engine: API Gateway wants them signed for `execute-api`; an SDK signs for `states`."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

_EXECUTE_API: Final = re.compile(r"[^.]+\.execute-api\.([\w-]+)\.amazonaws\.com(?:\.cn)?")


def gateway_region(endpoint_url: str | None) -> str | None:
    """The region of an API Gateway endpoint, None for any other."""
    found = _EXECUTE_API.fullmatch(urlsplit(endpoint_url).hostname or "") if endpoint_url else None
    return found[1] if found else None


def sign_for_api_gateway(client: Any) -> None:
    """Have a botocore client for Step Functions sign its requests as API Gateway wants them."""
    client.meta.events.register("before-sign.sfn", _name_service)


def _name_service(request: Any, **_: object) -> None:
    request.context.setdefault("signing", {})["signing_name"] = "execute-api"
