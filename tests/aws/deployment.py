"""A deployment on the emulator: its functions, invoked as Lambda would, with what the services hand them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from asl_engine.aws.api_function import ApiFunction
from asl_engine.aws.assembly import engine_on
from asl_engine.aws.engine_function import EngineFunction
from asl_engine.aws.ports import open_ports
from tests.aws.emulator import ROLE, Emulator

ROUNDS_MAX = 200


class Context:
    """An invocation with time left."""

    aws_request_id = "request-1"

    def __init__(self, milliseconds: int = 60_000) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status, self.code, self.message = status, body["__type"], body["message"]
        super().__init__(f"{status} {self.code}: {self.message}")


def http_request(operation: str, members: object, **changed: Any) -> dict[str, Any]:
    """What API Gateway makes of a request of an SDK."""
    return {
        "version": "2.0",
        "rawPath": "/",
        "headers": {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"AWSStepFunctions.{operation}"},
        "requestContext": {"http": {"method": "POST", "path": "/"}, "stage": "$default"},
        "body": json.dumps(members),
        "isBase64Encoded": False,
        **changed,
    }


class Deployment:
    """The functions `api` and `engine`, each a container of its own, and the queue between them."""

    def __init__(self, aws: Emulator, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.api = ApiFunction.from_environment(environment)
        self.ports = open_ports(environment)
        self.engine = EngineFunction(self.ports, engine_on(self.ports))
        self._sqs = aws.client("sqs")

    def call(self, operation: str, **members: Any) -> Any:
        """Raises ApiError."""
        answer = self.api.handle(http_request(operation, members), None)
        body = json.loads(answer["body"])
        if answer["statusCode"] != 200:
            raise ApiError(answer["statusCode"], body)
        return body

    def create(self, definition: Mapping[str, Any], name: str = "orders", **members: Any) -> str:
        machine = {"name": name, "definition": json.dumps(definition), "roleArn": ROLE, **members}
        return str(self.call("CreateStateMachine", **machine)["stateMachineArn"])

    def start(self, machine_arn: str, **members: Any) -> str:
        return str(self.call("StartExecution", stateMachineArn=machine_arn, **members)["executionArn"])

    def describe(self, execution_arn: str) -> Any:
        return self.call("DescribeExecution", executionArn=execution_arn)

    def records(self) -> list[dict[str, Any]]:
        """What the queue hands out now, as Lambda's poller makes an event of it."""
        answer = self._sqs.receive_message(
            QueueUrl=self.environment["ASL_QUEUE_URL"], MaxNumberOfMessages=10, AttributeNames=["All"]
        )
        return [
            {
                "messageId": each["MessageId"],
                "receiptHandle": each["ReceiptHandle"],
                "body": each["Body"],
                "attributes": each["Attributes"],
                "eventSource": "aws:sqs",
            }
            for each in answer.get("Messages", ())
        ]

    def poll(self) -> int:
        """Invoke `engine` with what is in the queue, and delete what it does not report; how many there were."""
        records = self.records()
        if not records:
            return 0
        answer = self.engine.handle({"Records": records}, Context())
        failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        for record in records:
            if record["messageId"] not in failed:
                self._sqs.delete_message(
                    QueueUrl=self.environment["ASL_QUEUE_URL"], ReceiptHandle=record["receiptHandle"]
                )
        return len(records)

    def until_quiet(self) -> None:
        """Poll until the queue hands out nothing more."""
        for _ in range(ROUNDS_MAX):
            if not self.poll():
                return
        raise AssertionError(f"messages beget messages: {ROUNDS_MAX} rounds and no end")

    def until_ended(self, execution_arn: str) -> Any:
        """Poll until the execution is over; its description."""
        for _ in range(ROUNDS_MAX):
            described = self.describe(execution_arn)
            if described["status"] != "RUNNING":
                return described
            self.poll()
        raise AssertionError(f"{execution_arn} does not end")

    def close(self) -> None:
        self.engine.close()
        self.api.close()


@contextmanager
def deployed(aws: Emulator, name: str, **environment: str) -> Iterator[Deployment]:
    """A deployment until the block ends."""
    deployment = Deployment(aws, aws.deploy(name) | environment)
    try:
        yield deployment
    finally:
        deployment.close()
