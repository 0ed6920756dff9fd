from typing import Any

import pytest

from tests.language.definitions import END, SHIP, diagnostics, errors, errors_of, machine_of


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": SHIP, **fields}


def assigning(*names: str) -> dict[str, object]:
    return {"Type": "Pass", "Assign": dict.fromkeys(names, 1), "End": True}


def test_a_branch_cannot_assign_what_an_outer_scope_assigned() -> None:
    branch = {"StartAt": "In", "States": {"In": assigning("total")}}
    parallel = {"Type": "Parallel", "Branches": [branch], "Next": "B"}

    (error,) = errors(machine_of(parallel, assigning("total")))

    assert error.startswith("/States/A/Branches/0/States/In/Assign/total: the variable 'total' is assigned by an outer")


def test_branches_side_by_side_can_use_the_same_name() -> None:
    branches = [{"StartAt": name, "States": {name: assigning("total")}} for name in ("Left", "Right")]

    assert errors(machine_of({"Type": "Parallel", "Branches": branches})) == []


def test_the_scopes_around_a_distributed_map_do_not_matter_inside() -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "In",
        "States": {"In": assigning("total")},
    }

    assert errors(machine_of({"Type": "Map", "ItemProcessor": processor, "Assign": {"total": 1}})) == []


def test_a_scope_two_levels_out_counts_too() -> None:
    inner = {"Type": "Map", "ItemProcessor": {"StartAt": "In", "States": {"In": assigning("n")}}, "End": True}
    outer = {"Type": "Map", "ItemProcessor": {"StartAt": "Mid", "States": {"Mid": inner}}, "Assign": {"n.$": "$"}}

    assert len(errors(machine_of(outer))) == 1


@pytest.mark.parametrize("name", ["1st", "a-b", "", "states", "x" * 81, "$a"])
def test_a_variable_needs_a_name_that_expressions_can_use(name: str) -> None:
    (error,) = errors_of({"Type": "Pass", "Assign": {name: 1}})

    assert error.startswith(f"/Assign/{name}: ")


def test_a_letter_of_any_script_can_begin_a_name() -> None:
    assert errors_of({"Type": "Pass", "Assign": {"größe_2": 1, "数.$": "$.n"}}) == []


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_assign_is_an_object(value: object) -> None:
    (error,) = errors_of({"Type": "Pass", "Assign": value})

    assert error.startswith("/Assign: expected an object")


def test_the_suffix_of_a_template_belongs_to_no_name_in_jsonata() -> None:
    (error,) = errors_of({"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"a.$": "x"}})

    assert "'a.$' is no variable name" in error


def test_a_state_without_states_inside_has_no_scope_of_its_own() -> None:
    assert errors(machine_of({**assigning("n"), "End": False, "Next": "B"}, assigning("n"))) == []


RESULT = "{% $states.result %}"
ERROR_OUTPUT = "{% $states.errorOutput.Cause %}"
IN_JSONATA = {"QueryLanguage": "JSONata"}


@pytest.mark.parametrize(
    ("state", "location"),
    [
        (task(TimeoutSeconds=60, Arguments={"a": [RESULT]}), "/Arguments/a/0"),
        (task(TimeoutSeconds=RESULT), "/TimeoutSeconds"),
        (task(TimeoutSeconds=60, Arguments=ERROR_OUTPUT), "/Arguments"),
        (task(TimeoutSeconds=60, Output=ERROR_OUTPUT), "/Output"),
        ({"Type": "Wait", "Seconds": RESULT}, "/Seconds"),
        ({"Type": "Wait", "Seconds": 1, "Output": RESULT}, "/Output"),
        ({"Type": "Pass", "Assign": {"a": ERROR_OUTPUT}}, "/Assign/a"),
        (
            {
                "Type": "Map",
                "MaxConcurrency": 1,
                "Items": RESULT,
                "ItemProcessor": {"StartAt": "In", "States": {"In": END}},
            },
            "/Items",
        ),
    ],
)
def test_what_states_does_not_have_in_a_field_is_an_error(state: dict[str, Any], location: str) -> None:
    (found,) = diagnostics(machine_of(state, END, **IN_JSONATA))

    assert found.location == f"/States/A{location}"
    assert " does not exist in this field" in found.hint


def test_a_result_and_an_error_can_be_read_where_they_are() -> None:
    caught = {"ErrorEquals": ["States.ALL"], "Next": "B", "Output": ERROR_OUTPUT, "Assign": {"a": ERROR_OUTPUT}}
    rule = {"Condition": "{% $states.input.ok %}", "Next": "B", "Output": RESULT}

    assert errors_of(task(Output=RESULT, Assign={"b": {"c": RESULT}}, Catch=[caught]), **IN_JSONATA) == []
    assert errors_of({"Type": "Pass", "Output": RESULT}, **IN_JSONATA) == []
    assert errors_of({"Type": "Choice", "Choices": [rule], "Default": "B"}, **IN_JSONATA) == []
    assert errors_of(task(Arguments="{% $states %}"), **IN_JSONATA) == []
