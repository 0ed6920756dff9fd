"""TestState as the tests of it call it: a request in Python values, the answer with its texts parsed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from asl_engine.api import test_state as action
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.runtime.tasks import TaskPerformer

ROLE = "arn:aws:iam::123456789012:role/tester"
INVOKE = "arn:aws:states:::lambda:invoke"
NOON = 1_767_268_800_000  # 2026-01-01T12:00:00Z

_FACTS = {"errorDetails", "maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage"}


def answer(
    definition: JsonValue,
    *,
    input: JsonValue = None,
    performer: TaskPerformer | None = None,
    texts: dict[str, str] | None = None,
    **request: Any,
) -> dict[str, Any]:
    """What TestState answers, payloads parsed. The level is DEBUG unless one is given; `texts` go out as they are."""
    sent: dict[str, Any] = {"definition": json.dumps(definition), "inspectionLevel": "DEBUG", **request}
    if input is not None:
        sent["input"] = json.dumps(input)
    sent |= texts or {}
    given: Any = asyncio.run(
        action.test_state(sent, performer=performer, now=NOON, region="eu-west-1", account="123456789012")
    )
    if "output" in given:
        given["output"] = json.loads(given["output"])
    inspected = given.get("inspectionData", {})
    for name in inspected.keys() - _FACTS:
        inspected[name] = json.loads(inspected[name])
    return dict(given)


def mocked(result: JsonValue, **mock: str) -> JsonObject:
    """The mock of a result."""
    return {"result": json.dumps(result), **mock}


def failing(error: str, cause: str = "") -> JsonObject:
    """The mock of an error."""
    return {"errorOutput": {"error": error, "cause": cause}}


def each(**fields: JsonValue) -> JsonObject:
    """A Map state over `$.rows`, or in JSONata over the input's rows."""
    items: JsonObject = {"ItemsPath": "$.rows"}
    if fields.get("QueryLanguage") == "JSONata":
        items = {"Items": "{% $states.input.rows %}"}
    processor: JsonObject = {"StartAt": "Row", "States": {"Row": {"Type": "Pass", "End": True}}}
    return {"Type": "Map", **items, "ItemProcessor": processor, "End": True, **fields}


def parallel(*branches: str, **fields: JsonValue) -> JsonObject:
    """A Parallel state of branches that are one Pass state each."""
    written: list[JsonValue] = [{"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}} for name in branches]
    return {"Type": "Parallel", "Branches": written, "End": True, **fields}


def task(resource: str = INVOKE, /, **fields: JsonValue) -> JsonObject:
    """A Task state."""
    return {"Type": "Task", "Resource": resource, "End": True, **fields}
