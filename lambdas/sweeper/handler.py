"""Finds executions that nothing moves, and moves them on; on a schedule."""

from collections.abc import Mapping
from typing import Any

from asl_engine.aws.engine_function import LambdaContext
from asl_engine.aws.sweeper_function import SweeperFunction

# Once per cold start: a setting that is missing fails here, not on the first event.
function = SweeperFunction.from_environment()


def handle(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Sweep once."""
    function.handle(event, context)
