"""AslStateMachine: a definition file, validated when the template is synthesized and published when it is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aws_cdk import Aws, CfnOutput, CustomResource
from aws_cdk import aws_iam as iam
from constructs import Construct

from asl_engine.cli.definitions import load_machine
from asl_engine.cli.wiring import machine_name
from asl_engine.deploy.permissions import Statement, job_event_permissions, task_permissions
from asl_engine.deploy.placeholders import OWN, filled, placeholders
from asl_engine_cdk.engine import AslEngine

# The event that carries the definition to the function may hold 256 KB, escaped and with the rest of the properties.
_DEFINITION_BYTES_MAX: Final = 200_000


class AslStateMachine(Construct):
    """A state machine on an engine. `state_machine_arn` is that of its alias: start executions with it.

    `definition_substitutions` replace `${Placeholders}` of the definition. Raises InvalidDefinition with everything
    that is wrong with the file, and ValueError for a placeholder without a value.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        engine: AslEngine,
        definition_file: str | Path,
        state_machine_name: str | None = None,
        definition_substitutions: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id_)
        file = Path(definition_file)
        self.name = state_machine_name or machine_name(file)
        text = file.read_text(encoding="utf-8")
        values = {**_own_values(engine), **(definition_substitutions or {})}
        _check(file, text, values)
        needed = task_permissions({self.name: load_machine(file).definition})
        policies = [
            # Express executions run inside `api`.
            self._task_policy("ExpressTasks", engine.functions["api"].role, needed, values),
            self._task_policy("Tasks", engine.functions["engine"].role, needed, values),
            self._task_policy("JobEvents", engine.functions["job_events"].role, job_event_permissions(needed), values),
        ]
        resource = CustomResource(
            self,
            "Published",
            resource_type="Custom::AslStateMachine",
            service_token=engine.functions["definitions"].function.function_arn,
            properties={
                "name": self.name,
                "type": "STANDARD",
                "definition": text,
                "substitutions": values,
                "alias": engine.settings.alias,
                "roleArn": engine.functions["engine"].role.role_arn,
            },
        )
        resource.node.add_dependency(engine.functions["api"], engine.event_source)
        resource.node.add_dependency(*(policy for policy in policies if policy is not None))
        self.state_machine_arn = resource.get_att_string("aliasArn")
        CfnOutput(self, "Arn", value=self.state_machine_arn)

    def _task_policy(
        self, id_: str, role: iam.Role, statements: tuple[Statement, ...], values: Mapping[str, str]
    ) -> iam.Policy | None:
        """What `asl permissions` prints for the file, or a part of it, on a role."""
        if not statements:
            return None
        return iam.Policy(
            self,
            id_,
            policy_name=f"tasks-{self.name}",
            roles=[role],
            statements=[
                iam.PolicyStatement(
                    sid=statement.sid,
                    actions=list(statement.actions),
                    resources=[filled(resource, values) for resource in statement.resources],
                    conditions=(
                        {"StringEquals": {"iam:PassedToService": statement.passed_to}} if statement.passed_to else None
                    ),
                )
                for statement in statements
            ],
        )


def _own_values(engine: AslEngine) -> dict[str, str]:
    values = {"AWS::AccountId": Aws.ACCOUNT_ID, "AWS::Partition": Aws.PARTITION, "AWS::Region": Aws.REGION}
    return {**values, "AslEngineName": engine.settings.name}


def _check(file: Path, text: str, values: Mapping[str, str]) -> None:
    missing = placeholders(text) - OWN - set(values)
    if missing:
        raise ValueError(f"{file}: definition_substitutions has no value for {', '.join(sorted(missing))}")
    size = len(text.encode())
    if size > _DEFINITION_BYTES_MAX:
        raise ValueError(
            f"{file} has {size:,} bytes, and CloudFormation carries {_DEFINITION_BYTES_MAX:,}: deploy it with Terraform"
        )
