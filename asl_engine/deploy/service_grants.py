"""What calling a service takes: IAM actions and resources for each integration.

Where IAM knows no resources for an action, "*" is the only one there is; the reason says so. Sources:
https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from asl_engine.deploy.arguments import Arguments, arn

Rule = Callable[[Arguments], Iterator["Grant"]]
_NO_RESOURCES: Final = "IAM knows no resources for this action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Actions on resources. `passed_to` is the service that iam:PassRole may hand the role to."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    remark: str = ""
    passed_to: str = ""


def grants(service: str, action: str, arguments: Arguments) -> Iterator[Grant]:
    """What a call takes. `service` is as in a Resource: "batch", or "aws-sdk:s3"."""
    name = service.removeprefix("aws-sdk:")
    rule = _RULES.get(f"{name}:{action}") or _RULES.get(name)
    if rule is not None and not (name == "states" and service != name):
        yield from rule(arguments)
    elif (f"{name}:{action}" in _PERFORMED_BY_THE_ENGINE) and service == name:
        return
    else:
        yield _sdk_call(name, action, arguments)


def invoke(function_arn: str) -> Grant:
    """The invocation of a Lambda function."""
    return Grant(actions=("lambda:InvokeFunction",), resources=(function_arn,))


def _invoke(arguments: Arguments) -> Iterator[Grant]:
    function = arguments.named("FunctionName", "lambda", "function:")
    qualifier = arguments.literal("Qualifier")
    if arguments.gives("Qualifier") and not function.endswith("*"):
        function = f"{function}:{qualifier or '*'}"
    yield invoke(function)


def _submit_job(arguments: Arguments) -> Iterator[Grant]:
    definition = arguments.named("JobDefinition", "batch", "job-definition/")
    revision = definition.rpartition("/")[2]
    definitions = (definition,) if ":" in revision or definition.endswith("*") else (definition, f"{definition}:*")
    queue = arguments.named("JobQueue", "batch", "job-queue/")
    yield Grant(actions=("batch:SubmitJob",), resources=(*definitions, queue))
    yield Grant(actions=("batch:TagResource", "batch:TerminateJob"), resources=(arn("batch", "job/*"),))
    for action in ("batch:DescribeJobs", "batch:ListJobs"):
        yield Grant(actions=(action,), resources=("*",), remark=_NO_RESOURCES)


def _sagemaker_job(kind: str, name: str, resource: str, arguments: Arguments) -> Iterator[Grant]:
    jobs = (_sagemaker(name, resource, arguments),)
    yield Grant(
        actions=(f"sagemaker:Create{kind}", f"sagemaker:Stop{kind}", "sagemaker:AddTags", "sagemaker:ListTags"),
        resources=jobs,
    )
    yield Grant(actions=(f"sagemaker:Describe{kind}",), resources=jobs)
    if kind != "TransformJob":
        yield _pass_role(arguments if kind != "HyperParameterTuningJob" else arguments.below("TrainingJobDefinition"))


def _create_model(arguments: Arguments) -> Iterator[Grant]:
    yield _sagemaker_create("Model", _sagemaker("ModelName", "model", arguments))
    yield _pass_role(arguments, "ExecutionRoleArn")


def _create_endpoint_config(arguments: Arguments) -> Iterator[Grant]:
    yield _sagemaker_create("EndpointConfig", _sagemaker("EndpointConfigName", "endpoint-config", arguments))


def _create_endpoint(arguments: Arguments) -> Iterator[Grant]:
    yield _sagemaker_create("Endpoint", *_endpoint_and_config(arguments))


def _update_endpoint(arguments: Arguments) -> Iterator[Grant]:
    actions = ("sagemaker:UpdateEndpoint", "sagemaker:DescribeEndpoint")
    yield Grant(actions=actions, resources=_endpoint_and_config(arguments))


def _endpoint_and_config(arguments: Arguments) -> tuple[str, str]:
    config = _sagemaker("EndpointConfigName", "endpoint-config", arguments)
    return _sagemaker("EndpointName", "endpoint", arguments), config


def _sagemaker_create(noun: str, *resources: str) -> Grant:
    """What is there already is described, and its tags tell whether this attempt created it."""
    actions = (f"Create{noun}", f"Describe{noun}", "AddTags", "ListTags")
    return Grant(actions=tuple(f"sagemaker:{action}" for action in actions), resources=resources)


def _sagemaker(name: str, resource: str, arguments: Arguments) -> str:
    """SageMaker writes names in lower case in its ARNs."""
    literal = arguments.literal(name)
    if literal is None or "${" in literal:
        return arn("sagemaker", f"{resource}/{literal or '*'}")
    return arn("sagemaker", f"{resource}/{literal.lower()}")


def _pass_role(arguments: Arguments, name: str = "RoleArn", service: str = "sagemaker") -> Grant:
    role = arguments.literal(name)
    return Grant(
        actions=("iam:PassRole",),
        resources=(role or arn("iam", "role/*"),),
        remark="" if role else f"the definition computes {name}",
        passed_to=f"{service}.amazonaws.com",
    )


def _publish(arguments: Arguments) -> Iterator[Grant]:
    if arguments.gives("PhoneNumber"):
        yield Grant(actions=("sns:Publish",), resources=("*",), remark="a phone number is no resource")
    else:
        target = "TargetArn" if arguments.gives("TargetArn") else "TopicArn"
        yield Grant(actions=("sns:Publish",), resources=(arguments.named(target, "sns", ""),))


def _send_message(arguments: Arguments) -> Iterator[Grant]:
    yield Grant(actions=("sqs:SendMessage",), resources=(arguments.queue(),))


def _put_events(arguments: Arguments) -> Iterator[Grant]:
    buses = {
        entry.named("EventBusName", "events", "event-bus/")
        if entry.gives("EventBusName")
        else arn("events", "event-bus/default")
        for entry in arguments.entries("Entries")
    }
    yield Grant(actions=("events:PutEvents",), resources=tuple(sorted(buses)) or (arn("events", "event-bus/*"),))


def _start_job_run(arguments: Arguments) -> Iterator[Grant]:
    yield Grant(
        actions=("glue:BatchStopJobRun", "glue:GetJobRun", "glue:StartJobRun"),
        resources=(arguments.named("JobName", "glue", "job/"),),
    )


def _run_task(arguments: Arguments) -> Iterator[Grant]:
    yield Grant(actions=("ecs:RunTask",), resources=(arguments.named("TaskDefinition", "ecs", "task-definition/"),))
    yield Grant(actions=("ecs:DescribeTasks", "ecs:StopTask"), resources=(arn("ecs", "task/*"),))
    yield _pass_role(arguments, "ExecutionRoleArn", "ecs-tasks")


def _query(arguments: Arguments) -> Iterator[Grant]:
    group = arguments.named("WorkGroup", "athena", "workgroup/")
    yield Grant(actions=("athena:StartQueryExecution", "athena:StopQueryExecution"), resources=(group,))
    yield Grant(actions=("athena:GetQueryExecution",), resources=(group,))


def _invoke_model(arguments: Arguments) -> Iterator[Grant]:
    model = arguments.literal("ModelId") or "*"
    own = model.startswith("arn:")
    resource = model if own else f"arn:${{AWS::Partition}}:bedrock:${{AWS::Region}}::foundation-model/{model}"
    yield Grant(actions=("bedrock:InvokeModel",), resources=(resource,))


def _invoke_api(arguments: Arguments) -> Iterator[Grant]:
    api = (arguments.literal("ApiEndpoint") or "*").partition(".")[0]
    method, path = arguments.literal("Method") or "*", (arguments.literal("Path") or "*").lstrip("/")
    place = f"{api}/{arguments.literal('Stage') or '*'}/{method}/{path}"
    yield Grant(actions=("execute-api:Invoke",), resources=(arn("execute-api", place),))


def _invoke_endpoint(arguments: Arguments) -> Iterator[Grant]:
    connection = arguments.below("Authentication").named("ConnectionArn", "events", "connection/")
    yield Grant(actions=("events:RetrieveConnectionCredentials",), resources=(connection,))


def _s3(actions: tuple[str, ...], arguments: Arguments) -> Iterator[Grant]:
    yield Grant(actions=actions, resources=(arguments.s3_object(),))


def _s3_list(arguments: Arguments) -> Iterator[Grant]:
    yield Grant(actions=("s3:ListBucket",), resources=(arguments.named("Bucket", "s3", ""),))


def _sdk_call(service: str, action: str, arguments: Arguments) -> Grant:
    """A call without a rule of its own: narrowed by a table of names, or by any ARN among the arguments."""
    call = f"{_IAM_PREFIXES.get(service, service)}:{action[0].upper()}{action[1:]}"
    if service in _NAMED_BY:
        argument, arn_service, prefix = _NAMED_BY[service]
        if arguments.gives(argument):
            return Grant(actions=(call,), resources=(arguments.named(argument, arn_service, prefix),))
    arns = sorted(
        value for name, value in arguments.values.items() if isinstance(value, str) and name.lower().endswith("arn")
    )
    if arns and all(value.startswith(("arn:", "${")) for value in arns):
        return Grant(actions=(call,), resources=tuple(arns))
    return Grant(actions=(call,), resources=("*",), remark="the definition names no resource: narrow it if IAM can")


# The engine runs nested executions itself, and signs HTTP calls with the credentials of their connection.
_PERFORMED_BY_THE_ENGINE: Final = frozenset({"states:startExecution"})

_IAM_PREFIXES: Final[Mapping[str, str]] = {
    "apigatewayv2": "apigateway",
    "bedrockagent": "bedrock",
    "bedrockagentruntime": "bedrock",
    "bedrockruntime": "bedrock",
    "cloudwatchevents": "events",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "eventbridge": "events",
    "rdsdata": "rds-data",
    "redshiftdata": "redshift-data",
    "sagemakerruntime": "sagemaker",
    "sesv2": "ses",
    "sfn": "states",
}

# Argument that names the resource, then the service and the beginning of the resource in its ARN.
_NAMED_BY: Final[Mapping[str, tuple[str, str, str]]] = {
    "athena": ("WorkGroup", "athena", "workgroup/"),
    "cloudwatchlogs": ("LogGroupName", "logs", "log-group:"),
    "codebuild": ("ProjectName", "codebuild", "project/"),
    "dynamodb": ("TableName", "dynamodb", "table/"),
    "firehose": ("DeliveryStreamName", "firehose", "deliverystream/"),
    "glue": ("JobName", "glue", "job/"),
    "kinesis": ("StreamName", "kinesis", "stream/"),
    "lambda": ("FunctionName", "lambda", "function:"),
    "sagemakerruntime": ("EndpointName", "sagemaker", "endpoint/"),
    "secretsmanager": ("SecretId", "secretsmanager", "secret:"),
    "sfn": ("StateMachineArn", "states", "stateMachine:"),
    "ssm": ("Name", "ssm", "parameter/"),
}

_RULES: Final[Mapping[str, Rule]] = {
    "apigateway:invoke": _invoke_api,
    "athena:startQueryExecution": _query,
    "batch:submitJob": _submit_job,
    "bedrock:invokeModel": _invoke_model,
    "bedrockruntime:invokeModel": _invoke_model,
    "ecs:runTask": _run_task,
    "events:putEvents": _put_events,
    "eventbridge:putEvents": _put_events,
    "glue:startJobRun": _start_job_run,
    "http:invoke": _invoke_endpoint,
    "lambda:invoke": _invoke,
    "s3:copyObject": partial(_s3, ("s3:GetObject", "s3:PutObject")),
    "s3:deleteObject": partial(_s3, ("s3:DeleteObject",)),
    "s3:getObject": partial(_s3, ("s3:GetObject",)),
    "s3:headObject": partial(_s3, ("s3:GetObject",)),
    "s3:listObjects": _s3_list,
    "s3:listObjectsV2": _s3_list,
    "s3:putObject": partial(_s3, ("s3:PutObject",)),
    "sagemaker:createEndpoint": _create_endpoint,
    "sagemaker:createEndpointConfig": _create_endpoint_config,
    "sagemaker:createHyperParameterTuningJob": partial(
        _sagemaker_job, "HyperParameterTuningJob", "HyperParameterTuningJobName", "hyper-parameter-tuning-job"
    ),
    "sagemaker:createModel": _create_model,
    "sagemaker:createProcessingJob": partial(_sagemaker_job, "ProcessingJob", "ProcessingJobName", "processing-job"),
    "sagemaker:createTrainingJob": partial(_sagemaker_job, "TrainingJob", "TrainingJobName", "training-job"),
    "sagemaker:createTransformJob": partial(_sagemaker_job, "TransformJob", "TransformJobName", "transform-job"),
    "sagemaker:updateEndpoint": _update_endpoint,
    "sns:publish": _publish,
    "sqs:sendMessage": _send_message,
}
