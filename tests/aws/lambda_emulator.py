"""AWS Lambda as far as a workflow sees it: every function counts, and chains of invocations are stopped as AWS does."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

# "approximately 16 times": https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
HOPS_MAX = 16
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:count"
_INVOKE = "/2015-03-31/functions/{name}/invocations"


class LambdaEmulator:
    """Each invocation answers its payload with `n` one higher. `payloads` counts how often each one came."""

    def __init__(self, seconds: float) -> None:
        self.url, self._seconds = "", seconds
        self.payloads: Counter[str] = Counter()
        self.hops: Counter[str] = Counter()  # by the root of the trace
        self.at_work = self.at_work_most = 0
        self._loop = asyncio.new_event_loop()
        self._ready, self._stopped = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(30)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(30)
        self._loop.close()

    async def _serve(self) -> None:
        application = web.Application()
        application.router.add_post(_INVOKE, self._invoke)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await self._stopped.wait()
        await runner.cleanup()

    async def _invoke(self, request: web.Request) -> web.Response:
        root = re.search(r"Root=([^;]+)", request.headers.get("X-Amzn-Trace-Id", ""))
        if root is not None:
            self.hops[root[1]] += 1
            if self.hops[root[1]] > HOPS_MAX:
                return web.json_response(
                    {"Type": "User", "Message": "Recursive invocation"},
                    status=400,
                    headers={"x-amzn-ErrorType": "RecursiveInvocationException"},
                )
        payload: dict[str, Any] = await request.json()
        self.payloads[json.dumps(payload, sort_keys=True)] += 1
        self.at_work += 1
        self.at_work_most = max(self.at_work_most, self.at_work)
        await asyncio.sleep(self._seconds)
        self.at_work -= 1
        return web.json_response(payload | {"n": payload["n"] + 1}, headers={"X-Amz-Executed-Version": "$LATEST"})


@contextmanager
def lambda_emulator(*, seconds: float = 0) -> Iterator[LambdaEmulator]:
    """Runs until the block ends; an invocation takes some seconds."""
    running = LambdaEmulator(seconds)
    running.start()
    try:
        yield running
    finally:
        running.stop()
