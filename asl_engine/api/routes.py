"""Which revision of a state machine an execution is started with: the newest, a version's, or by an alias's weights."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asl_engine.api.arns import StateMachineArn, read_state_machine_arn, without_test_case
from asl_engine.api.machines import ALIAS, check_active, does_not_exist, find_machine, version_named
from asl_engine.api.service import StepFunctions
from asl_engine.errors import InvalidArn, TasksFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a start leads to."""

    machine_arn: str
    revision: str
    definition: str
    role_arn: str
    is_express: bool
    version_arn: str | None = None
    alias_arn: str | None = None
    test_case: str | None = None


async def route_to(service: StepFunctions, state_machine_arn: str) -> Route:
    """The route of a start. Raises InvalidArn, StateMachineDoesNotExist or StateMachineDeleting.

    Where mocks have test cases, the name of one may follow the ARN, as in Step Functions Local.
    """
    test_case = None
    if service.test_cases is not None:
        state_machine_arn, test_case = without_test_case(state_machine_arn)
    arn = read_state_machine_arn(state_machine_arn)
    machine = await find_machine(service, arn.unqualified)
    if machine is None:
        raise does_not_exist(arn.text)
    check_active(machine)
    version_arn, alias_arn = await _qualified(service, arn)
    revision = machine.document["revision"]
    if version_arn is not None:
        revision = (await version_named(service, version_arn)).document["revision"]
    return Route(
        machine_arn=arn.unqualified,
        revision=revision["id"],
        definition=revision["definition"],
        role_arn=revision["roleArn"],
        is_express=revision["type"] == "EXPRESS",
        version_arn=version_arn,
        alias_arn=alias_arn,
        test_case=test_case,
    )


def choose_test_case(service: StepFunctions, route: Route, execution_arn: str) -> None:
    """Mock an execution that is about to start by the test case that its route names. Raises InvalidArn."""
    if service.test_cases is None or route.test_case is None:
        return
    try:
        service.test_cases.choose(execution_arn, route.machine_arn.rpartition(":")[2], route.test_case)
    except TasksFileError as error:
        raise InvalidArn(f"Invalid Arn: '{error}'") from error


def choose(routes: Sequence[dict[str, Any]], draw: int) -> str:
    """The version that a draw from 0 to 99 falls on, by the weights of the routes."""
    for route in routes:
        draw -= route["weight"]
        if draw < 0:
            break
    return str(route["stateMachineVersionArn"])


async def _qualified(service: StepFunctions, arn: StateMachineArn) -> tuple[str | None, str | None]:
    """The ARNs of the version and of the alias that a start goes through."""
    if arn.qualifier is None:
        return None, None
    if arn.version is not None:
        return arn.text, None
    alias = await service.resources.get(ALIAS, arn.text)
    if alias is None:
        raise does_not_exist(arn.text)
    return choose(alias.document["routingConfiguration"], secrets.randbelow(100)), arn.text
