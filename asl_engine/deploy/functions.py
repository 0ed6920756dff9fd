"""The functions of a deployment, and what each of them needs beside the engine's own code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Parts of the engine that serve people at a terminal or in a test; no function imports them.
NOT_DEPLOYED: Final = ("__main__.py", "cli", "embedded.py", "graph", "server", "testing")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCode:
    """`requirements`: distributions that the function imports; `sdk_services`: those whose botocore model it reads."""

    requirements: tuple[str, ...]
    sdk_services: tuple[str, ...]


# What the engine calls for itself, the services of every optimized integration, and those of jobs. Definitions that
# call others add theirs to the functions that perform tasks.
_ENGINE: Final = FunctionCode(
    requirements=("aiobotocore", "jlens"),
    sdk_services=(
        "athena",
        "batch",
        "dynamodb",
        "ecs",
        "events",
        "glue",
        "lambda",
        "s3",
        "sagemaker",
        "scheduler",
        "sns",
        "sqs",
        "stepfunctions",  # its model says what requests of the API look like
    ),
)
_APPROVALS: Final = FunctionCode(
    requirements=("aiobotocore",), sdk_services=("dynamodb", "s3", "secretsmanager", "sesv2", "stepfunctions")
)

# Express executions run inside `api`.
PERFORM_TASKS: Final = frozenset({"api", "engine"})

FUNCTIONS: Final[Mapping[str, FunctionCode]] = {
    "api": _ENGINE,
    "approvals": _APPROVALS,
    "definitions": FunctionCode(requirements=("botocore",), sdk_services=("lambda",)),
    "engine": _ENGINE,
    "job_events": _ENGINE,
    "notifier": _APPROVALS,
    "sweeper": _ENGINE,
}
