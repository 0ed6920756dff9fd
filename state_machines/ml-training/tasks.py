"""Scripted stand-ins for the Lambda functions that the ML training pipeline calls.

Each reads what to do from the `script` beside its own part of the input, so that an input file alone decides how an
execution goes. A script's `attempts` says how the first, second… attempt ends: "ok", "silent" (the work dies without
a word) or the name of an error; the last entry stands for every attempt after it. An approval ends as the approver
decides: see `DECISIONS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

NULL_RATIO_MAX = 0.10
TWO_HOURS = 7200
# What people decide. Whoever else is asked never answers.
DECISIONS: dict[str, dict[str, Any]] = {
    "ml-lead@example.com": {"choice": "approve", "form": {}},
    "sceptic@example.com": {
        "choice": "reject",
        "form": {"reason": "gradient-boosting is too slow to serve"},
    },
}


class DataQualityError(Exception):
    """More of the data is missing than a model can be trained on."""


class ServiceUnavailable(Exception):
    """A service behind a function did not answer; it may a moment later."""


class SpotInterruption(Exception):
    """The machine that was training has been taken away."""


class InvalidHyperparameters(Exception):
    """No number of attempts can train with these hyperparameters."""


class EndpointUnhealthy(Exception):
    """The endpoint came up with the new model and fails its health check."""


ERRORS: dict[str, type[Exception]] = {
    error.__name__: error for error in (ServiceUnavailable, SpotInterruption, InvalidHyperparameters, EndpointUnhealthy)
}


def validate_data_set(data_set: dict[str, Any], context: Any) -> dict[str, Any]:
    """Refuse a data set of which more than 10% is null."""
    script = data_set["script"]
    _attempt(script, context)
    if script["null_ratio"] > NULL_RATIO_MAX:
        raise DataQualityError(f"{script['null_ratio']:.0%} of the values in {data_set['uri']} are null; 10% may be")
    return {"uri": data_set["uri"], "null_ratio": script["null_ratio"]}


def train_variant(event: dict[str, Any], context: Any) -> None:
    """Start a training job, which answers by task token once it is done."""
    variant = event["variant"]
    script = variant["script"]
    if _attempt(script, context) == "silent":
        return
    context.heartbeat()
    result = {"variant": variant["name"], "accuracy": script["accuracy"]}
    context.send_task_success(result, after_seconds=script["seconds"])


def request_approval(request: dict[str, Any], context: Any) -> None:
    """Answer as the one approver would, two hours later: the notifier's own payload in, a decision of its own out."""
    (approver,) = request["approvers"]
    decision = DECISIONS.get(approver)
    if decision is None:
        return
    answer = {"status": "DECIDED", "decidedBy": [approver], **decision}
    if decision["choice"] == "approve":
        context.send_task_success(answer, after_seconds=TWO_HOURS)
    else:
        context.send_task_failure("ApprovalRejected", json.dumps(answer), after_seconds=TWO_HOURS)


def deploy_model(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Put the champion behind the endpoint."""
    _attempt(event["endpoint"]["script"], context)
    return {"endpoint": event["endpoint"]["name"], "serving": event["champion"]["variant"]}


def roll_back(endpoint: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Put the previous model behind the endpoint again."""
    return {"endpoint": endpoint["name"], "serving": endpoint["previous_model"]}


def notify_team(message: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take the message, as a mail or chat service would."""
    return {"delivered": message["subject"]}


def _attempt(script: dict[str, Any], context: Any) -> str:
    """How this attempt ends: "ok" or "silent". Raises the scripted error."""
    attempts = script.get("attempts", ["ok"])
    ending: str = attempts[min(context.retry_count, len(attempts) - 1)]
    if ending in ERRORS:
        raise ERRORS[ending](f"attempt {context.retry_count + 1} of {context.state_name}")
    return ending


TASKS: dict[str, Callable[[Any, Any], Any]] = {
    "validate-data-set": validate_data_set,
    "train-variant": train_variant,
    "asl-engine-notifier": request_approval,
    "deploy-model": deploy_model,
    "roll-back": roll_back,
    "notify-team": notify_team,
}
