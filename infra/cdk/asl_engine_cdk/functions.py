"""The functions, each with a role and a log group of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from asl_engine_cdk.policies import policy
from asl_engine_cdk.settings import Settings


@dataclass(frozen=True, slots=True)
class FunctionShape:
    """What a function gets unless the settings say otherwise."""

    memory_mb: int
    timeout_seconds: int
    description: str


# Slack waits 3 seconds for an answer, a cold start included: `approvals` gets the processor that comes with memory.
SHAPES: Final[Mapping[str, FunctionShape]] = {
    "api": FunctionShape(512, 30, "Answers the Step Functions API"),
    "approvals": FunctionShape(1024, 30, "Shows approval pages and takes decisions"),
    "definitions": FunctionShape(256, 120, "Publishes definitions when the deployment changes"),
    "engine": FunctionShape(512, 900, "Advances executions and performs their tasks"),
    "job_events": FunctionShape(256, 60, "Turns events of Athena, Batch and SageMaker into events of executions"),
    "notifier": FunctionShape(256, 60, "Asks people for approval"),
    "sweeper": FunctionShape(512, 300, "Finds executions that nothing would move on"),
}
_TALK_TO_PEOPLE: Final = frozenset({"approvals", "notifier"})


def function_name(settings: Settings, function: str) -> str:
    """The name of a function in AWS."""
    return f"{settings.name}-{function.replace('_', '-')}"


def function_arn(settings: Settings, function: str) -> str:
    """The ARN of a function, for policies that are made before the function is."""
    return f"arn:{Aws.PARTITION}:lambda:{Aws.REGION}:{Aws.ACCOUNT_ID}:function:{function_name(settings, function)}"


class EngineFunction(Construct):
    """One function. `grants` fills the placeholders of its policy."""

    def __init__(
        self,
        scope: Construct,
        function: str,
        settings: Settings,
        *,
        grants: Mapping[str, str],
        environment: Mapping[str, str],
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, "".join(word.title() for word in function.split("_")))
        name, shape = function_name(settings, function), SHAPES[function]
        self.log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{name}",
            retention=_retention(settings.log_retention_days),
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        values = {**grants, "log_group_arn": self._log_group_arn(name)}
        self.role = iam.Role(
            self,
            "Role",
            role_name=name,
            description=f"What the function {name} may do",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                "own": policy(function, values),
                **{optional: policy(f"optional/{optional}", values) for optional in _optional(function, settings)},
            },
        )
        timeout = settings.engine_timeout_seconds if function == "engine" else shape.timeout_seconds
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=shape.description,
            # What the function may do is in its policy file; CDK adds nothing to it.
            role=self.role.without_policy_updates(),
            handler=f"lambdas.{function}.handler.handle",
            runtime=lambda_.Runtime(settings.runtime, lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.custom(settings.architecture),
            code=lambda_.Code.from_asset(f"{settings.packages_directory}/{function}.zip"),
            timeout=Duration.seconds(timeout),
            memory_size=settings.memory_mb.get(function, shape.memory_mb),
            reserved_concurrent_executions=settings.reserved_concurrency.get(function),
            environment=dict(environment),
            tracing=lambda_.Tracing.ACTIVE if settings.tracing else lambda_.Tracing.PASS_THROUGH,
            # A workflow goes round through the queue as often as it has steps; the engine bounds its own loops.
            recursive_loop=lambda_.RecursiveLoop.ALLOW,
            logging_format=lambda_.LoggingFormat.TEXT,
            log_group=self.log_group,
        )

    def _log_group_arn(self, name: str) -> str:
        return f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:/aws/lambda/{name}"


def _optional(function: str, settings: Settings) -> list[str]:
    wanted = {
        "encryption": settings.kms_key_arn is not None,
        "mail": settings.mail_from is not None and function == "notifier",
        "slack": settings.slack and function in _TALK_TO_PEOPLE,
        "webhooks": settings.webhooks and function == "notifier",
        "tracing": settings.tracing,
    }
    return [name for name, is_wanted in wanted.items() if is_wanted]


def _retention(days: int) -> logs.RetentionDays:
    """CDK knows the days that CloudWatch accepts by name. Raises ValueError."""
    known = {1: "ONE_DAY", 3: "THREE_DAYS", 5: "FIVE_DAYS", 7: "ONE_WEEK", 14: "TWO_WEEKS", 30: "ONE_MONTH"}
    known |= {60: "TWO_MONTHS", 90: "THREE_MONTHS", 180: "SIX_MONTHS", 365: "ONE_YEAR"}
    if days not in known:
        raise ValueError(f"log_retention_days is {days}, and CloudWatch keeps logs for one of {sorted(known)} days")
    return logs.RetentionDays[known[days]]
