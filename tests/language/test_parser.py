import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asl_engine.errors import AslError, InvalidDefinition
from asl_engine.expressions.scope import Scope
from asl_engine.language.definition import PassState, QueryLanguage, TaskState
from asl_engine.language.diagnostics import DiagnosticCode, Severity
from asl_engine.language.parser import compile_definition, load_definition, parse_definition, parse_state
from asl_engine.limits import DEFINITION_BYTES_MAX, DEFINITION_TEXT_BYTES_MAX
from tests.language.definitions import END, SHIP, errors, machine, machine_of, state

TEN_MISTAKES = """{
  "StartAt": "Chargee",
  "TimeoutSeconds": "soon",
  "States": {
    "Charge": {
      "Type": "Task",
      "Resource": "arn:aws:states:::lambda:invok",
      "Parameters": {"order": {"id.$": "$.order["}},
      "ResultPath": "$.lines[*]",
      "Retry": [{"ErrorEquals": ["States.ALL", "Late"], "MaxAttempts": -1}],
      "Next": "Shipp"
    },
    "Ship": {
      "Type": "Wait",
      "Seconds": 5,
      "SecondsPath": "$.seconds",
      "Timestamp_": "2030-01-01T00:00:00Z",
      "End": true
    }
  }
}
"""
VALID: list[dict[str, Any]] = [
    machine_of(
        {
            "Type": "Task",
            "Resource": SHIP,
            "Parameters": {"order.$": "$.order", "label.$": "States.Format('{}', $.id)"},
            "ResultPath": "$.shipped",
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "BackoffRate": 1.5}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "C"}],
            "TimeoutSeconds": 30,
        },
        {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 3, "Next": "A"}], "Default": "C"},
        {"Type": "Succeed"},
    ),
    machine_of(
        {"Type": "Pass", "Output": {"total": "{% $sum($states.input.prices) %}"}, "Assign": {"n": "{% 1 %}"}},
        {
            "Type": "Map",
            "Items": "{% $states.input.rows %}",
            "MaxConcurrency": 3,
            "ItemProcessor": {"StartAt": "Row", "States": {"Row": END}},
        },
        QueryLanguage="JSONata",
    ),
    machine_of(
        {
            "Type": "Parallel",
            "Branches": [{"StartAt": "Left", "States": {"Left": END}}, {"StartAt": "Right", "States": {"Right": END}}],
        },
        {"Type": "Wait", "TimestampPath": "$.until"},
        {"Type": "Fail", "Error": "Late", "CausePath": "$.why"},
    ),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
asl_words = st.sampled_from(
    [
        "StartAt",
        "States",
        "Type",
        "Next",
        "End",
        "Pass",
        "Task",
        "Map",
        "Choice",
        "Branches",
        "ItemProcessor",
        "Retry",
        "ErrorEquals",
        "A",
        "$.a",
        "$$.Task.Token",
        "{% $x %}",
        "{% (",
        "States.UUID()",
        "JSONata",
        "JSONPath",
        "${X}",
    ]
)


def test_a_right_definition_becomes_a_machine() -> None:
    compiled = machine(machine_of({"Type": "Task", "Resource": SHIP}, END, Comment="ships", TimeoutSeconds=60))

    assert compiled.comment == "ships"
    assert compiled.timeout_seconds == 60
    assert compiled.root.start_at == "A"
    task, passing = compiled.root.states["A"], compiled.root.states["B"]
    assert isinstance(task, TaskState)
    assert (task.next, task.resource.arn) == ("B", SHIP)
    assert isinstance(passing, PassState)
    assert passing.next is None


