"""The approval pages, and Slack's button clicks, behind API Gateway."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from asl_engine.approvals.configuration import Configuration
from asl_engine.approvals.lambda_http import lambda_answer, page_request

# Once per cold start: a setting that is missing fails here, not on the first visit.
pages = Configuration(os.environ).pages()
loop = asyncio.new_event_loop()


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return lambda_answer(loop.run_until_complete(pages.handle(page_request(event))))
