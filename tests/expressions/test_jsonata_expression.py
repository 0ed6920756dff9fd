"""What a JSONata expression can name, what it answers, and how its failures are told."""

import pytest

from asl_engine.errors import EvaluationError
from asl_engine.expressions.jsonata_expression import JsonataExpression
from asl_engine.expressions.scope import Entropy, Scope
from asl_engine.json_value import JsonObject, JsonValue, dump_json

ORDER: JsonObject = {
    "id": 7,
    "lines": [{"sku": "a", "price": 2.5}, {"sku": "b", "price": 4}],
    "tags": ["new"],
    "note": None,
}
SENTENCE = "The JSONata expression '{}' specified for the field 'Output/total'"


def evaluate(text: str, scope: Scope | None = None, *, expected: str | None = None) -> JsonValue:
    return JsonataExpression(text, "Output/total", expected, frozenset()).evaluate(scope or Scope(ORDER))


def cause_of(text: str, scope: Scope | None = None, *, expected: str | None = None) -> str:
    with pytest.raises(EvaluationError) as caught:
        evaluate(text, scope, expected=expected)
    assert caught.value.error == "States.QueryEvaluationError"
    assert caught.value.location == "Output/total"
    return caught.value.cause


def refuse_context() -> JsonObject:
    pytest.fail("the Context object was built for nothing")


class TestWhatItNames:
    def test_the_input(self) -> None:
        assert evaluate("$sum($states.input.lines.price)") == 6.5

    def test_the_whole_of_states(self) -> None:
        scope = Scope(1, {"v": 2}, lambda: {"State": {"Name": "Bill"}}, result=3, error_output=4)
        assert evaluate("$states", scope) == {
            "input": 1,
            "context": {"State": {"Name": "Bill"}},
            "result": 3,
            "errorOutput": 4,
        }

    def test_a_result_that_is_null(self) -> None:
        assert evaluate("$states.result = null", Scope(1, result=None)) is True

    @pytest.mark.parametrize("member", ["result", "errorOutput"])
    def test_a_member_that_the_place_does_not_have_is_undefined(self, member: str) -> None:
        assert "returned nothing (undefined)." in cause_of(f"$states.{member}")

    @pytest.mark.parametrize(
        "text",
        [
            "$states.context.State.Name",
            "$lookup($states, 'context').State.Name",
            "($s := $states; $s.context.State.Name)",
        ],
    )
    def test_the_context_object_however_it_is_reached(self, text: str) -> None:
        assert evaluate(text, Scope(1, context=lambda: {"State": {"Name": "Bill"}})) == "Bill"

    @pytest.mark.parametrize("text", ["$states.input.id", "$v", "'context'", "$states.input.context = 1"])
    def test_the_context_object_is_not_built_for_who_does_not_name_it(self, text: str) -> None:
        evaluate(text, Scope({"id": 1, "context": 2}, {"v": 1}, refuse_context))

    def test_variables(self) -> None:
        assert evaluate("$rate * $states.input.id & $ünit", Scope(ORDER, {"rate": 3, "ünit": "kg"})) == "21kg"

    def test_a_variable_with_the_name_of_a_built_in_function_wins(self) -> None:
        assert evaluate("$sum + 1", Scope(None, {"sum": 5})) == 6
        assert evaluate("$sum([1, 2])", Scope(None, {"total": 5})) == 3

    def test_a_variable_with_the_name_of_a_function_of_step_functions_wins(self) -> None:
        assert evaluate("$parse", Scope(None, {"parse": 5})) == 5
        assert evaluate("$uuid", Scope(None, {"uuid": 5})) == 5

    def test_a_variable_may_feed_a_local_one_of_its_own_name(self) -> None:
        assert evaluate("($n := $n + 1; $n)", Scope(None, {"n": 1})) == 2

    def test_a_variable_named_like_a_word_of_the_language(self) -> None:
        assert evaluate("[$null, $in, $true]", Scope(None, {"null": 1, "in": 2, "true": 3})) == [1, 2, 3]

    @pytest.mark.parametrize("text", ["$", "$$", "id", "input", "states", "$string()", "$$.states"])
    def test_there_is_no_context_value_outside_of_a_path(self, text: str) -> None:
        assert "returned nothing (undefined)." in cause_of(text, Scope(ORDER, {"id": 1}))

    def test_variables_and_states_are_there_beside_the_root_context(self) -> None:
        assert evaluate("[$count($$), $n, $states.input.id, $sum]", Scope(ORDER, {"n": 3, "sum": 4})) == [0, 3, 7, 4]

    def test_eval_does_not_exist(self) -> None:
        assert cause_of("$eval('1')").endswith("T1006: Attempted to invoke a non-function")
        assert evaluate("$eval + 1", Scope(None, {"eval": 1})) == 2

    def test_the_clock_is_that_of_the_scope(self) -> None:
        assert evaluate("[$now(), $millis()]", Scope(None, now=86_400_000)) == ["1970-01-02T00:00:00.000Z", 86_400_000]

    def test_chance_is_that_of_the_scope(self) -> None:
        twin = Entropy("seed")
        expected: list[JsonValue] = [twin.random(), twin.uuid(), twin.random()]
        assert evaluate("[$random(), $uuid(), $random()]", Scope(None, entropy=Entropy("seed"))) == expected


