from __future__ import annotations

from typing import Any

import pytest

from asl_engine.language.variable_references import variable_references


def of(state: dict[str, Any], **top: Any) -> list[str]:
    return variable_references({"StartAt": "S", "States": {"S": state}, **top}).get("S", [])


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ({"Type": "Pass", "Parameters": {"a.$": "$x", "b": {"c.$": "$y.z[0]"}}}, ["x", "y"]),
        ({"Type": "Pass", "Parameters": {"a.$": "States.Format('$no {}', $yes)"}}, ["yes"]),
        ({"Type": "Pass", "Parameters": {"a": "$x", "b.$": "$.x", "c.$": "$$.Execution.Id"}}, []),
        ({"Type": "Pass", "Assign": {"x.$": "$y", "z": 1}}, ["y"]),
        ({"Type": "Wait", "SecondsPath": "$pause"}, ["pause"]),
        ({"Type": "Choice", "Choices": [{"Variable": "$x", "NumericEqualsPath": "$y", "Next": "S"}]}, ["x", "y"]),
        ({"Type": "Pass", "Comment": "$x", "Result": {"a.b": "$x"}}, []),
    ],
)
def test_paths_and_intrinsic_calls_refer_to_variables(state: dict[str, Any], names: list[str]) -> None:
    assert of(state) == names


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("{% $x + $y.z %}", ["x", "y"]),
        ("{% $states.input.a & '$no' & \"$no\" %}", []),
        ("{% ($own := $x; $own * 2) %}", ["x"]),
        ("{% $map($xs, function($v, $i) { $v * $factor }) %}", ["factor", "xs"]),
        ("{% $map($xs, $uppercase) %}", ["xs"]),
        ("{% /* $no */ $sum($xs) %}", ["xs"]),
        ("$x", []),
    ],
)
def test_jsonata_refers_to_what_it_neither_binds_nor_calls(expression: str, names: list[str]) -> None:
    assert of({"Type": "Pass", "Output": {"deep": [expression]}}, QueryLanguage="JSONata") == names
    assert of({"Type": "Pass", "QueryLanguage": "JSONata", "Output": expression}) == names


def test_states_inside_of_a_map_or_a_parallel_have_lines_of_their_own() -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "InputPath": "$x"}}}
    definition: dict[str, Any] = {
        "StartAt": "M",
        "States": {
            "M": {"Type": "Map", "ItemsPath": "$items", "ItemProcessor": inner},
            "P": {"Type": "Parallel", "Branches": [{"States": {"B": {"Type": "Pass", "OutputPath": "$y"}}}]},
        },
    }
    assert variable_references(definition) == {"M": ["items"], "I": ["x"], "B": ["y"]}
