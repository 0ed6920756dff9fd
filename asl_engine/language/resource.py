"""A Task's `Resource`: which service is called, with which action, and how its end is awaited.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-service-integrations.html. Partition, region and account
may be anything, and `${Placeholders}` of a template are taken as they are: whoever mocks a task by its ARN can still
run the file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Final

from asl_engine.errors import InvalidExpression
from asl_engine.language.definition import IntegrationPattern, Resource, ResourceType

PLACEHOLDER: Final = re.compile(r"\$\{[A-Za-z][\w.:-]*\}")

_ANSWER: Final = frozenset({IntegrationPattern.REQUEST_RESPONSE})
_JOB: Final = _ANSWER | {IntegrationPattern.SYNC}
_CALLBACK: Final = _ANSWER | {IntegrationPattern.WAIT_FOR_TASK_TOKEN}

_Actions = Mapping[str, frozenset[IntegrationPattern]]


def _actions(answer: str = "", *, job: str = "", callback: str = "") -> _Actions:
    patterns = dict.fromkeys(answer.split(), _ANSWER)
    patterns |= dict.fromkeys(job.split(), _JOB)
    return patterns | dict.fromkeys(callback.split(), _CALLBACK)


# https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html, by the service's name in the ARN
OPTIMIZED_INTEGRATIONS: Final[Mapping[str, _Actions]] = {
    "apigateway": _actions(callback="invoke"),
    "athena": _actions("stopQueryExecution getQueryExecution getQueryResults", job="startQueryExecution"),
    "batch": {"submitJob": _JOB | _CALLBACK},
    "bedrock": _actions("invokeModel", job="createModelCustomizationJob"),
    "codebuild": _actions(
        "stopBuild stopBuildBatch batchDeleteBuilds batchGetReports deleteBuildBatch",
        job="startBuild startBuildBatch retryBuildBatch",
    ),
    "databrew": _actions(job="startJobRun"),
    "dynamodb": _actions("getItem putItem updateItem deleteItem"),
    "ecs": {"runTask": _JOB | _CALLBACK},
    "eks": _actions(
        "call",
        job="createCluster deleteCluster createNodegroup deleteNodegroup "
        "createFargateProfile deleteFargateProfile runJob",
    ),
    "elasticmapreduce": _actions(
        "setClusterTerminationProtection cancelStep modifyInstanceFleetByName modifyInstanceGroupByName",
        job="createCluster terminateCluster addStep",
    ),
    "emr-containers": _actions("createVirtualCluster", job="deleteVirtualCluster startJobRun"),
    "emr-serverless": _actions(
        job="createApplication startApplication stopApplication deleteApplication startJobRun cancelJobRun"
    ),
    "events": _actions(callback="putEvents"),
    "glue": _actions(job="startJobRun"),
    "http": _actions("invoke"),
    "lambda": _actions(callback="invoke"),
    "mediaconvert": _actions(job="createJob"),
    "sagemaker": _actions(
        "createModel createEndpointConfig createEndpoint updateEndpoint addTags",
        job="createTrainingJob createTransformJob createHyperParameterTuningJob createLabelingJob createProcessingJob",
    ),
    "sns": _actions(callback="publish"),
    "sqs": _actions(callback="sendMessage"),
    "states": {"startExecution": frozenset(IntegrationPattern)},
}
# What the ARN of something else of Step Functions has where a service stands.
_MACHINES: Final = frozenset({"stateMachine", "execution", "express"})


def parse_resource(text: str) -> Resource:
    """Take a Resource apart. Raises InvalidExpression, whose reason says what to write, for what AWS does not know."""
    filled = PLACEHOLDER.sub("placeholder", text) if "${" in text else text
    if (lambda_match := _LAMBDA.fullmatch(filled)) or _ACTIVITY.fullmatch(filled):
        return Resource(arn=text, type=ResourceType.LAMBDA_FUNCTION if lambda_match else ResourceType.ACTIVITY)
    if service := _SERVICE.fullmatch(filled):
        return _service(text, service)
    if PLACEHOLDER.fullmatch(text):
        return Resource(arn=text, type=ResourceType.LAMBDA_FUNCTION)
    raise InvalidExpression(
        text,
        "write the ARN of a Lambda function, of an activity, or arn:aws:states:::service:action",
    )


def _service(text: str, match: re.Match[str]) -> Resource:
    service, action = match["service"], match["action"]
    pattern = _PATTERNS.get(match["pattern"])
    if pattern is None:
        known = ", ".join(suffix for suffix in _PATTERNS if suffix)
        raise InvalidExpression(text, f"after the action, only one of {known} can follow")
    if service.startswith("aws-sdk:"):
        _check_sdk(text, action, pattern)
    elif service == "aws-sdk":
        raise InvalidExpression(text, f"write arn:aws:states:::aws-sdk:{action}:action")
    elif "placeholder" not in service + action:
        _check_optimized(text, service, action, pattern)
    return Resource(arn=text, type=ResourceType.SERVICE, service=service, action=action, pattern=pattern)


def _check_sdk(text: str, action: str, pattern: IntegrationPattern) -> None:
    if pattern in (IntegrationPattern.SYNC, IntegrationPattern.SYNC_2):
        raise InvalidExpression(text, f"AWS SDK integrations have no {pattern}: poll, or use an optimized integration")
    if not action[0].islower():
        raise InvalidExpression(text, f"actions are written in camel case: {action[0].lower()}{action[1:]}")


def _check_optimized(text: str, service: str, action: str, pattern: IntegrationPattern) -> None:
    actions = OPTIMIZED_INTEGRATIONS.get(service)
    if service in _MACHINES:
        raise InvalidExpression(text, "a state machine is started by arn:aws:states:::states:startExecution.sync:2")
    if actions is None:
        raise InvalidExpression(text, _nearest(service, OPTIMIZED_INTEGRATIONS, f"aws-sdk:{service}:{action}"))
    if action not in actions:
        raise InvalidExpression(text, _nearest(action, actions, f"aws-sdk:{service}:{action}"))
    if pattern not in actions[action]:
        known = ", ".join(sorted(suffix for suffix in actions[action] if suffix)) or "no suffix"
        raise InvalidExpression(text, f"{service}:{action} does not support {pattern}; it supports {known}")


def _nearest(name: str, known: Mapping[str, object], sdk: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"there is no optimized integration: use {sdk}"


_ARN = r"arn:[\w-]+:"
_LAMBDA = re.compile(_ARN + r"lambda:[\w-]*:[\w-]*:function:[\w-]+(?::[\w$-]+)?")
_ACTIVITY = re.compile(_ARN + r"states:[\w-]+:\w+:activity:[^\s:]{1,80}")
_SERVICE = re.compile(
    _ARN + r"states:[\w-]*:\w*:(?P<service>(?:aws-sdk:)?[\w-]+):(?P<action>[A-Za-z]\w*)(?P<pattern>\.[\w:.]+)?"
)
_PATTERNS: Mapping[str | None, IntegrationPattern] = {
    None: IntegrationPattern.REQUEST_RESPONSE,
    **{pattern.value: pattern for pattern in IntegrationPattern if pattern},
}
