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


_JOURNAL: Final = ("dynamodb", "s3", "sqs")
# What the engine calls for itself, and the services that most definitions call. `with_services` adds others.
_ENGINE: Final = (
    *_JOURNAL,
    "batch",
    "events",
    "lambda",
    "sagemaker",
    "scheduler",
    "secretsmanager",
    "sns",
    "stepfunctions",
    "sts",
)

FUNCTIONS: Final[Mapping[str, FunctionCode]] = {
    "api": FunctionCode(
        requirements=("aiobotocore", "jlens"), sdk_services=(*_JOURNAL, "scheduler", "secretsmanager", "stepfunctions")
    ),
    "approvals": FunctionCode(
        requirements=("aiobotocore",),
        sdk_services=(*_JOURNAL, "lambda", "secretsmanager", "sesv2", "stepfunctions", "sts"),
    ),
    "definitions": FunctionCode(requirements=("botocore",), sdk_services=("lambda",)),
    "engine": FunctionCode(requirements=("aiobotocore", "jlens"), sdk_services=_ENGINE),
    "job_events": FunctionCode(requirements=("aiobotocore", "jlens"), sdk_services=(*_JOURNAL, "batch", "sagemaker")),
    "notifier": FunctionCode(
        requirements=("aiobotocore",), sdk_services=(*_JOURNAL, "lambda", "secretsmanager", "sesv2", "sts")
    ),
    "sweeper": FunctionCode(requirements=("aiobotocore", "jlens"), sdk_services=(*_ENGINE, "cloudwatch")),
}
