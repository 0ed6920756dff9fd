"""Advances executions whose messages have arrived on the queue."""

from collections.abc import Mapping
from typing import Any

from asl_engine.aws.engine_function import EngineFunction, LambdaContext

# Once per cold start: a setting that is missing fails here, not on the first event.
function = EngineFunction.from_environment()


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch; the answer names the messages to deliver again."""
    return function.handle(event, context)
