"""Settings: what a deployment tells its functions through the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from asl_engine.errors import AslError
from asl_engine.runtime.queued.trials import DELIVERIES_MAX
from asl_engine.runtime.queued.wiring import VISIBILITY_SECONDS

METRICS_NAMESPACE: Final = "AslEngine"
# The longest poll of SQS.
WORKER_WAIT_SECONDS: Final = 20
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
QUEUE_MESSAGE_BYTES_MAX: Final = 1_048_576
_REQUIRED: Final = (
    "AWS_REGION",
    "ASL_ACCOUNT_ID",
    "ASL_TABLE",
    "ASL_QUEUE_URL",
    "ASL_QUEUE_ARN",
    "ASL_SCHEDULER_GROUP",
    "ASL_SCHEDULER_ROLE_ARN",
)
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`bucket` None: what is too large for an item of the table fails. `default_task_timeout_seconds` None: none.

    `dead_letters_url` None: what nobody can handle is left to the queue's own redrive. `dead_letters_arn` None: a timer
    that the Scheduler cannot send is lost.
    """

    region: str
    account_id: str
    table: str
    queue_url: str
    queue_arn: str
    scheduler_group: str
    scheduler_role_arn: str
    bucket: str | None = None
    dead_letters_url: str | None = None
    dead_letters_arn: str | None = None
    queue_message_bytes_max: int = QUEUE_MESSAGE_BYTES_MAX
    deliveries_max: int = DELIVERIES_MAX
    default_task_timeout_seconds: int | None = None
    expire_days: int | None = None
    log_payloads: bool = False
    metrics_namespace: str = METRICS_NAMESPACE
    worker_wait_seconds: int = WORKER_WAIT_SECONDS
    visibility_seconds: int = VISIBILITY_SECONDS

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Raises AslError that lists everything that is missing or wrong."""
        problems = [f"{name} is not set" for name in _REQUIRED if not environ.get(name)]
        numbers = {
            name: _whole_number(environ, name, problems)
            for name in (
                "ASL_DEFAULT_TASK_TIMEOUT_SECONDS",
                "ASL_DELIVERIES_MAX",
                "ASL_EXPIRE_DAYS",
                "ASL_QUEUE_MESSAGE_BYTES_MAX",
                "ASL_WORKER_WAIT_SECONDS",
                "ASL_VISIBILITY_SECONDS",
            )
        }
        log_payloads = _switch(environ, "ASL_LOG_PAYLOADS", problems)
        if problems:
            raise AslError(f"the environment lacks what the deployment sets: {'; '.join(problems)}; see docs/aws.md")
        return cls(
            region=environ["AWS_REGION"],
            account_id=environ["ASL_ACCOUNT_ID"],
            table=environ["ASL_TABLE"],
            queue_url=environ["ASL_QUEUE_URL"],
            queue_arn=environ["ASL_QUEUE_ARN"],
            scheduler_group=environ["ASL_SCHEDULER_GROUP"],
            scheduler_role_arn=environ["ASL_SCHEDULER_ROLE_ARN"],
            bucket=environ.get("ASL_BUCKET") or None,
            dead_letters_url=environ.get("ASL_DEAD_LETTERS_URL") or None,
            dead_letters_arn=environ.get("ASL_DEAD_LETTERS_ARN") or None,
            queue_message_bytes_max=numbers["ASL_QUEUE_MESSAGE_BYTES_MAX"] or QUEUE_MESSAGE_BYTES_MAX,
            deliveries_max=numbers["ASL_DELIVERIES_MAX"] or DELIVERIES_MAX,
            default_task_timeout_seconds=numbers["ASL_DEFAULT_TASK_TIMEOUT_SECONDS"],
            expire_days=numbers["ASL_EXPIRE_DAYS"],
            log_payloads=log_payloads,
            metrics_namespace=environ.get("ASL_METRICS_NAMESPACE") or METRICS_NAMESPACE,
            worker_wait_seconds=min(numbers["ASL_WORKER_WAIT_SECONDS"] or WORKER_WAIT_SECONDS, WORKER_WAIT_SECONDS),
            visibility_seconds=numbers["ASL_VISIBILITY_SECONDS"] or VISIBILITY_SECONDS,
        )


def _whole_number(environ: Mapping[str, str], name: str, problems: list[str]) -> int | None:
    text = environ.get(name, "").strip()
    if text in {"", "0"}:
        return None
    if not (text.isascii() and text.isdigit()):
        problems.append(f'{name} is "{text}": it must be a whole number, or 0 for none')
        return None
    return int(text)


def _switch(environ: Mapping[str, str], name: str, problems: list[str]) -> bool:
    text = environ.get(name, "").strip().lower()
    if text not in _TRUE | _FALSE:
        problems.append(f'{name} is "{text}": it must be true or false')
    return text in _TRUE
