from typing import Any

import pytest

from asl_engine.language.diagnostics import DiagnosticCode
from tests.language.definitions import END, diagnostics, machine_of

ASSIGN = {"Type": "Pass", "Assign": {"total": 1, "order.$": "$.order"}, "Next": "B"}


def advice(state: dict[str, Any], language: str) -> list[tuple[str, str]]:
    """Messages and hints about names, of a state before which `total` and `order` are assigned in JSONPath."""
    found = diagnostics(machine_of(ASSIGN, {**END, **state, "QueryLanguage": language}))
    return [(one.message, one.hint) for one in found if one.code is DiagnosticCode.UNKNOWN_NAME]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("$summ([1])", "no function is named $summ", 'did you mean "sum"?'),
        ("$eval('1')", "no function is named $eval", ""),
        ("$states.inptu.a", "$states has no inptu", 'did you mean "input"?'),
        ("$state.input", "no state assigns $state", 'did you mean "states"?'),
        ("$totl + 1", "no state assigns $totl", 'did you mean "total"?'),
    ],
)
def test_a_name_in_jsonata_that_nothing_bears_is_pointed_out(text: str, message: str, hint: str) -> None:
    assert advice({"Output": {"a": [f"{{% {text} %}}"]}}, "JSONata") == [(message, hint)]


@pytest.mark.parametrize(
    "text",
    [
        "$sum([$total, $order.price])",
        "($twice := function($x) { $x * 2 }; $twice($states.context.State.RetryCount))",
        "$map($states.input.rows, function($row, $index) { $row.id & $index })",
        "$states.input.orders@$order.lines#$index[$order.id = $index]",
        "'$nobody(1) of $states.nothing' & $uuid()",
        "$states.input._id.`$oid`",
    ],
)
def test_a_name_in_jsonata_that_something_bears_is_right(text: str) -> None:
    assert advice({"Output": f"{{% {text} %}}"}, "JSONata") == []


def test_a_variable_in_a_path_must_be_assigned_somewhere() -> None:
    template = {"a.$": "$total", "b.$": "States.Format('$c {}', $ordr.id)", "c": "$total of $5"}

    assert advice({"Parameters": template}, "JSONPath") == [("no state assigns $ordr", 'did you mean "order"?')]
    assert advice({"InputPath": "$totals"}, "JSONPath") == [("no state assigns $totals", 'did you mean "total"?')]


def test_it_is_shown_where_it_stands() -> None:
    (found,) = diagnostics(machine_of({"Type": "Pass", "Parameters": {"a": {"b.$": "$nobody"}}}))

    assert (found.code, found.location) == (DiagnosticCode.UNKNOWN_NAME, "/States/A/Parameters/a/b.$")


def test_a_call_that_can_only_fail_is_pointed_out() -> None:
    state = {"Type": "Pass", "Parameters": {"a.$": "States.Format('{}')", "b": "States.Format('{}')"}}
    found = [one for one in diagnostics(machine_of(state)) if one.code is DiagnosticCode.INVALID_EXPRESSION]

    assert [one.location for one in found] == ["/States/A/Parameters/a.$"]
    assert "the template has 1 placeholders but 0 values are given" in found[0].message
