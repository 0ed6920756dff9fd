"""ValidateStateMachineDefinition, TestState."""

from __future__ import annotations

from asl_engine.api.diagnostics import shown_diagnostic, told_by_aws
from asl_engine.api.service import Answer, Request, StepFunctions
from asl_engine.language.diagnostics import Severity
from asl_engine.language.parser import parse_definition

DIAGNOSTICS_MAX = (
    100  # https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
)


async def validate_state_machine_definition(_service: StepFunctions, request: Request) -> Answer:
    """ValidateStateMachineDefinition. Warnings are told only when the caller's `severity` is WARNING."""
    parsed = parse_definition(request["definition"], express=request.get("type") == "EXPRESS", any_resource=False)
    found = told_by_aws(parsed.diagnostics)
    errors = tuple(diagnostic for diagnostic in found if diagnostic.severity is Severity.ERROR)
    told = found if request.get("severity") == "WARNING" else errors
    most = request.get("maxResults") or DIAGNOSTICS_MAX
    return {
        "result": "FAIL" if errors else "OK",
        "diagnostics": [shown_diagnostic(diagnostic, request["definition"]) for diagnostic in told[:most]],
        "truncated": len(told) > most,
    }


async def test_state(service: StepFunctions, request: Request) -> Answer:
    """TestState."""
    from asl_engine.api import test_state as trying

    return await trying.test_state(
        dict(request),
        performer=service.performer,
        now=service.clock.now(),
        region=service.region,
        account=service.account,
    )
