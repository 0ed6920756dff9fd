"""A POST to a configured address, by the standard library. Redirects are not followed: they may lead anywhere."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from asl_engine.errors import NotificationFailed

ANSWER_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back."""

    status: int
    body: bytes


class HttpPost(Protocol):
    """Posts bytes. Raises NotificationFailed when there is no answer."""

    async def __call__(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float
    ) -> HttpAnswer:
        """Post, and wait for the answer that long."""


async def http_post(url: str, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float) -> HttpAnswer:
    """See HttpPost."""
    if not url.startswith(("https://", "http://")):
        raise NotificationFailed("a message can only be posted to an http or https address")
    return await asyncio.to_thread(_post, url, body, headers, timeout_seconds)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_keywords: Any) -> None:
        """Not followed: the answer is the redirect itself."""


def _post(url: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> HttpAnswer:
    try:
        request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310 - checked above
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=timeout_seconds) as response:
            return HttpAnswer(response.status, response.read(ANSWER_BYTES_MAX))
    except urllib.error.HTTPError as error:
        with error:
            return HttpAnswer(error.code, error.read(ANSWER_BYTES_MAX))
    except (OSError, ValueError) as error:
        # The address may hold a secret (a Slack webhook's does), so it is not repeated.
        raise NotificationFailed(f"no answer to a message: {type(error).__name__}") from None
