from __future__ import annotations

from pathlib import Path

import pytest

from asl_engine.cli.wiring import TaskSources, machine_name, state_machine_arn
from asl_engine.errors import AslError
from asl_engine.runtime.clock import RealClock
from asl_engine.runtime.mocked_test_cases import MockedTestCases

KEY = "AWS_ACCESS_KEY_ID"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("order.asl.json", "order"),
        ("order.asl.yaml", "order"),
        ("order.asl", "order"),
        ("order.v2.json", "order.v2"),
        ("new order?.yml", "new-order-"),
        ("orders/definition.asl.json", "orders"),
        ("orders/workflow.json", "orders"),
        (f"{'x' * 100}.json", "x" * 80),
    ],
)
def test_a_machine_is_named_after_its_file_by_the_rules_of_aws(file: str, name: str) -> None:
    assert machine_name(Path(file)) == name


def test_the_arn_is_of_the_region_that_the_environment_names() -> None:
    assert state_machine_arn("order", {}) == "arn:aws:states:us-east-1:123456789012:stateMachine:order"
    assert ":eu-west-1:" in state_machine_arn("order", {"AWS_REGION": "eu-west-1"})
    assert ":eu-west-2:" in state_machine_arn("order", {"AWS_DEFAULT_REGION": "eu-west-2"})


@pytest.mark.parametrize(
    ("environ", "performs"),
    [
        ({}, False),
        ({KEY: "local"}, False),
        ({"AWS_REGION": "eu-west-1"}, False),
        ({KEY: "local", "AWS_REGION": "eu-west-1"}, True),
        ({"AWS_PROFILE": "mine", "AWS_DEFAULT_REGION": "eu-west-1"}, True),
        ({"AWS_ENDPOINT_URL_LAMBDA": "http://localhost:4566"}, True),
        ({"AWS_ENDPOINT_URL": "http://localhost:4566"}, True),
    ],
)
def test_lambda_performs_tasks_only_where_it_is_configured(environ: dict[str, str], performs: bool) -> None:
    assert bool(TaskSources().performers(RealClock(), None, environ)) is performs


def test_a_server_lets_executions_choose_out_of_a_mock_config_file(tmp_path: Path) -> None:
    file = tmp_path / "MockConfigFile.json"
    file.write_text('{"StateMachines": {"orders": {"TestCases": {"a": {}, "b": {}}}}, "MockedResponses": {}}')
    (mocked,) = TaskSources(mocks=file).servers_performers(RealClock(), [], {})
    assert isinstance(mocked, MockedTestCases)
    with pytest.raises(AslError, match="choose a test case"):
        TaskSources(mocks=file).performers(RealClock(), "orders", {})
    with pytest.raises(AslError, match="--mock-test-case chooses out of a mocks file"):
        TaskSources(mock_test_case="a").servers_performers(RealClock(), [], {})
