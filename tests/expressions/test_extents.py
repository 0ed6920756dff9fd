from __future__ import annotations

import pytest

from asl_engine.errors import EvaluationError
from asl_engine.expressions.extents import Extents, Growth
from asl_engine.expressions.payload_template import compile_template
from asl_engine.expressions.scope import Scope
from asl_engine.json_value import JsonValue
from asl_engine.limits import EXPRESSION_RESULT_BYTES_MAX, JSON_DEPTH_MAX


def nested(levels: int) -> JsonValue:
    value: JsonValue = 1
    for _ in range(levels):
        value = [value]
    return value


def test_what_stands_in_two_places_counts_twice_and_is_looked_at_once() -> None:
    """Forty doublings would have a trillion characters: this ends only because shared parts are known."""
    value: JsonValue = ["x" * 1000]
    for _ in range(12):
        value = {"a": value, "b": value}
    assert 4_000_000 < Extents().size(value) < 5_000_000
    for _ in range(40):
        value = [value, value]
    with pytest.raises(EvaluationError, match="DataLimitExceeded"):
        Extents().admit(value)


def test_what_was_admitted_is_summed() -> None:
    extents = Extents()
    sizes = [extents.admit("x" * 100), extents.admit([1, 2])]
    assert extents.total == sum(sizes)


@pytest.mark.parametrize("levels", [JSON_DEPTH_MAX + 1, 5_000])
def test_a_value_that_could_not_be_written_is_too_deep(levels: int) -> None:
    assert Extents().size(nested(JSON_DEPTH_MAX)) > 0
    with pytest.raises(EvaluationError, match="nested more than 500 levels deep"):
        Extents().size(nested(levels))


def test_depth_adds_up_over_parts_that_are_known() -> None:
    extents = Extents()
    inner: JsonValue = {"long": "x" * 1000, "deep": nested(JSON_DEPTH_MAX - 1)}
    extents.size(inner)
    with pytest.raises(EvaluationError, match="nested more than"):
        extents.size([inner])


@pytest.mark.parametrize(
    ("template", "growth"),
    [
        ({"id.$": "$.id", "total.$": "$.cart.total"}, 1),
        ({"id.$": "$.id", "again.$": "$.id"}, 2),
        ({"cart.$": "$.cart", "total.$": "$.cart.total"}, 2),
        ({"all.$": "$"}, 2),
        ({"a": [{"b.$": "$.b"}]}, 2),
        ({"a.$": "$.a", "x.$": "$x.a", "name.$": "$$.Execution.Name"}, 3),
        ({"n.$": "States.ArrayContains($.n, 1)", "m.$": "States.ArrayLength($.n)"}, 1),
        ({"text.$": "States.Format('{} {} {}', $.s, $.s, 1)"}, 4),
        ({"text.$": "States.JsonToString($.s)"}, 2),
    ],
)
def test_a_template_knows_how_often_it_uses_the_same_data(template: JsonValue, growth: int) -> None:
    scope = Scope({"n": [1], "s": "x" * 2_000, "a": [], "b": [], "id": [], "cart": {"total": []}}, {"x": {"a": []}})
    scope.context = lambda: {"Execution": {"Name": "n"}}
    compile_template(template, field="Parameters").evaluate(scope)
    assert scope.growth == growth


def test_short_values_let_nothing_grow() -> None:
    scope = Scope({"s": "short"})
    compile_template({"a.$": "$.s", "b.$": "States.Format('{}{}', $.s, $.s)"}, field="Parameters").evaluate(scope)
    assert scope.growth == 1


def test_only_what_may_have_grown_is_measured() -> None:
    scope = Scope(None)
    scope.admit(["x" * 1_000])
    assert scope.extents.total == 0

    scope.growth = 2
    scope.admit(["x" * 1_000])
    assert scope.extents.total >= 1_000
    assert scope.growth == 1


def test_all_long_texts_of_one_state_are_bounded_together() -> None:
    """Each alone is within the limit, but a template of a thousand would take all memory."""
    scope = Scope({"s": "x" * (EXPRESSION_RESULT_BYTES_MAX // 4)})
    template: JsonValue = {f"{number}.$": "States.Format('{}', $.s)" for number in range(5)}
    with pytest.raises(EvaluationError, match="DataLimitExceeded"):
        compile_template(template, field="Parameters").evaluate(scope)


@pytest.mark.parametrize("function", ["States.JsonToString({})", "States.Format('{{}}', {})", "States.ArrayLength({})"])
def test_what_is_put_together_inside_a_call_is_measured_before_it_is_written(function: str) -> None:
    many = "States.Array($, $, $, $, $, $, $, $)"
    inner = f"States.Array({', '.join([many] * 8)})"
    scope = Scope(["x" * (EXPRESSION_RESULT_BYTES_MAX // 32)])
    with pytest.raises(EvaluationError, match="DataLimitExceeded"):
        compile_template({"a.$": function.format(inner)}, field="Parameters").evaluate(scope)


def test_a_growth_without_members_is_none() -> None:
    growth = Growth()
    growth.conclude()
    assert growth.most == 1
