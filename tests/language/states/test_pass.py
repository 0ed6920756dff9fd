import pytest

from asl_engine.expressions.scope import Scope
from asl_engine.language.definition import PassState
from tests.language.definitions import errors_of, state


def test_a_result_is_kept_as_it_is_written() -> None:
    found = state({"Type": "Pass", "Result": {"a.$": "no path"}})

    assert isinstance(found, PassState)
    assert found.result is not None
    assert found.result.evaluate(Scope(None)) == {"a.$": "no path"}


def test_a_null_result_is_a_result() -> None:
    found = state({"Type": "Pass", "Result": None})

    assert isinstance(found, PassState)
    assert found.result is not None


@pytest.mark.parametrize("field", ["ResultSelector", "Retry", "Resource", "TimeoutSeconds"])
def test_a_pass_does_no_work(field: str) -> None:
    (error,) = errors_of({"Type": "Pass", field: {}})

    assert error == f"/{field}: the field '{field}' is not supported by a Pass state"


def test_a_name_given_both_as_value_and_as_path_is_refused() -> None:
    (error,) = errors_of({"Type": "Pass", "Parameters": {"a": 1, "a.$": "$.a"}})

    assert error.startswith("/Parameters: ")