def test_ten_mistakes_are_reported_in_one_pass() -> None:
    parsed = parse_definition(TEN_MISTAKES, source_name="order.asl.json")

    assert parsed.machine is None
    found = [(one.location, one.line) for one in parsed.diagnostics if one.severity is Severity.ERROR]
    assert found == [
        ("/StartAt", 2),
        ("/TimeoutSeconds", 3),
        ("/States/Charge/Resource", 7),
        ("/States/Charge/Parameters/order", 8),
        ("/States/Charge/ResultPath", 9),
        ("/States/Charge/Retry/0/ErrorEquals", 10),
        ("/States/Charge/Retry/0/MaxAttempts", 10),
        ("/States/Charge/Next", 11),
        ("/States/Ship/SecondsPath", 16),
        ("/States/Ship/Timestamp_", 17),
    ]


def test_a_diagnostic_reads_as_editors_and_people_expect() -> None:
    missing = next(
        one for one in parse_definition(TEN_MISTAKES, source_name="order.asl.json").diagnostics if one.line == 11
    )

    assert str(missing) == (
        "order.asl.json:11:7: error MISSING_TRANSITION_TARGET /States/Charge/Next: Missing 'Next' target: Shipp\n"
        '  hint: did you mean "Ship"?'
    )


def test_an_expression_inside_a_template_is_shown_where_it_stands() -> None:
    """AWS locates it at the object that holds the field; line and column point to the field itself."""
    text = (
        '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true, "Parameters": {\n  "a": 1,\n  "b.$": "$.x["}}}}'
    )

    (found,) = parse_definition(text).diagnostics

    assert (found.location, found.line, found.column) == ("/States/A/Parameters", 3, 3)
    assert "'b.$' must be a valid JSONPath or a valid intrinsic function call" in found.message
    assert "$.x[" in found.hint


def test_a_jsonata_expression_inside_of_a_template_is_shown_where_it_stands() -> None:
    text = (
        '{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass", "End": true,\n'
        '  "Output": {"rows": [1,\n    "{% $sum( %}"]}}}}'
    )

    (found,) = parse_definition(text).diagnostics

    assert (found.location, found.line, found.column) == ("/States/A/Output/rows/1", 3, 5)


def test_every_bad_expression_of_a_template_is_reported() -> None:
    template = {"a.$": "$.[", "deep": [{"b.$": "nothing"}], "fine.$": "$.c"}

    found = errors(machine_of({"Type": "Pass", "Parameters": template}))

    assert [error.partition(":")[0] for error in found] == ["/States/A/Parameters", "/States/A/Parameters/deep/0"]


def test_what_is_no_object_is_no_definition() -> None:
    assert errors([]) == ["/: expected an object but found an array"]
    assert errors({}) == ["/: These fields are required: [StartAt, States]"]


def test_an_unknown_field_is_reported_with_the_name_that_was_meant() -> None:
    (found,) = parse_definition(json.dumps(machine_of(END, StartsAt="A"))).diagnostics

    assert (found.code, found.location) == (DiagnosticCode.UNKNOWN_FIELD, "/StartsAt")
    assert found.hint == 'did you mean "StartAt"?'


def test_a_definition_has_one_version() -> None:
    assert machine(machine_of(END, Version="1.0")).version == "1.0"
    assert errors(machine_of(END, Version="2.0")) == [
        "/Version: The field 'Version' should have one of these values: [1.0]"
    ]


@pytest.mark.parametrize("definition", VALID)
def test_a_definition_is_named_by_its_content(definition: dict[str, Any]) -> None:
    """White space is no content, so a definition given as a value and its text are the same machine."""
    from_value = compile_definition(definition)

    assert from_value.sha256 == compile_definition(json.dumps(definition, indent=4)).sha256
    assert from_value.definition == definition
    assert from_value.sha256 != compile_definition({**definition, "Comment": "another"}).sha256


def test_a_machine_does_not_change_with_the_value_that_it_was_made_of() -> None:
    definition = machine_of({"Type": "Pass", "Result": {"n": [1]}})
    compiled = compile_definition(definition)

    definition["States"]["A"]["Result"]["n"].append(2)

    passing = compiled.root.states["A"]
    assert isinstance(passing, PassState)
    assert passing.result is not None
    assert passing.result.evaluate(Scope(None)) == {"n": [1]}


