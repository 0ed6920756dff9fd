import pytest

from asl_engine.language.definition import StateType
from tests.language.definitions import errors, machine, machine_of


def test_a_succeed_may_select_its_output() -> None:
    found = machine(machine_of({"Type": "Succeed", "InputPath": "$.a", "OutputPath": "$.b"})).root.states["A"]

    assert (found.type, found.next) == (StateType.SUCCEED, None)
    assert found.output_path is not None


@pytest.mark.parametrize("field", ["Next", "End", "ResultPath", "Assign", "Parameters"])
def test_a_succeed_does_nothing_else(field: str) -> None:
    (error,) = errors(machine_of({"Type": "Succeed", field: {}}))

    assert error == f"/States/A/{field}: the field '{field}' is not supported by a Succeed state"
