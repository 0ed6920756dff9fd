"""A container of a Lambda function: one event loop that lives as long as it, so connections outlive an invocation."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from asl_engine.aws.ports import Ports

_T = TypeVar("_T")


class Container:
    """Runs the invocations of one function, one after another."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._loop = asyncio.new_event_loop()

    def warm_up(self) -> None:
        """Do before the first invocation what is slow: Lambda lends a whole processor while a container starts."""
        self._loop.run_until_complete(self._ports.open())

    def run(self, invocation: Coroutine[Any, Any, _T]) -> _T:
        """What an invocation returns or raises. What it leaves running goes on with the next one."""
        return self._loop.run_until_complete(invocation)

    def close(self) -> None:
        """Let go of connections. Lambda never asks for it."""
        self._loop.run_until_complete(self._ports.close())
        self._loop.close()