def test_branches_are_found_by_the_states_around_them() -> None:
    inner = {"Type": "Map", "ItemProcessor": {"StartAt": "Leaf", "States": {"Leaf": END}}, "End": True}
    outer = {
        "Type": "Parallel",
        "Branches": [{"StartAt": "P", "States": {"P": END}}, {"StartAt": "M", "States": {"M": inner}}],
    }

    compiled = machine(machine_of(outer))

    assert set(compiled.branches) == {"", "A/0", "A/1", "A/1/M/0"}
    assert compiled.branches["A/1/M/0"].start_at == "Leaf"


def test_a_program_gets_all_diagnostics_of_a_definition_that_cannot_run() -> None:
    with pytest.raises(InvalidDefinition) as caught:
        compile_definition(machine_of({"Type": "Wait"}, {"Type": "Pass", "Nxt": 1}))

    assert len(caught.value.diagnostics) == 2
    assert "exactly one of these fields is required" in str(caught.value)
    assert 'did you mean "Next"?' in str(caught.value)


@pytest.mark.parametrize("definition", ["", "{", '{"a": NaN}', "[" * 5000, {"a": float("nan")}, {"a": {1, 2}}, "null"])
def test_what_is_no_json_is_an_invalid_definition_too(definition: Any) -> None:
    with pytest.raises(InvalidDefinition):
        compile_definition(definition)


def test_a_state_given_twice_is_told_from_any_other_key_given_twice() -> None:
    text = '{"StartAt": "A", "Comment": "", "Comment": "", "States": {"A": {"Type": "Succeed"}, "A": {"Type": "Fail"}}}'

    assert [(one.code, one.location, one.column) for one in parse_definition(text).diagnostics] == [
        (DiagnosticCode.DUPLICATE_KEY, "/Comment", 33),
        (DiagnosticCode.DUPLICATE_STATE_NAME, "/States/A", 85),
    ]


def test_a_key_given_twice_is_refused_by_programs_too() -> None:
    with pytest.raises(InvalidDefinition, match="occurs twice"):
        compile_definition('{"StartAt": "A", "StartAt": "A", "States": {"A": {"Type": "Succeed"}}}')


def test_warnings_do_not_keep_a_machine_from_running() -> None:
    parsed = parse_definition(
        json.dumps(machine_of({"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "B"}]}, END))
    )

    assert parsed.machine is not None
    assert len(parsed.machine.warnings) == len(parsed.diagnostics) == 1
    assert "CHOICE_WITHOUT_DEFAULT" in parsed.machine.warnings[0]


def test_a_machine_in_jsonata_cannot_hold_states_in_jsonpath() -> None:
    definition = machine_of({"Type": "Pass", "QueryLanguage": "JSONPath"}, QueryLanguage="JSONata")

    assert errors(definition) == [
        "/States/A: 'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
    ]


def test_a_machine_in_jsonpath_can_hold_states_in_jsonata() -> None:
    compiled = state({"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% 1 %}"})

    assert compiled.query_language is QueryLanguage.JSONATA


def test_states_inside_take_the_query_language_of_the_machine_not_of_the_state_around_them() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "InputPath": "$.a", "End": True}}}

    compiled = machine(machine_of({"Type": "Map", "QueryLanguage": "JSONata", "ItemProcessor": inner}))

    assert compiled.branches["A/0"].states["In"].query_language is QueryLanguage.JSONPATH


def test_an_unknown_query_language_is_reported() -> None:
    assert errors(machine_of(END, QueryLanguage="jsonata")) == [
        "/QueryLanguage: The field 'QueryLanguage' should have one of these values: [JSONPath, JSONata]"
    ]


