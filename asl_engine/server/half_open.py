"""Connections that never come to a request: their number is bounded, so what they hold must be let go of.

Of a connection that has had a request aiohttp itself takes care.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from aiohttp import web

_HEADER_SECONDS: Final = 30.0


class HalfOpen:
    """Closes what has not sent the header of a request between two looks."""

    def __init__(self) -> None:
        self._served: set[web.RequestHandler] = set()
        self._waited_for: set[web.RequestHandler] = set()

    @web.middleware
    async def note(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let a request pass: its connection is in use."""
        self._served.add(request.protocol)
        return await handler(request)

    async def watch(self, server: web.Server) -> None:
        """Look at the server's connections for ever."""
        while True:
            await asyncio.sleep(_HEADER_SECONDS)
            self.close_idle(server.connections)

    def close_idle(self, connections: Iterable[web.RequestHandler]) -> None:
        """Look once. What was idle at the last look, too, is closed."""
        open_ones = set(connections)
        self._served &= open_ones
        idle = open_ones - self._served
        for connection in idle & self._waited_for:
            connection.force_close()
        self._waited_for = idle
