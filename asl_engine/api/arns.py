"""ARNs of Step Functions: taking them apart, and AWS's words for those that are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from asl_engine.api.names import FORBIDDEN_IN_NAMES
from asl_engine.errors import InvalidArn

_STATE_MACHINE: Final = "stateMachine"
_PARTS: Final = 6


@dataclass(frozen=True, slots=True)
class StateMachineArn:
    """`unqualified` names the state machine, `qualifier` a version's number or an alias."""

    text: str
    unqualified: str
    qualifier: str | None

    @property
    def name(self) -> str:
        """The state machine's name."""
        return self.unqualified.rpartition(":")[2]

    @property
    def version(self) -> int | None:
        """The number of the version that the qualifier names."""
        is_number = self.qualifier is not None and self.qualifier.isascii() and self.qualifier.isdigit()
        return int(self.qualifier or "") if is_number else None


def read_state_machine_arn(arn: str) -> StateMachineArn:
    """Take a state machine's ARN apart, qualified or not. Raises InvalidArn."""
    name = _resource(arn, _STATE_MACHINE)
    if len(name) == 1:
        return StateMachineArn(arn, arn, None)
    return StateMachineArn(arn, arn.rpartition(":")[0], name[1])


def without_test_case(arn: str) -> tuple[str, str | None]:
    """The ARN of `ARN#test-case`, as it is written for Step Functions Local, and the test case."""
    text, mark, test_case = arn.partition("#")
    return text, test_case if mark else None


def check_execution_arn(arn: str) -> None:
    """Raises InvalidArn unless it is the ARN of an execution. Of Express ones nothing can be asked."""
    _resource(arn, "execution")


def check_map_run_arn(arn: str) -> None:
    """Raises InvalidArn. A Map Run is named `machine/label`, and an id."""
    _resource(arn.replace("/", ":", 1), "mapRun", names_max=3)


def check_activity_arn(arn: str) -> None:
    """Raises InvalidArn."""
    _resource(arn, "activity", names_max=1)


def resource_type(arn: str) -> str:
    """The kind of thing that an ARN names. Raises InvalidArn."""
    parts = _parts(arn)
    return parts[5]


def check_role_arn(arn: str) -> None:
    """Raises InvalidArn."""
    parts = arn.split(":", 5)
    if len(parts) < _PARTS or parts[0] != "arn" or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise InvalidArn(f"Invalid Role Arn: '{arn}'")


def _resource(arn: str, *types: str, names_max: int = 2) -> list[str]:
    parts = _parts(arn)
    if parts[5] not in types:
        raise InvalidArn(f"Invalid Arn: 'Resource type not valid in this context: {parts[5]}'")
    names = parts[6:]
    if not 1 <= len(names) <= names_max or not all(names):
        raise InvalidArn(f"Invalid Arn: 'Invalid resource name: {arn}'")
    return names


def _parts(arn: str) -> list[str]:
    if not arn.startswith("arn:"):
        raise InvalidArn(f"Invalid Arn: 'Invalid ARN prefix: {arn}'")
    parts = arn.split(":")
    if len(parts) <= _PARTS or any(map(FORBIDDEN_IN_NAMES.search, parts)):
        raise InvalidArn(f"Invalid Arn: 'Invalid ARN: {arn}'")
    if parts[2] != "states":
        raise InvalidArn(f"Invalid Arn: 'Service name not valid in this context: {parts[2]}'")
    return parts
