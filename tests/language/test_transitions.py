from typing import Any

from asl_engine.json_value import JsonObject
from asl_engine.language.definition import QueryLanguage
from asl_engine.language.diagnostics import DiagnosticCode, Severity
from asl_engine.language.parser import compile_definition
from tests.language.definitions import END, SHIP, diagnostics, errors, errors_of, machine_of


def test_a_target_must_be_a_state() -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "Packk"}], "Default": "Nowhere"}
    definition = {"StartAt": "Sort", "States": {"Sort": choice, "Pack": END}}

    assert errors(definition) == [
        "/States/Sort/Choices/0/Next: Missing 'Next' target: Packk",
        "/States/Sort/Default: Missing 'Default' target: Nowhere",
        '/States/Pack: State "Pack" is not reachable.',
    ]


def test_the_first_state_must_be_there() -> None:
    assert errors({**machine_of(END), "StartAt": "Begin"}) == ["/StartAt: Missing 'StartAt' target: Begin"]


def test_a_branch_cannot_be_left_by_next() -> None:
    branch = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Next": "B"}}}
    found = diagnostics(machine_of({"Type": "Parallel", "Branches": [branch]}, END))

    (outside,) = (one for one in found if "Next" in one.location)
    assert outside.location == "/States/A/Branches/0/States/In/Next"
    assert "in another branch" in outside.hint


def test_a_state_that_nothing_leads_to_is_an_error() -> None:
    definition = {"StartAt": "A", "States": {"A": END, "B": {"Type": "Pass", "Next": "C"}, "C": END}}

    assert errors(definition) == ['/States/B: State "B" is not reachable.', '/States/C: State "C" is not reachable.']


def test_a_state_is_reached_by_catch_too() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    task = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Catch": catch, "End": True}

    assert errors(machine_of(task, END)) == []


def test_where_a_state_of_unknown_type_leads_is_reached() -> None:
    (error,) = errors_of({"Type": "Pas", "Next": "B"})

    assert error.endswith("one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]")


def test_a_branch_that_can_never_end_is_an_error() -> None:
    (error,) = errors(machine_of({"Type": "Pass", "Next": "B"}, {"Type": "Pass", "Next": "A"}))

    assert error.startswith("/States: no state ends the branch")


def test_states_that_lead_to_no_end_are_pointed_out_once() -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "B"}], "Default": "D"}
    on, back = {"Type": "Pass", "Next": "C"}, {"Type": "Wait", "Seconds": 5, "Next": "B"}

    (found,) = diagnostics(machine_of(choice, on, back, END))

    assert (found.severity, found.code) == (Severity.WARNING, DiagnosticCode.MISSING_END_STATE)
    assert found.location == "/States/B"
    assert found.message.startswith("no end can be reached from this state, nor from 1 more:")


def test_a_loop_that_can_be_left_is_right() -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "C"}], "Default": "A"}
    task = {"Type": "Task", "Resource": SHIP, "TimeoutSeconds": 60, "Next": "B"}
    caught = {**task, "Catch": [{"ErrorEquals": ["E"], "Next": "C"}]}

    assert diagnostics(machine_of({"Type": "Wait", "Seconds": 5, "Next": "B"}, choice, END)) == []
    assert diagnostics(machine_of(caught, {"Type": "Pass", "Next": "A"}, END)) == []


def test_a_loop_that_nothing_leads_to_is_an_error_and_no_more() -> None:
    loop = {"Type": "Pass", "Next": "C"}, {"Type": "Pass", "Next": "B"}

    assert [one.severity for one in diagnostics(machine_of(END, *loop))] == [Severity.ERROR] * 2


def test_fail_and_succeed_end_a_branch() -> None:
    assert errors(machine_of({"Type": "Fail"})) == []
    assert errors(machine_of({"Type": "Succeed"})) == []


def test_a_state_goes_on_or_ends() -> None:
    assert errors_of({"Type": "Pass", "Next": "B", "End": True}) == [
        "/Next: at most one of these fields can be given: [Next, End]"
    ]
    definition: dict[str, Any] = {"StartAt": "A", "States": {"A": {"Type": "Pass"}, "B": END}}
    assert "/States/A: exactly one of these fields is required: [Next, End]" in errors(definition)


def test_end_false_is_as_good_as_no_end() -> None:
    assert errors_of({"Type": "Pass", "Next": "B", "End": False}) == []


def test_state_names_are_unique_in_the_whole_machine() -> None:
    branch = {"StartAt": "B", "States": {"B": END}}
    (error,) = errors(machine_of({"Type": "Parallel", "Branches": [branch]}, END))

    assert error == '/States/A/Branches/0/States/B: a state named "B" already exists in another branch'


def test_a_state_name_has_a_longest_length() -> None:
    longest = "s" * 80
    assert errors({"StartAt": longest, "States": {longest: END}}) == []
    (error,) = errors({"StartAt": longest + "s", "States": {longest + "s": END}})
    assert error.endswith("a state name has between 1 and 80 characters; this one has 81")


def test_a_field_of_the_machine_among_the_states_is_pointed_out() -> None:
    definition = {"StartAt": "A", "States": {"A": END, "Version": "1.0"}}
    found = diagnostics(definition)

    assert found[0].message == 'expected an object but found "1.0"'
    assert found[0].hint == "Version belongs beside States, not into it"


def test_a_query_language_among_the_states_is_taken_for_the_machines_with_a_warning() -> None:
    """Deployed definitions have it so, and their states are written in it."""
    state: JsonObject = {"Type": "Pass", "Output": "{% 1 + 1 %}", "End": True}
    definition: JsonObject = {"StartAt": "A", "States": {"QueryLanguage": "JSONata", "A": state}}

    assert errors(definition) == []
    (warning,) = diagnostics(definition)
    assert (warning.code, warning.location) == (DiagnosticCode.MISPLACED_FIELD, "/States/QueryLanguage")
    machine = compile_definition(definition)
    assert machine.query_language is QueryLanguage.JSONATA
    assert machine.definition == definition


def test_a_machine_without_states_is_refused() -> None:
    assert "/States: Value cannot be empty" in errors({"StartAt": "A", "States": {}})


def test_a_branch_whose_end_is_misspelled_has_that_one_problem() -> None:
    states: JsonObject = {"A": {"Type": "Pass", "Next": "Done"}}
    assert errors({"StartAt": "A", "States": states}) == ["/States/A/Next: Missing 'Next' target: Done"]
