"""The IAM policy that definitions need of the engine's role: no more than they name, each statement with its reason."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from asl_engine.deploy.arguments import Arguments
from asl_engine.deploy.service_grants import Grant, grants, invoke
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import Resource, ResourceType
from asl_engine.language.resource import parse_resource

# ItemReader and ResultWriter of a distributed Map name S3 as if it were an optimized integration.
_DESCRIBES_A_JOB: Final = re.compile(r"(batch|sagemaker):Describe\w*Jobs?|athena:GetQueryExecution")
_S3: Final = re.compile(r"arn:[\w-]+:states:::s3:(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of the policy, and why it is there."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str
    passed_to: str = ""

    def document(self) -> JsonObject:
        """The statement as IAM takes it."""
        statement: JsonObject = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": [*self.actions],
            "Resource": [*self.resources],
        }
        if self.passed_to:
            statement["Condition"] = {"StringEquals": {"iam:PassedToService": self.passed_to}}
        return statement


def task_permissions(definitions: Mapping[str, JsonObject]) -> tuple[Statement, ...]:
    """What the tasks of definitions, by their machines' names, take. They must be valid."""
    needed: dict[tuple[tuple[str, ...], str], list[tuple[Grant, str]]] = defaultdict(list)
    for machine, definition in sorted(definitions.items()):
        for place, grant in _grants_of(definition):
            needed[grant.actions, grant.passed_to].append((grant, f"{machine}/{place}"))
    return tuple(_merged(each) for _, each in sorted(needed.items()))


def job_event_permissions(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The part that the function `job_events` needs: an event only says which job ended, its description how."""
    return tuple(
        statement for statement in statements if all(_DESCRIBES_A_JOB.fullmatch(action) for action in statement.actions)
    )


def policy_document(statements: Sequence[Statement]) -> JsonObject:
    """The policy as IAM takes it."""
    return {"Version": "2012-10-17", "Statement": [statement.document() for statement in statements]}


def _merged(needed: Sequence[tuple[Grant, str]]) -> Statement:
    first = needed[0][0]
    resources = {resource for grant, _ in needed for resource in grant.resources}
    remarks = sorted({grant.remark for grant, _ in needed if grant.remark})
    users = ", ".join(sorted({place for _, place in needed}))
    return Statement(
        sid=_sid(first),
        actions=first.actions,
        resources=("*",) if "*" in resources else tuple(sorted(resources)),
        reason="; ".join([f"used by {users}", *remarks]),
        passed_to=first.passed_to,
    )


def _sid(grant: Grant) -> str:
    """Named for what it allows: `LambdaInvokeFunction`. Statements that begin alike differ in the number of actions."""
    words = re.split(r"\W+", f"{grant.actions[0]} {grant.passed_to.partition('.')[0]}")
    count = str(len(grant.actions)) if len(grant.actions) > 1 else ""
    return "".join(word[:1].upper() + word[1:] for word in words if word) + count


def _grants_of(branch: Mapping[str, JsonValue]) -> Iterator[tuple[str, Grant]]:
    states = branch.get("States")
    for name, state in states.items() if isinstance(states, dict) else ():
        if isinstance(state, dict):
            yield from ((name, grant) for grant in _state_grants(state))
            for inner in _branches(state):
                yield from _grants_of(inner)


def _branches(state: JsonObject) -> Iterator[JsonObject]:
    parallel = state.get("Branches")
    branches = parallel if isinstance(parallel, list) else []
    for branch in (*branches, state.get("ItemProcessor"), state.get("Iterator")):
        if isinstance(branch, dict):
            yield branch


def _state_grants(state: JsonObject) -> Iterator[Grant]:
    if state.get("Type") == "Task":
        if "Credentials" in state:  # the call is made by that role, not by the engine's
            yield from _assumed_role(state)
        else:
            yield from _resource_grants(parse_resource(str(state["Resource"])), Arguments.of(state))
    for field, extra in (("ItemReader", ()), ("ResultWriter", ("s3:AbortMultipartUpload", "s3:GetObject"))):
        reader = state.get(field)
        if isinstance(reader, dict) and (found := _S3.fullmatch(str(reader.get("Resource", "")))):
            arguments = Arguments.of(reader)
            # The key of a result is below the prefix that the definition gives.
            everything = Arguments({name: value for name, value in arguments.values.items() if name != "Key"})
            yield from grants("aws-sdk:s3", found[1], everything if extra else arguments)
            if extra:
                yield Grant(actions=extra, resources=(everything.s3_object(),))


def _resource_grants(resource: Resource, arguments: Arguments) -> Iterator[Grant]:
    match resource.type:
        case ResourceType.LAMBDA_FUNCTION:
            yield invoke(resource.arn)
        case ResourceType.SERVICE:
            yield from grants(resource.service, resource.action, arguments)
        case ResourceType.ACTIVITY:
            return  # workers ask the engine for work; it calls nobody


def _assumed_role(state: JsonObject) -> Iterator[Grant]:
    credentials = state.get("Credentials")
    if isinstance(credentials, dict):
        yield Grant(actions=("sts:AssumeRole",), resources=(Arguments(credentials).named("RoleArn", "iam", "role/"),))
