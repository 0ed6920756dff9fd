import json
from typing import Any

import pytest

from asl_engine.expressions.scope import Scope
from asl_engine.language.definition import TaskState
from asl_engine.language.parser import parse_definition
from tests.language.definitions import SHIP, errors_of, state


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": SHIP, **fields}


def compiled(**fields: Any) -> TaskState:
    found = state(task(**fields))
    assert isinstance(found, TaskState)
    return found


def test_paths_and_templates_are_compiled() -> None:
    found = compiled(
        InputPath="$.order", Parameters={"id.$": "$.id"}, ResultSelector={"n.$": "$.n"}, ResultPath="$.out"
    )

    assert found.input_path is not None
    assert found.input_path.evaluate(Scope({"order": 1})) == 1
    assert found.parameters is not None
    assert found.parameters.evaluate(Scope({"id": 7})) == {"id": 7}
    assert found.result_selector is not None
    assert found.result_path is not None
    assert found.result_path.text == "$.out"


def test_paths_to_everything_are_left_out() -> None:
    found = compiled(InputPath="$", OutputPath="$", ResultPath="$")

    assert (found.input_path, found.output_path, found.result_path, found.discards_result) == (None, None, None, False)


def test_null_selects_nothing_and_discards_the_result() -> None:
    found = compiled(InputPath=None, OutputPath=None, ResultPath=None)

    assert found.input_path is not None
    assert found.input_path.evaluate(Scope({"a": 1})) == {}
    assert found.output_path is not None
    assert found.discards_result


def test_arguments_are_the_parameters_of_jsonata() -> None:
    found = compiled(QueryLanguage="JSONata", Arguments={"id": "{% $states.input.id %}"}, Output="{% 1 %}")

    assert found.parameters is not None
    assert found.parameters.evaluate(Scope({"id": 7})) == {"id": 7}
    assert found.output is not None


def test_times_are_literals_paths_or_jsonata() -> None:
    literal = compiled(TimeoutSeconds=60, HeartbeatSecondsPath="$.beat")
    assert literal.timeout_seconds is not None
    assert literal.timeout_seconds.evaluate(Scope(None)) == 60
    assert literal.heartbeat_seconds_path is not None

    computed = compiled(QueryLanguage="JSONata", TimeoutSeconds="{% 30 + 30 %}")
    assert computed.timeout_seconds is not None
    assert computed.timeout_seconds.evaluate(Scope(None)) == 60


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"Resource": 1}, "/Resource: expected an ARN but found 1"),
        ({"Resource": ""}, "/Resource: The resource provided  is not recognized."),
        (
            {"Resource": "arn:aws:states:::lamda:invoke"},
            "/Resource: The resource provided arn:aws:states:::lamda:invoke is not recognized.",
        ),
        ({"InputPath": "order"}, "/InputPath: The value for the field 'InputPath' must be a valid JSONPath"),
        ({"InputPath": "States.UUID()"}, "/InputPath: The value for the field 'InputPath' must be a valid JSONPath"),
        ({"OutputPath": 1}, "/OutputPath: expected a JSONPath but found 1"),
        ({"ResultPath": "$.a[*]"}, "/ResultPath: Value is not a Reference Path"),
        ({"ResultPath": {}}, "/ResultPath: expected a reference path or null but found an object"),
        ({"ResultSelector": "x"}, '/ResultSelector: expected an object but found "x"'),
        ({"TimeoutSeconds": 0}, "/TimeoutSeconds: 0 is out of range"),
        ({"TimeoutSeconds": "60"}, '/TimeoutSeconds: expected an integer but found "60"'),
        ({"TimeoutSeconds": 9, "TimeoutSecondsPath": "$.t"}, "/TimeoutSecondsPath: at most one of these fields"),
        ({"TimeoutSeconds": 9, "HeartbeatSeconds": 9}, "/HeartbeatSeconds: HeartbeatSeconds must be smaller than"),
        ({"Credentials": None}, "/Credentials: expected an object but found null"),
        ({"Credentials": {}}, "/Credentials: The field 'RoleArn' is required but was missing"),
        ({"Credentials": {"RoleArn.$": "role"}}, "/Credentials: The value for the field 'RoleArn.$' must be a valid"),
        ({"Arguments": {}}, "/Arguments: the field 'Arguments' is not supported where QueryLanguage is 'JSONPath'"),
        ({"Default": "B"}, "/Default: the field 'Default' is not supported by a Task state"),
    ],
)
def test_a_wrong_field_is_refused(fields: dict[str, Any], error: str) -> None:
    (found,) = errors_of(task(**fields))

    assert found.startswith(error)


def test_a_resource_that_aws_does_not_know_is_a_name_and_an_error_only_where_aws_would_run_it() -> None:
    text = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "ship:it", "End": True}}})

    here, at_aws = parse_definition(text), parse_definition(text, any_resource=False)

    assert here.machine is not None
    (warning,) = [found for found in here.diagnostics if found.code == "UNKNOWN_RESOURCE"]
    assert "AWS refuses it" in warning.hint
    assert at_aws.machine is None
    assert [found.severity for found in at_aws.diagnostics if "ship:it" in found.message] == ["ERROR"]


def test_a_task_names_its_resource() -> None:
    assert errors_of({"Type": "Task"}) == [": These fields are required: [Resource]"]


@pytest.mark.parametrize("field", ["InputPath", "OutputPath", "ResultPath", "TimeoutSecondsPath"])
def test_jsonata_has_no_paths(field: str) -> None:
    (error,) = errors_of(task(QueryLanguage="JSONata", **{field: "$.a"}))

    assert error == f"/{field}: the field '{field}' is not supported where QueryLanguage is 'JSONata'"


def test_an_expression_that_is_not_closed_is_no_text() -> None:
    (error,) = errors_of(task(QueryLanguage="JSONata", TimeoutSeconds="{% 30"))

    assert error.startswith("/TimeoutSeconds: a JSONata expression that begins with {%")


def test_a_role_can_be_assumed() -> None:
    assert compiled(Credentials={"RoleArn.$": "$.role"}).credentials is not None
    assert compiled(QueryLanguage="JSONata", Credentials={"RoleArn": "{% $role %}"}).credentials is not None
    assert errors_of(task(QueryLanguage="JSONata", Credentials="{% {'RoleArn': $role} %}")) == []


@pytest.mark.parametrize("pattern", ["", ".waitForTaskToken"])
def test_an_invocation_names_its_function(pattern: str) -> None:
    invoke = {"Resource": f"arn:aws:states:::lambda:invoke{pattern}"}
    missing = "The field 'FunctionName' is required but was missing"

    assert errors_of(task(**invoke, Parameters={"Payload": 1})) == [f"/Parameters: {missing}"]
    assert errors_of(task(**invoke, Parameters={"FunctionName.$": "$.f"})) == []
    assert errors_of(task(**invoke, QueryLanguage="JSONata", Arguments={})) == [f"/Arguments: {missing}"]
    assert errors_of(task(**invoke, QueryLanguage="JSONata", Arguments={"FunctionName": "{% $f %}"})) == []
    assert errors_of(task(**invoke, QueryLanguage="JSONata", Arguments="{% $arguments %}")) == []
