"""What each intrinsic function gives and refuses, through the text that a definition holds."""

from __future__ import annotations

import re

import pytest

from asl_engine.errors import EvaluationError
from asl_engine.expressions.intrinsic_functions import INTRINSIC_FUNCTIONS, compile_intrinsic
from asl_engine.expressions.scope import Entropy, Scope
from asl_engine.json_value import JsonObject, JsonValue, dump_json


def context() -> JsonObject:
    return {"Item": {"k": [1]}}


DATA: JsonValue = {
    "n": 4,
    "s": "a-b",
    "list": [1, 2, 3, 4, 5],
    "mixed": [1, 1.0, True, "1", None, [1], [True], {"a": 1}, {"a": 1}, 1],
    "obj": {"x": {"y": 1}, "z": [None, True]},
    "template": "Hi {}, \\{{}\\}",
}


def call(text: str, *, seed: str = "s") -> JsonValue:
    return compile_intrinsic(text).evaluate(Scope(DATA, variables={"v": "var"}, context=context, entropy=Entropy(seed)))


def test_all_eighteen_functions_are_declared() -> None:
    names = (
        "Array ArrayPartition ArrayContains ArrayRange ArrayGetItem ArrayLength ArrayUnique Base64Encode Base64Decode"
    )
    names += " Hash Format JsonMerge StringToJson JsonToString MathRandom MathAdd StringSplit UUID"
    assert set(INTRINSIC_FUNCTIONS) == {f"States.{name}" for name in names.split()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("States.Array()", []),
        ("States.Array($.n, 'x', null, true, -1.5, $$.Item, $v)", [4, "x", None, True, -1.5, {"k": [1]}, "var"]),
        ("States.ArrayPartition($.list, 2)", [[1, 2], [3, 4], [5]]),
        ("States.ArrayPartition(States.Array(), 3)", []),
        ("States.ArrayPartition($.list, 2.5)", [[1, 2, 3], [4, 5]]),
        ("States.ArrayContains($.list, 3)", True),
        ("States.ArrayContains($.list, 3.0)", False),
        ("States.ArrayContains($.list, true)", False),
        ("States.ArrayContains($.mixed, $.mixed[6])", True),
        ("States.ArrayContains(States.Array($.obj), $.obj)", True),
        ("States.ArrayContains(States.Array(States.Array(1)), States.Array(true))", False),
        ("States.ArrayRange(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("States.ArrayRange(0, 0, 1)", [0]),
        ("States.ArrayRange(5, 1, -2)", [5, 3, 1]),
        ("States.ArrayRange(5, 1, 2)", []),
        ("States.ArrayRange(0.5, 3.4, 1)", [1, 2, 3]),
        ("States.ArrayGetItem($.list, 4)", 5),
        ("States.ArrayLength($.mixed)", 10),
        ("States.ArrayUnique($.mixed)", [1, 1.0, True, "1", None, [1], [True], {"a": 1}]),
        ("States.Base64Encode('Grüße')", "R3LDvMOfZQ=="),
        ("States.Base64Decode('R3LDvMOfZQ==')", "Grüße"),
        ("States.Base64Decode('')", ""),
        ("States.Hash('abc', 'MD5')", "900150983cd24fb0d6963f7d28e17f72"),
        ("States.Hash('abc', 'SHA-1')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("States.Hash($.n, 'SHA-256')", "4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a"),
        (
            'States.JsonMerge($.obj, States.StringToJson(\'{"x": {"q": 2}}\'), false)',
            {"x": {"q": 2}, "z": [None, True]},
        ),
        ("States.StringToJson('[1, 1.0, \"a\"]')", [1, 1.0, "a"]),
        ("States.StringToJson('')", None),
        ("States.StringToJson('  ')", None),
        ("States.JsonToString($.obj)", '{"x":{"y":1},"z":[null,true]}'),
        ("States.JsonToString('é')", '"é"'),
        ("States.JsonToString(States.Array(0.00001, 1.5e21))", "[1.0E-5,1.5E21]"),
        ("States.MathAdd($.n, -1)", 3),
        ("States.MathAdd(1.5, 0)", 2),
        ("States.MathAdd(-1.5, 0)", -1),
        ("States.MathAdd(2.49, 0.5)", 3),
        ("States.StringSplit('1,2;;3', ',;')", ["1", "2", "3"]),
        ("States.StringSplit('a]b^c', '^]')", ["a", "b", "c"]),
        ("States.StringSplit('a.b', '')", ["a.b"]),
        ("States.StringSplit('', ',')", []),
        ("States.Format('plain')", "plain"),
        ("States.Format('{}-{}', $.n, $.s)", "4-a-b"),
        ("States.Format('{} {} {}', null, true, 1.0)", "null true 1.0"),
        ("States.Format('{}', $.obj)", "{x={y=1}, z=[null, true]}"),
        (r"States.Format('\{{}\} it\'s \\', 1)", r"{1} it's \ ".rstrip()),
        ("States.Format($.template, 'you', 1)", "Hi you, {1}"),
        ("States.Format('{\"a\": {}}', 1)", '{"a": 1}'),
    ],
)
def test_a_function_gives(text: str, expected: JsonValue) -> None:
    result = call(text)
    assert repr(result) == repr(expected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("States.ArrayPartition('x', 1)", "expected an array but found string"),
        ("States.ArrayPartition($.list, 0)", "expected a number above 0 but found number"),
        ("States.ArrayPartition($.list, true)", "expected a number above 0 but found boolean"),
        ("States.ArrayRange(1, 5, 0)", "the step must not be 0"),
        ("States.ArrayRange(1, 1001, 1.2)", "more than 1000 items"),
        ("States.ArrayRange(0, 1000, 1)", "more than 1000 items"),
        ("States.ArrayRange(1000, 0, -1)", "more than 1000 items"),
        ("States.ArrayGetItem($.list, 5)", "the index 5 is out of bounds for an array of length 5"),
        ("States.ArrayGetItem($.list, -1)", "the index -1 is out of bounds"),
        ("States.ArrayLength($.obj)", "expected an array but found object"),
        ("States.Base64Encode(1)", "expected a string but found number"),
        ("States.Base64Decode('*')", "not the Base64"),
        ("States.Base64Decode('/w==')", "not the Base64"),
        ("States.Hash('a', 'SHA-3')", "the algorithm must be one of MD5, SHA-1"),
        ("States.JsonMerge($.obj, $.obj, true)", "only shallow merging"),
        ("States.JsonMerge($.list, $.obj, false)", "expected an object but found array"),
        ("States.StringToJson('{')", "invalid JSON"),
        ("States.StringToJson('NaN')", "invalid JSON"),
        ("States.MathAdd('1', 1)", "expected a number but found string"),
        ("States.MathRandom(5, 5)", "must be below"),
        ("States.StringSplit($.list, ',')", "expected a string but found array"),
        ("States.Format(1)", "expected a string but found number"),
        ("States.Format('{}')", "1 placeholders but 0 values"),
        ("States.Format('{}', 1, 2)", "1 placeholders but 2 values"),
    ],
)
def test_a_function_refuses(text: str, reason: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        call(text)
    assert caught.value.error == "States.IntrinsicFailure"
    assert caught.value.cause.startswith(f"The function '{text}' had the following error: ")
    assert reason in caught.value.cause


@pytest.mark.parametrize("function", ["Base64Encode", "Base64Decode"])
def test_base64_takes_ten_thousand_characters(function: str) -> None:
    assert call(f"States.{function}('{'QUFB' * 2_500}')")
    with pytest.raises(EvaluationError, match="longer than 10000"):
        call(f"States.{function}('{'QUFB' * 2_501}')")


def test_a_hash_takes_ten_thousand_characters() -> None:
    with pytest.raises(EvaluationError, match="longer than 10000"):
        call(f"States.Hash('{'a' * 10_001}', 'MD5')")


def test_a_uuid_is_drawn_from_the_scope() -> None:
    drawn = call("States.UUID()")
    assert isinstance(drawn, str)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", drawn)
    assert drawn == call("States.UUID()")
    assert drawn != call("States.UUID()", seed="other")


def test_random_numbers_lie_between_their_bounds_and_follow_the_scope() -> None:
    drawn = [call("States.MathRandom(-2, 2)", seed=str(number)) for number in range(200)]
    assert set(map(str, drawn)) == {"-2", "-1", "0", "1"}
    assert call("States.MathRandom(1, 1000000)") == call("States.MathRandom(1, 1000000)")


def test_a_seed_fixes_the_number_whatever_the_scope() -> None:
    assert call("States.MathRandom(1, 1000000, 7)", seed="a") == call("States.MathRandom(1, 1000000, 7)", seed="b")
    assert call("States.MathRandom(1, 1000000, 7)") != call("States.MathRandom(1, 1000000, 8)")


def test_random_numbers_may_be_of_any_size() -> None:
    drawn = call("States.MathRandom(0, 1" + "0" * 60 + ")")
    assert isinstance(drawn, int)
    assert 0 <= drawn < 10**60


def test_a_sum_is_a_number_that_can_be_written_down() -> None:
    doubled = compile_intrinsic("States.MathAdd($, $)")
    assert dump_json(doubled.evaluate(Scope(10**4_000))) == "2" + "0" * 4_000
    with pytest.raises(EvaluationError, match="the sum has too many digits") as caught:
        doubled.evaluate(Scope(10**4_299 * 9))
    assert caught.value.error == "States.IntrinsicFailure"


@pytest.mark.parametrize("text", ["States.JsonToString($)", "States.ArrayUnique($)", "States.Hash($, 'MD5')"])
def test_a_value_nested_too_deeply_fails_the_function(text: str) -> None:
    deep: JsonValue = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(EvaluationError, match="nested too deeply") as caught:
        compile_intrinsic(text).evaluate(Scope(deep))
    assert caught.value.error == "States.IntrinsicFailure"
