"""The function `definitions`: publishes definitions when a deployment changes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asl_engine.deploy.definitions_function import handle as handle_event
from asl_engine.json_value import JsonObject


def handle(event: Mapping[str, Any], _context: object) -> JsonObject:
    """What Lambda calls."""
    return handle_event(event)