class TestWhatItAnswers:
    @pytest.mark.parametrize(
        ("text", "result"),
        [
            ("null", "null"),
            ("$states.input.note", "null"),
            ("$states.input.tags", '["new"]'),
            ("$states.input.tags[0]", '"new"'),
            ("$states.input.lines[price > 3].sku", '"b"'),
            ("$states.input.lines[price > 3].sku[]", '["b"]'),
            ("[]", "[]"),
            ("[[1]]", "[[1]]"),
            ("3.0", "3"),
            ("$states.input.lines[0].price * 2", "5"),
            ("9007199254740993", "9007199254740992"),
            ("/n(.)w/('new').groups", '["e"]'),
            ("(1; )", "1"),
        ],
    )
    def test_a_value_as_javascript_would_write_it(self, text: str, result: str) -> None:
        assert dump_json(evaluate(text)) == result

    @pytest.mark.parametrize("value", [[], [1], [[1]], [[]], [None], {}, {"a": []}, [{"a": [1]}], "", 0, False, None])
    def test_a_variable_comes_back_as_it_was(self, value: JsonValue) -> None:
        assert evaluate("$v", Scope(None, {"v": value})) == value
        assert evaluate("$states.input.v", Scope({"v": value})) == value

    def test_values_that_it_reads_are_left_alone(self) -> None:
        order: JsonObject = {"lines": [{"sku": "a"}]}
        assert evaluate("$states.input ~> |lines|{'sku': 'z'}|", Scope(order)) == {"lines": [{"sku": "z"}]}
        assert order == {"lines": [{"sku": "a"}]}


class TestFailures:
    def test_undefined(self) -> None:
        assert cause_of("$nothing") == (
            "The JSONata expression '$nothing' specified for the field 'Output/total' returned nothing (undefined)."
        )

    @pytest.mark.parametrize("text", ["$sum", "function($x){$x}", "$f := function($x){$x}", "/a/"])
    def test_a_function_is_no_result(self, text: str) -> None:
        assert cause_of(text) == f"{SENTENCE.format(text)} returned an unsupported result type."

    def test_an_error_of_the_language(self) -> None:
        assert cause_of("1 + 'a'") == (
            "The JSONata expression '1 + 'a'' specified for the field 'Output/total' threw an error during evaluation. "
            'T2002: The right side of the "+" operator must evaluate to a number'
        )

    def test_an_error_that_the_author_raises(self) -> None:
        assert cause_of("$error('no stock')").endswith("threw an error during evaluation. D3137: no stock")

    def test_arguments_that_a_function_refuses(self) -> None:
        assert "threw an error during evaluation. $hash: the algorithm must be" in cause_of("$hash('a', 'CRC')")
        assert "T0410" in cause_of("$hash(1, 'MD5')")

    def test_a_number_too_large_for_javascript(self) -> None:
        assert "threw an error during evaluation. U1004" in cause_of("$states.input", Scope(10**400))
        assert "threw an error during evaluation." in cause_of(f"$parse('1{'0' * 400}')")

    @pytest.mark.parametrize(
        ("text", "expected", "found", "shown"),
        [
            ("{'a': [1, 'é']}", "array", "object", '{"a":[1,"é"]}'),
            ("null", "array", "null", "null"),
            ("'x'", "number", "string", '"x"'),
            ("true", "number", "boolean", "true"),
            ("0", "boolean", "number", "0"),
        ],
    )
    def test_a_result_of_another_type_than_the_field_needs(
        self, text: str, expected: str, found: str, shown: str
    ) -> None:
        assert cause_of(text, expected=expected) == (
            f"{SENTENCE.format(text)} returned an unexpected result type. "
            f"Expected '{expected}', but was '{found}' for value: {shown}"
        )

    def test_a_result_of_the_type_that_the_field_needs(self) -> None:
        assert evaluate("$states.input.tags", expected="array") == ["new"]

    def test_a_long_value_is_cut_in_the_cause(self) -> None:
        assert len(cause_of("$states.input", Scope("x" * 100_000), expected="array")) < 40_000
