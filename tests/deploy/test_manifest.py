"""The manifest names each definition by its content, and what the deployment must know of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from asl_engine.deploy.manifest import manifest, sdk_services
from asl_engine.errors import AslError, InvalidDefinition


def definition(*resources: str, **parameters: Any) -> str:
    states = {
        f"S{number}": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
        for number, resource in enumerate(resources)
    }
    branches = [{"StartAt": name, "States": {name: state}} for name, state in states.items()]
    return json.dumps({"StartAt": "All", "States": {"All": {"Type": "Parallel", "Branches": branches, "End": True}}})


def written(directory: Path, text: str) -> dict[str, Path]:
    file = directory / "team" / "orders.asl.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return {"orders": file}


def test_a_definition_is_named_by_its_place_and_its_content(tmp_path: Path) -> None:
    text = definition("arn:aws:states:::lambda:invoke", FunctionName="${Charge}", Comment="in ${AWS::Region}")

    document: Any = manifest(tmp_path, written(tmp_path, text))

    assert document["definitions"] == {
        "orders": {
            "file": "team/orders.asl.json",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "type": "STANDARD",
            "placeholders": ["Charge"],
        }
    }
    assert document["policy"]["Statement"][0]["Resource"] == ["${Charge}"]
    assert document["jobEventsPolicy"]["Statement"] == []
    assert document["reasons"] == {"LambdaInvokeFunction": "used by orders/S0"}


def test_an_invalid_definition_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    files = written(tmp_path, '{"StartAt": "Gone", "States": {"Here": {"Type": "Nothing"}}}')

    with pytest.raises(InvalidDefinition) as refused:
        manifest(tmp_path, files)

    assert "Gone" in str(refused.value)
    assert "Pass, Succeed, Fail" in str(refused.value)


def test_a_policy_that_no_role_can_hold_is_refused_with_a_way_out(tmp_path: Path) -> None:
    functions = [f"arn:aws:lambda:eu-central-1:123456789012:function:function-{number:03}" for number in range(200)]

    with pytest.raises(AslError, match="IAM leaves about 7,500 in a role: deploy some of the definitions"):
        manifest(tmp_path, written(tmp_path, definition(*functions)))


def test_the_services_that_definitions_call_are_named_as_botocore_names_them(tmp_path: Path) -> None:
    calls = ("aws-sdk:rekognition:detectLabels", "aws-sdk:sfn:listExecutions", "sns:publish", "aws-sdk:sesv2:sendEmail")
    text = definition(*(f"arn:aws:states:::{call}" for call in calls))

    assert sdk_services(manifest(tmp_path, written(tmp_path, text))) == {"rekognition", "stepfunctions", "sns", "sesv2"}
