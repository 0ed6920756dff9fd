"""The Step Functions API behind API Gateway."""

from collections.abc import Mapping
from typing import Any

from asl_engine.aws.api_function import ApiFunction

# Once per cold start: a setting that is missing fails here, not on the first event.
function = ApiFunction.from_environment()


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer one request."""
    return function.handle(event, context)
