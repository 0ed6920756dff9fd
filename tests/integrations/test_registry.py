"""One workflow over several services of an emulator, as `asl run` performs it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer

from asl_engine.integrations.registry import integrations
from asl_engine.interpreter.execution import Execution, ExecutionStatus
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.in_process import InProcessHost, StartRequest
from asl_engine.runtime.jobs import FollowedJobs
from asl_engine.runtime.performer_chain import PerformerChain
from asl_engine.store.memory import MemoryStore
from tests.runtime.task_calls import NOON

REGION = "us-east-1"
ROLE: JsonObject = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    """The URL of an emulator of AWS whose Batch jobs succeed at once, without Docker."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    docker = default_user_config["batch"]["use_docker"]
    default_user_config["batch"]["use_docker"] = False
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        default_user_config["batch"]["use_docker"] = docker
        server.stop()


def sdk(service: str, url: str) -> Any:
    identity = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return boto3.client(service, endpoint_url=url, region_name=REGION, **identity)


def run(url: str, states: JsonObject, input: JsonObject) -> Execution:
    """Run a chain of tasks, each of which leaves its result under its own name."""

    async def story() -> Execution:
        clock = VirtualClock(NOON)
        reached = integrations({"AWS_ENDPOINT_URL": url, "AWS_REGION": REGION})
        assert reached is not None
        host = InProcessHost(MemoryStore(), PerformerChain((FollowedJobs(reached.jobs, clock), reached.tasks)), clock)
        machine = compile_definition({"StartAt": next(iter(states)), "States": states})
        request = StartRequest(
            name="run",
            input=input,
            state_machine_arn=f"arn:aws:states:{REGION}:123456789012:stateMachine:m",
            seed="seed",
        )
        execution = await host.until_over(await host.start(machine, request))
        await host.close()
        return execution

    return asyncio.run(asyncio.wait_for(story(), timeout=60))


def chain(**tasks: tuple[str, JsonObject]) -> JsonObject:
    names = list(tasks)
    states: JsonObject = {}
    for name, (resource, parameters) in tasks.items():
        following: JsonValue = names[names.index(name) + 1] if name != names[-1] else None
        end: JsonObject = {"End": True} if following is None else {"Next": following}
        states[name] = {
            "Type": "Task",
            "Resource": f"arn:aws:states:::{resource}",
            "Parameters": parameters,
            "ResultPath": f"$.{name}",
            **end,
        }
    return states


def test_services_are_called_and_a_batch_job_is_followed(emulator: str) -> None:
    queue_url = sdk("sqs", emulator).create_queue(QueueName="orders")["QueueUrl"]
    sdk("s3", emulator).create_bucket(Bucket="models")
    sdk("dynamodb", emulator).create_table(
        TableName="runs",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    states = chain(
        Store=("aws-sdk:s3:putObject", {"Bucket": "models", "Key": "a.json", "Body": {"weights": [1, 2]}}),
        Read=("aws-sdk:s3:getObject", {"Bucket": "models", "Key": "a.json"}),
        Train=(
            "batch:submitJob.sync",
            {"JobName": "train", "JobQueue.$": "$.queue", "JobDefinition.$": "$.definition"},
        ),
        Note=("dynamodb:putItem", {"TableName": "runs", "Item": {"id": {"S.$": "$.Train.JobId"}}}),
        Look=("dynamodb:getItem", {"TableName": "runs", "Key": {"id": {"S.$": "$.Train.JobId"}}}),
        Tell=("sqs:sendMessage", {"QueueUrl": queue_url, "MessageBody": {"job.$": "$.Train.JobId"}}),
    )
    queue, definition = _batch_queue(emulator)
    execution = run(emulator, states, {"queue": queue, "definition": definition})

    assert execution.status is ExecutionStatus.SUCCEEDED, execution.cause
    output = execution.output
    assert isinstance(output, dict)
    assert _at(output, "Read", "Body") == '{"weights":[1,2]}'
    job_id = _at(output, "Train", "JobId")
    assert (_at(output, "Train", "Status"), _at(output, "Train", "JobName")) == ("SUCCEEDED", "train")
    assert _at(output, "Look", "Item") == {"id": {"S": job_id}}
    [message] = sdk("sqs", emulator).receive_message(QueueUrl=queue_url)["Messages"]
    assert message["Body"] == f'{{"job":"{job_id}"}}'


def test_a_message_goes_to_the_region_that_the_url_of_its_queue_names(emulator: str) -> None:
    identity = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    there = boto3.client("sqs", endpoint_url=emulator, region_name="eu-west-1", **identity)
    queue_url = there.create_queue(QueueName="far")["QueueUrl"]
    named = "https://sqs.eu-west-1.amazonaws.com/123456789012/far"
    execution = run(emulator, chain(Tell=("sqs:sendMessage", {"QueueUrl": named, "MessageBody": "hello"})), {})

    assert execution.status is ExecutionStatus.SUCCEEDED, execution.cause
    [message] = there.receive_message(QueueUrl=queue_url)["Messages"]
    assert message["Body"] == "hello"


def test_a_sagemaker_job_is_followed(emulator: str) -> None:
    parameters: JsonObject = {
        "TrainingJobName": "Churn-1",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/training",
        "OutputDataConfig": {"S3OutputPath": "s3://models/out"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    execution = run(emulator, chain(Train=("sagemaker:createTrainingJob.sync", parameters)), {})
    assert execution.status is ExecutionStatus.SUCCEEDED, execution.cause
    assert isinstance(execution.output, dict)
    assert _at(execution.output, "Train", "TrainingJobStatus") == "Completed"


def test_what_a_service_refuses_fails_the_state(emulator: str) -> None:
    missing = chain(Read=("aws-sdk:dynamodb:getItem", {"TableName": "none", "Key": {"id": {"S": "1"}}}))
    execution = run(emulator, missing, {})
    assert execution.error == "DynamoDb.ResourceNotFoundException"
    execution = run(emulator, chain(Read=("aws-sdk:s3:listObjects", {"Bucket": "no-such-bucket"})), {})
    assert execution.error == "S3.NoSuchBucketException"


def _batch_queue(url: str) -> tuple[str, str]:
    """The names of a job queue and of a job definition."""
    role = sdk("iam", url).create_role(RoleName="batch", AssumeRolePolicyDocument=str(ROLE))["Role"]["Arn"]
    batch = sdk("batch", url)
    environment = batch.create_compute_environment(
        computeEnvironmentName="environment", type="UNMANAGED", state="ENABLED", serviceRole=role
    )
    order = [{"order": 1, "computeEnvironment": environment["computeEnvironmentArn"]}]
    batch.create_job_queue(jobQueueName="queue", state="ENABLED", priority=1, computeEnvironmentOrder=order)
    container = {"image": "image", "vcpus": 1, "memory": 128, "command": ["true"]}
    batch.register_job_definition(jobDefinitionName="definition", type="container", containerProperties=container)
    return "queue", "definition"


def _at(output: JsonObject, name: str, member: str) -> JsonValue:
    result = output[name]
    assert isinstance(result, dict)
    return result[member]
