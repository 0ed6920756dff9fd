"""Which operation of which service a Task's Resource is: the one list of what is integrated besides Lambda and jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from asl_engine.integrations import athena, batch, sagemaker
from asl_engine.integrations.aws_errors import ErrorNames, OptimizedNames, SdkNames
from asl_engine.integrations.aws_session import service_model
from asl_engine.integrations.aws_values import Moments
from asl_engine.language.definition import IntegrationPattern, Resource
from asl_engine.language.diagnostics import did_you_mean
from asl_engine.language.sdk_services import BOTOCORE_NAMES

_SDK: Final = "aws-sdk:"
_ANSWERED: Final = frozenset({IntegrationPattern.REQUEST_RESPONSE, IntegrationPattern.WAIT_FOR_TASK_TOKEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation of a service, by botocore's name, and how its answers and errors are shown."""

    service: str
    action: str
    names: ErrorNames
    moments: Moments
    has_metadata: bool

    def model(self) -> Any:
        """botocore's model of it; None if the service has no such operation."""
        names = {name.lower(): name for name in service_model(self.service).operation_names}
        name = names.get(self.action.lower())
        return None if name is None else service_model(self.service).operation_model(name)


def operation_of(resource: Resource) -> Operation | None:
    """The operation that a Resource calls and does not wait for; None for what is not integrated so."""
    if resource.pattern not in _ANSWERED:
        return None
    if resource.service.startswith(_SDK):
        name = resource.service.removeprefix(_SDK)
        service = botocore_name(name)
        if service is None or service in _NOT_THROUGH_THE_SDK:
            return None
        return Operation(
            service=service, action=resource.action, names=SdkNames(), moments=Moments.TEXT, has_metadata=False
        )
    optimized = _OPTIMIZED.get(resource.service)
    if optimized is None:
        return None
    service, names, actions = optimized
    if resource.action not in actions.split():
        return None
    return Operation(
        service=service, action=resource.action, names=names, moments=Moments.MILLISECONDS, has_metadata=True
    )


@lru_cache(512)
def botocore_name(java_name: str) -> str | None:
    """botocore's name of a service that Resources name as the AWS SDK for Java does: `logs` for `cloudwatchlogs`."""
    return BOTOCORE_NAMES.get(java_name) or _without_hyphens().get(java_name.replace("-", ""))


def sdk_problem(service: str, action: str) -> tuple[str, str] | None:
    """What is wrong with `aws-sdk:SERVICE:ACTION`, and what to write; None if nothing is, or no SDK is installed."""
    others = {java_name: name for java_name, name in _without_hyphens().items() if name not in BOTOCORE_NAMES.values()}
    if not others:
        return None
    java_names = {**BOTOCORE_NAMES, **others}
    name = botocore_name(service)
    if service not in java_names:
        meant = [java_name for java_name, same in java_names.items() if same == name]
        hint = f'AWS calls it "{meant[0]}" here' if meant else did_you_mean(service, java_names)
        return f'the installed AWS SDK has no service "{service}"', hint
    actions = [name[0].lower() + name[1:] for name in service_model(java_names[service]).operation_names]
    if action.lower() in map(str.lower, actions):
        return None
    return f'the installed AWS SDK has no action "{action}" of {service}', did_you_mean(action, actions)


@cache
def _without_hyphens() -> Mapping[str, str]:
    """botocore's names of all services by those without hyphens; none if it is not installed."""
    import importlib.util

    if importlib.util.find_spec("botocore") is None:
        return {}
    from botocore.loaders import Loader

    return {name.replace("-", ""): name for name in Loader().list_available_services("service-2")}


# Operations of this engine itself are not another account's: see `api.nested_executions`.
_NOT_THROUGH_THE_SDK: Final = frozenset({"stepfunctions"})

# By the service's name in the ARN: botocore's name, the names of its errors, the actions that are answered at once.
# https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
_OPTIMIZED: Final[Mapping[str, tuple[str, ErrorNames, str]]] = {
    "athena": (
        "athena",
        athena.NAMES,
        "startQueryExecution stopQueryExecution getQueryExecution getQueryResults",
    ),
    "batch": ("batch", batch.NAMES, "submitJob"),
    "dynamodb": (
        "dynamodb",
        OptimizedNames(prefix="DynamoDB", service="AmazonDynamoDBv2", base="AmazonDynamoDBException"),
        "getItem putItem updateItem deleteItem",
    ),
    "ecs": ("ecs", OptimizedNames(prefix="ECS", service="AmazonECS", base="AmazonECSException"), "runTask"),
    "events": (
        "events",
        OptimizedNames(prefix="EventBridge", service="AmazonEventBridge", base="AmazonEventBridgeException"),
        "putEvents",
    ),
    "glue": ("glue", OptimizedNames(prefix="Glue", service="AWSGlue", base="AWSGlueException"), "startJobRun"),
    "sagemaker": (
        "sagemaker",
        sagemaker.NAMES,
        """
        createTrainingJob createTransformJob createProcessingJob createHyperParameterTuningJob createLabelingJob
        createModel createEndpointConfig createEndpoint updateEndpoint addTags
        """,
    ),
    "sns": ("sns", OptimizedNames(prefix="SNS", service="AmazonSNS", base="AmazonSNSException"), "publish"),
    "sqs": ("sqs", OptimizedNames(prefix="SQS", service="AmazonSQS", base="AmazonSQSException"), "sendMessage"),
}
