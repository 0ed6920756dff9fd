"""TestState: run one state by itself, its work mocked or real, and answer what became of it.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from asl_engine.api.testing_state.context import Identity
from asl_engine.api.testing_state.inspection import Inspection
from asl_engine.api.testing_state.request import InspectionLevel, read_request
from asl_engine.api.testing_state.trial import Trial
from asl_engine.api.testing_state.verdict import Verdict
from asl_engine.json_value import JsonObject, dump_json
from asl_engine.runtime.tasks import TaskPerformer


async def test_state(
    request: Mapping[str, Any], *, performer: TaskPerformer | None, now: int, region: str, account: str
) -> JsonObject:
    """The answer to a TestState request, both as on the wire. `now` is epoch milliseconds; a Wait takes no time.

    Raises InvalidStateMachineDefinition, InvalidExecutionInput or ValidationException.
    """
    # Reading may load the model of an AWS service, which takes up to half a second.
    test = await asyncio.to_thread(read_request, request)
    name = str(uuid4())
    identity = Identity(
        region=region, account=account, state_machine_name=name, execution_name=str(uuid4()), execution_id=str(uuid4())
    )
    trial = Trial(test, identity, now)
    verdict = await trial.run(performer)
    answer = _answer(verdict)
    if test.inspection_level is not InspectionLevel.INFO:
        answer["inspectionData"] = _inspection_data(trial.inspection, verdict)
    return answer


def _answer(verdict: Verdict) -> JsonObject:
    answer: JsonObject = {"status": verdict.status.value}
    if verdict.error is not None:
        answer |= verdict.error.details()
    if verdict.departure is not None:
        answer["output"] = dump_json(verdict.departure.output)
        if verdict.departure.next_state is not None:
            answer["nextState"] = verdict.departure.next_state
    return answer


def _inspection_data(inspection: Inspection, verdict: Verdict) -> JsonObject:
    if verdict.variables:
        inspection.payloads["variables"] = verdict.variables
    return inspection.render()