def test_an_express_workflow_cannot_wait_for_jobs_or_callbacks() -> None:
    text = json.dumps(
        machine_of({"Type": "Task", "Resource": "arn:aws:states:::sns:publish.waitForTaskToken", "TimeoutSeconds": 9})
    )

    (found,) = parse_definition(text, express=True).diagnostics

    assert found.location == "/States/A/Resource"
    assert found.message == "Express state machine does not support '.waitForTaskToken' service integration "
    assert parse_definition(text).machine is not None


def test_an_express_workflow_has_no_activities() -> None:
    activity = {"Type": "Task", "Resource": "arn:aws:states:eu-west-1:111122223333:activity:pack", "TimeoutSeconds": 9}

    (found,) = parse_definition(json.dumps(machine_of(activity)), express=True).diagnostics

    assert found.message == "Express state machine does not support Activity ARNs"
    assert (
        parse_definition(json.dumps(machine_of({"Type": "Task", "Resource": SHIP})), express=True).machine is not None
    )


def test_an_express_workflow_has_no_distributed_maps() -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    processor = {"ProcessorConfig": config, "StartAt": "In", "States": {"In": END}}
    text = json.dumps(machine_of({"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 1}))

    (found,) = parse_definition(text, express=True).diagnostics

    assert found.location == "/States/A/ItemProcessor/ProcessorConfig/Mode"
    assert found.message == "Express state machine does not support distributed Map states"
    assert parse_definition(text).machine is not None


def test_one_state_by_itself_may_lead_to_states_that_do_not_exist() -> None:
    parsed = parse_state({"Type": "Pass", "Next": "Elsewhere"})

    assert parsed.machine is not None
    assert parsed.machine.root.states["StateName"].next == "Elsewhere"


def test_a_mistake_in_one_state_by_itself_is_located_as_aws_does() -> None:
    (found,) = parse_state({"Type": "Parallel", "Branches": [], "Next": "Elsewhere"}).diagnostics

    assert (found.location, found.message) == ("/States/StateName/Branches", "Value cannot be empty")


@pytest.mark.parametrize("name", ["order.json", "order.asl.json", "order.asl"])
def test_a_json_file_is_loaded_by_its_extension(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(json.dumps(machine_of(END)), encoding="utf-8")

    assert load_definition(file).machine is not None


@pytest.mark.parametrize("name", ["order.yaml", "order.asl.yml"])
def test_a_yaml_file_is_loaded_by_its_extension(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("StartAt: A\nStates:\n  A: {Type: Pass, Next: B}\n", encoding="utf-8")

    (found,) = (
        one for one in load_definition(file).diagnostics if one.code is DiagnosticCode.MISSING_TRANSITION_TARGET
    )

    assert str(found).startswith(f"{file}:3:19: error")


def test_a_file_that_cannot_be_read_is_an_error_of_the_engine(tmp_path: Path) -> None:
    with pytest.raises(AslError, match=r"no\.json cannot be read: No such file"):
        load_definition(tmp_path / "no.json")
    with pytest.raises(AslError, match="must end in one of"):
        load_definition(tmp_path / "order.txt")


def test_a_definition_too_large_for_aws_is_refused_before_it_is_read_on() -> None:
    huge = {**machine_of(END), "Comment": "x" * DEFINITION_BYTES_MAX}

    (found,) = parse_definition(json.dumps(huge)).diagnostics

    assert found.code is DiagnosticCode.DEFINITION_TOO_LARGE


def test_white_space_does_not_count_against_the_size_of_a_definition() -> None:
    assert parse_definition(json.dumps(machine_of(END)) + " " * DEFINITION_BYTES_MAX).machine is not None


def test_a_text_beyond_all_bounds_is_not_even_parsed() -> None:
    (found,) = parse_definition(b"[" * (DEFINITION_TEXT_BYTES_MAX + 1)).diagnostics

    assert found.code is DiagnosticCode.DEFINITION_TOO_LARGE


def test_nesting_beyond_the_bound_is_a_diagnostic() -> None:
    text = '{"a":' * 1_000 + "1" + "}" * 1_000

    (found,) = parse_definition(text).diagnostics

    assert found.code is DiagnosticCode.NESTED_TOO_DEEPLY


def test_a_template_nested_too_deeply_for_the_parser_is_a_diagnostic() -> None:
    template: Any = 1
    for _ in range(480):
        template = {"a": template}
    state = {"Type": "Pass", "Parameters": template, "End": True}

    (found,) = parse_definition(json.dumps(machine_of(state))).diagnostics
    assert found.message == "Parameters is nested too deeply"


def test_branches_nested_too_deeply_for_the_parser_are_a_diagnostic() -> None:
    branch: dict[str, Any] = {"StartAt": "Leaf", "States": {"Leaf": END}}
    for depth in range(110):
        parallel = {"Type": "Parallel", "Branches": [branch], "End": True}
        branch = {"StartAt": f"S{depth}", "States": {f"S{depth}": parallel}}

    for parsed in (_on_a_short_stack(parse_definition, json.dumps(branch)), _on_a_short_stack(parse_state, parallel)):
        assert [one.code for one in parsed.diagnostics] == [DiagnosticCode.NESTED_TOO_DEEPLY]
    with pytest.raises(InvalidDefinition, match="nested too deeply"):
        _on_a_short_stack(compile_definition, json.dumps(branch))


def test_a_long_value_is_shown_in_part() -> None:
    (found,) = parse_definition(json.dumps(machine_of({"Type": "Wait", "Seconds": "x" * 500}))).diagnostics

    assert found.message == f'expected an integer but found "{"x" * 59}…'


def test_a_name_cannot_break_out_of_a_terminal() -> None:
    (found,) = parse_definition(json.dumps(machine_of({**END, "\x1b[31mRed\n": 1}))).diagnostics

    assert "\x1b" not in str(found)
    assert r"\x1b[31mRed\n" in found.message


@given(st.text() | st.binary(), st.booleans())
def test_any_text_gives_a_machine_or_diagnostics(text: str | bytes, yaml: bool) -> None:
    parsed = parse_definition(text, yaml=yaml)

    assert (parsed.machine is None) == any(one.severity is Severity.ERROR for one in parsed.diagnostics)


@given(json_values)
def test_any_value_gives_a_machine_or_diagnostics(value: Any) -> None:
    parsed = parse_definition(json.dumps(value))

    assert (parsed.machine is None) == any(one.severity is Severity.ERROR for one in parsed.diagnostics)


@settings(max_examples=300)
@given(
    st.sampled_from(VALID), st.randoms(use_true_random=False), st.lists(asl_words | json_values, min_size=1, max_size=3)
)
def test_a_definition_changed_anywhere_gives_a_machine_or_diagnostics(
    definition: dict[str, Any], random: Any, changes: list[Any]
) -> None:
    changed = json.loads(json.dumps(definition))
    for change in changes:
        node, key = random.choice(_members(changed))
        if isinstance(change, str) and isinstance(node, dict) and random.random() < 0.5:
            node[change] = node.pop(key)
        else:
            node[key] = change

    parsed = parse_definition(json.dumps(changed))

    assert (parsed.machine is None) == any(one.severity is Severity.ERROR for one in parsed.diagnostics)
    assert all(one.line is not None for one in parsed.diagnostics if one.location)


def _on_a_short_stack(call: Callable[[Any], Any], argument: Any) -> Any:
    """Call with 500 frames left, so that it is the parser and not the test that runs out of them."""

    def deeper(frames: int) -> Any:
        return call(argument) if frames == 0 else deeper(frames - 1)

    used = len(inspect.stack(0))
    return deeper(sys.getrecursionlimit() - used - 500)


def _members(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        node = pending.pop()
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            found.append((node, key))
            if isinstance(node[key], dict | list):
                pending.append(node[key])
    return found
