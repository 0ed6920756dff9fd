"""Requests drawn from the API's own model, right and wrong: no fault of ours, no hang, and nothing half stored."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asl_engine.api.request_model import operations
from asl_engine.errors import RequestError
from asl_engine.interpreter.task_token import TokenClaims, issue
from asl_engine.store.memory import MemoryStore
from asl_engine.store.sqlite import SqliteStore
from tests.api.services import MACHINE, ROLE, Caller, passing, service

MODEL = ServiceModel(Loader().load_service_model("stepfunctions", "service-2"), "stepfunctions")
EXECUTION = MACHINE.replace(":stateMachine:", ":execution:")
ACTIVITY = MACHINE.replace(":stateMachine:", ":activity:")
TEXTS = st.sampled_from(
    [
        "orders",
        MACHINE,
        f"{MACHINE}:1",
        f"{MACHINE}:live",
        f"{MACHINE}:\u00b2",
        f"{MACHINE}:99999999999999999999",
        f"{EXECUTION}:first",
        ACTIVITY,
        f"{ACTIVITY}\ud800",
        f"{EXECUTION}:\ud800",
        f"{MACHINE}\ud800",
        issue("seed", TokenClaims(f"{EXECUTION}:\ud800", "0", 3)),
        issue("seed", TokenClaims(f"{EXECUTION}:first", "0", 3)),
        ROLE,
        json.dumps(passing()),
        "{}",
        "",
        "ü\ud800\x00",
        "x" * 300,
        "first",
        "live",
        "INITIAL",
        "arn:aws:states:::",
        "::::::",
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


def fitting(shape: Any) -> st.SearchStrategy[Any]:
    """Values of a shape's type, within its constraints more often than not."""
    match shape.type_name:
        case "structure":
            required = {name: member_of(shape.members[name]) for name in shape.required_members}
            optional = {name: member_of(shape.members[name]) for name in shape.members if name not in required}
            return st.fixed_dictionaries(required, optional=optional)
        case "list":
            return st.lists(member_of(shape.member), max_size=3)
        case "string":
            return st.sampled_from(shape.enum) if shape.enum else TEXTS
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            return st.integers(-1, 101)
    return st.floats(0, 100)


def member_of(shape: Any) -> st.SearchStrategy[Any]:
    return st.integers(0, 19).flatmap(lambda drawn: ANYTHING if drawn == 0 else fitting(shape))


# GetActivityTask waits, as it should; TestState has tests of its own and may read the models of other services.
OPERATIONS = sorted(operations() - {"GetActivityTask", "TestState"})
REQUESTS = st.sampled_from(OPERATIONS).flatmap(
    lambda operation: st.tuples(st.just(operation), fitting(MODEL.operation_model(operation).input_shape) | ANYTHING)
)


@pytest.mark.parametrize("on_disk", [False, True])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(REQUESTS, max_size=12))
def test_whatever_is_asked_is_answered_and_the_machine_that_was_there_still_works(
    on_disk: bool, requests: list[tuple[str, Any]]
) -> None:
    async def run() -> None:
        caller = Caller(service(SqliteStore(Path(directory) / "store.db") if on_disk else MemoryStore()))
        await caller.create(name="untouched")
        await caller.create(publish=True)
        for operation, request in requests:
            with contextlib.suppress(RequestError):
                json.dumps(await asyncio.wait_for(caller.service.call(operation, request), 20))
        for machine in (await caller("ListStateMachines"))["stateMachines"]:
            assert "definition" in await caller("DescribeStateMachine", stateMachineArn=machine["stateMachineArn"])
        await caller.service.express.close()
        await caller.service.host.close()
        await caller.service.executions.close()

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(run())
