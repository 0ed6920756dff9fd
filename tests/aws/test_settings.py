from __future__ import annotations

import pytest

from asl_engine.aws.settings import Settings
from asl_engine.errors import AslError

ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "ASL_ACCOUNT_ID": "123456789012",
    "ASL_TABLE": "executions",
    "ASL_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/events",
    "ASL_QUEUE_ARN": "arn:aws:sqs:eu-west-1:123456789012:events",
    "ASL_SCHEDULER_GROUP": "timers",
    "ASL_SCHEDULER_ROLE_ARN": "arn:aws:iam::123456789012:role/scheduler",
}


def test_what_is_not_set_has_a_default() -> None:
    settings = Settings.from_environment(ENVIRONMENT)

    assert (settings.table, settings.bucket, settings.metrics_namespace) == ("executions", None, "AslEngine")
    assert (settings.default_task_timeout_seconds, settings.expire_days, settings.log_payloads) == (None, None, False)
    assert (settings.dead_letters_url, settings.dead_letters_arn) == (None, None)
    assert (settings.deliveries_max, settings.queue_message_bytes_max) == (5, 1_048_576)


def test_everything_can_be_set() -> None:
    settings = Settings.from_environment(
        ENVIRONMENT
        | {
            "ASL_BUCKET": "payloads",
            "ASL_DEFAULT_TASK_TIMEOUT_SECONDS": "3600",
            "ASL_EXPIRE_DAYS": "90",
            "ASL_LOG_PAYLOADS": "True",
            "ASL_METRICS_NAMESPACE": "Orders",
            "ASL_VISIBILITY_SECONDS": "30",
            "ASL_DEAD_LETTERS_URL": "https://sqs/dead",
            "ASL_DEAD_LETTERS_ARN": "arn:dead",
            "ASL_DELIVERIES_MAX": "50",
            "ASL_QUEUE_MESSAGE_BYTES_MAX": "262144",
        }
    )

    assert (settings.bucket, settings.metrics_namespace) == ("payloads", "Orders")
    assert settings.visibility_seconds == 30
    assert (settings.dead_letters_url, settings.dead_letters_arn) == ("https://sqs/dead", "arn:dead")
    assert (settings.deliveries_max, settings.queue_message_bytes_max) == (50, 262_144)
    assert (settings.default_task_timeout_seconds, settings.expire_days, settings.log_payloads) == (3600, 90, True)


def test_zero_is_none() -> None:
    """Terraform cannot leave a variable out as easily as set it to 0."""
    settings = Settings.from_environment(ENVIRONMENT | {"ASL_DEFAULT_TASK_TIMEOUT_SECONDS": "0", "ASL_EXPIRE_DAYS": ""})

    assert (settings.default_task_timeout_seconds, settings.expire_days) == (None, None)


def test_all_problems_are_told_at_once() -> None:
    environ = ENVIRONMENT | {"ASL_TABLE": "", "ASL_EXPIRE_DAYS": "soon", "ASL_LOG_PAYLOADS": "perhaps"}
    del environ["ASL_QUEUE_URL"]

    with pytest.raises(AslError) as caught:
        Settings.from_environment(environ)

    assert str(caught.value) == (
        "the environment lacks what the deployment sets: ASL_TABLE is not set; ASL_QUEUE_URL is not set; "
        'ASL_EXPIRE_DAYS is "soon": it must be a whole number, or 0 for none; '
        'ASL_LOG_PAYLOADS is "perhaps": it must be true or false; see docs/aws.md'
    )
