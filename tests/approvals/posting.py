"""An HttpPost that keeps what is posted and answers as the test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from asl_engine.approvals.outgoing_http import HttpAnswer
from asl_engine.errors import NotificationFailed


class Posted:
    """`requests` has the URL, body and headers of each."""

    def __init__(self, status: int = 200, body: bytes = b'{"ok": true}') -> None:
        self.requests: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.status, self.body, self.is_reachable, self.seconds = status, body, True, 0.0

    async def __call__(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float
    ) -> HttpAnswer:
        assert timeout_seconds <= 5
        await asyncio.sleep(self.seconds)
        if not self.is_reachable:
            raise NotificationFailed("no answer to a message: TimeoutError")
        self.requests.append((url, body, headers))
        return HttpAnswer(self.status, self.body)

    @property
    def messages(self) -> list[Any]:
        """The bodies, parsed."""
        return [json.loads(body) for _, body, _ in self.requests]
