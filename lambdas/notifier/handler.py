"""Asks people for approval, tells them things, closes approvals: invoked by Tasks, with their Payload as the event."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from asl_engine.approvals.configuration import Configuration

# Once per cold start: a setting that is missing fails here, not on the first task.
notifier = Configuration(os.environ).notifier()
loop = asyncio.new_event_loop()


def handle(event: Any, _context: object) -> dict[str, Any]:
    """Carry out one payload. An exception fails the task under its class name."""
    return loop.run_until_complete(notifier.handle(event))
