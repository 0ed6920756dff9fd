from typing import Any

import pytest

from asl_engine.expressions.scope import Scope
from asl_engine.language.definition import FailState
from tests.language.definitions import errors, machine, machine_of


def compiled(**fields: Any) -> FailState:
    found = machine(machine_of({"Type": "Fail", **fields})).root.states["A"]
    assert isinstance(found, FailState)
    return found


def test_error_and_cause_are_texts_paths_or_intrinsics() -> None:
    found = compiled(Error="Late", CausePath="States.Format('{} h', $.hours)")

    assert found.error is not None
    assert found.error.evaluate(Scope(None)) == "Late"
    assert found.cause_path is not None
    assert found.cause_path.evaluate(Scope({"hours": 3})) == "3 h"
    assert found.cause_path_text == "States.Format('{} h', $.hours)"


def test_both_may_be_left_out() -> None:
    found = compiled()

    assert (found.error, found.error_path, found.cause, found.cause_path) == (None, None, None, None)


def test_jsonata_computes_them() -> None:
    found = compiled(QueryLanguage="JSONata", Error="{% 'La' & 'te' %}")

    assert found.error is not None
    assert found.error.evaluate(Scope(None)) == "Late"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"Error": 1}, "/Error: expected a string but found 1"),
        ({"Error": "Late", "ErrorPath": "$.e"}, "/ErrorPath: at most one of these fields can be given"),
        ({"Cause": "why", "CausePath": "$.c"}, "/CausePath: at most one of these fields can be given"),
        ({"ErrorPath": "Late"}, "/ErrorPath: The value for the field 'ErrorPath' must be a valid JSONPath or a valid"),
        ({"ErrorPath": 1}, "/ErrorPath: expected a JSONPath or an intrinsic function call but found 1"),
        ({"CausePath": "States.MathAdd(1, 2)"}, "/CausePath: States.MathAdd does not give a string"),
        ({"End": True}, "/End: the field 'End' is not supported by a Fail state"),
    ],
)
def test_a_wrong_field_is_refused(fields: dict[str, Any], error: str) -> None:
    (found,) = errors(machine_of({"Type": "Fail", **fields}))

    assert found.removeprefix("/States/A").startswith(error)
