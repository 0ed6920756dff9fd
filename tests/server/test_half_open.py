"""Connections without a request do not stay."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from asl_engine.server import half_open
from asl_engine.server.half_open import HalfOpen


async def _hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


async def _opened(watcher: HalfOpen) -> tuple[web.AppRunner, int]:
    application = web.Application(middlewares=[watcher.note])
    application.router.add_get("/", _hello)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, runner.addresses[0][1]


def test_half_a_header_is_waited_for_once_and_a_request_keeps_its_connection() -> None:
    async def told() -> None:
        watcher = HalfOpen()
        runner, port = await _opened(watcher)
        assert runner.server is not None
        used, using = await asyncio.open_connection("127.0.0.1", port)
        half, sending = await asyncio.open_connection("127.0.0.1", port)
        sending.write(b"GET / HTTP/1.1\r\nHos")
        using.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await used.readline()).startswith(b"HTTP/1.1 200")

        watcher.close_idle(runner.server.connections)
        watcher.close_idle(runner.server.connections)
        assert await half.read() == b""

        using.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await used.readuntil(b"hello")
        assert (await used.readline()).startswith(b"HTTP/1.1 200")
        using.close()
        sending.close()
        await runner.cleanup()

    asyncio.run(asyncio.wait_for(told(), 20))


def test_the_connections_are_looked_at_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_open, "_HEADER_SECONDS", 0.01)

    async def told() -> None:
        watcher = HalfOpen()
        runner, port = await _opened(watcher)
        assert runner.server is not None
        watching = asyncio.ensure_future(watcher.watch(runner.server))
        half, sending = await asyncio.open_connection("127.0.0.1", port)
        assert await half.read() == b""
        watching.cancel()
        sending.close()
        await runner.cleanup()

    asyncio.run(asyncio.wait_for(told(), 20))
