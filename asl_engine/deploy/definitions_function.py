"""What the function `definitions` does: Terraform and CloudFormation tell it of definitions, and it publishes them.

Terraform invokes it and reads the answer (`aws_lambda_invocation` with lifecycle_scope CRUD). CloudFormation wants the
answer put to a URL: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from asl_engine.deploy.api_function import ApiFunction
from asl_engine.deploy.publishing import Deployed, StepFunctionsApi, publish, withdraw
from asl_engine.json_value import JsonObject

_ANSWER_TIMEOUT_SECONDS: Final = 30


def handle(event: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> JsonObject:
    """Publish or withdraw the definition of an event. Raises AslError, unless CloudFormation is told instead."""
    api = ApiFunction(environ["ASL_API_FUNCTION"])
    if "ResponseURL" in event:
        return _for_cloudformation(api, event, environ["AWS_REGION"])
    return perform(api, event["terraform"]["action"] == "delete", event, environ["AWS_REGION"])


def perform(api: StepFunctionsApi, deleted: bool, properties: Mapping[str, Any], region: str) -> JsonObject:
    """Bring the API to what the properties of the deployment say. Raises AslError."""
    deployed = _deployed(properties, region)
    if not deleted:
        return publish(api, deployed)
    withdraw(api, deployed)
    return {}


def _deployed(properties: Mapping[str, Any], region: str) -> Deployed:
    _, partition, _, _, account, _ = properties["roleArn"].split(":", 5)
    return Deployed(
        name=properties["name"],
        definition=properties["definition"],
        state_machine_arn=f"arn:{partition}:states:{region}:{account}:stateMachine:{properties['name']}",
        role_arn=properties["roleArn"],
        alias=properties["alias"],
        type=properties["type"],
        substitutions=properties.get("substitutions", {}),
    )


def _for_cloudformation(api: StepFunctionsApi, event: Mapping[str, Any], region: str) -> JsonObject:
    properties, deleted = event["ResourceProperties"], event["RequestType"] == "Delete"
    answer: JsonObject = {
        "Status": "SUCCESS",
        # Another name is another resource: CloudFormation then creates it and deletes the one before.
        "PhysicalResourceId": properties["name"],
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    try:
        answer["Data"] = perform(api, deleted, properties, region)
    except Exception as error:
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:2000]}
    _put(event["ResponseURL"], answer)
    return answer


def _put(url: str, answer: JsonObject) -> None:
    request = urllib.request.Request(url, json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310
    with urllib.request.urlopen(request, timeout=_ANSWER_TIMEOUT_SECONDS):  # noqa: S310 - CloudFormation's own URL
        pass
