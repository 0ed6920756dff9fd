"""Which revision of a state machine an execution is started with: the newest, a version's, or by an alias's weights."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asl_engine.api.arns import StateMachineArn, read_state_machine_arn
from asl_engine.api.machines import ALIAS, check_active, does_not_exist, find_machine, version_named
from asl_engine.api.service import StepFunctions


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


async def route_to(service: StepFunctions, state_machine_arn: str) -> Route:
    """The route of a start. Raises InvalidArn, StateMachineDoesNotExist or StateMachineDeleting."""
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
    )


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
