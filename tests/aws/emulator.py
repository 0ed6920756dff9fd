"""An emulator of AWS in a process of its own (moto's server), and a deployment of the engine in it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from asl_engine.store.dynamodb.table import table_definition

REGION, ACCOUNT = "eu-west-1", "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/tests"


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator."""

    url: str

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 3, "mode": "standard"}),
        )

    def deploy(self, name: str, *, visibility_seconds: int = 60, deliveries_max: int = 6) -> dict[str, str]:
        """Create a table, its queues and a schedule group; the environment of the functions."""
        self.client("dynamodb").create_table(**table_definition(name))
        queues = self._queues(name, visibility_seconds, deliveries_max)
        self.client("scheduler").create_schedule_group(Name=name)
        return {
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": self.url,
            "ASL_ACCOUNT_ID": ACCOUNT,
            "ASL_TABLE": name,
            **queues,
            "ASL_SCHEDULER_GROUP": name,
            "ASL_SCHEDULER_ROLE_ARN": ROLE,
        }

    def _queues(self, name: str, visibility_seconds: int, deliveries_max: int) -> dict[str, str]:
        sqs = self.client("sqs")
        dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        redrive = {"deadLetterTargetArn": _arn_of(sqs, dead), "maxReceiveCount": deliveries_max}
        attributes = {
            "VisibilityTimeout": str(visibility_seconds),
            "MaximumMessageSize": "1048576",
            "RedrivePolicy": json.dumps(redrive),
        }
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return {
            "ASL_QUEUE_URL": url,
            "ASL_QUEUE_ARN": _arn_of(sqs, url),
            "ASL_DEAD_LETTERS_URL": dead,
            "ASL_DEAD_LETTERS_ARN": _arn_of(sqs, dead),
        }


def _arn_of(sqs: Any, queue_url: str) -> str:
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    return str(attributes["QueueArn"])


@contextmanager
def emulator() -> Iterator[Emulator]:
    """Runs until the block ends, in a process of its own: it works while the engine does."""
    process = subprocess.Popen([sys.executable, "-m", "tests.aws.emulator"], stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            yield Emulator(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.kill()


def serve() -> None:
    """Print the port, and serve."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    serve()
