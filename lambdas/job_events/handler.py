"""Tells executions how their jobs ended, from EventBridge."""

from collections.abc import Mapping
from typing import Any

from asl_engine.aws.job_events_function import JobEventsFunction

# Once per cold start: a setting that is missing fails here, not on the first event.
function = JobEventsFunction.from_environment()


def handle(event: Mapping[str, Any], context: object) -> None:
    """Pass one event on."""
    function.handle(event, context)
