"""The functions that Step Functions adds to JSONata."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.errors import EvaluationError
from asl_engine.expressions.jsonata import compile_jsonata
from asl_engine.expressions.jsonata_functions import partition
from asl_engine.expressions.scope import Entropy, Scope
from asl_engine.json_value import JsonValue, dump_json


def evaluate(text: str, scope: Scope | None = None) -> JsonValue:
    return compile_jsonata(text, field="Output").evaluate(scope or Scope(None))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$partition([1, 2, 3], 2)", [[1, 2], [3]]),
        ("$partition([1, 2], 9)", [[1, 2]]),
        ("$partition([1], 1)", [[1]]),
        ("$partition([], 2)", []),
        ("$partition('a', 2)", [["a"]]),
        ("$range(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("$range(1, 8, 2)", [1, 3, 5, 7]),
        ("$range(3, 1, -1)", [3, 2, 1]),
        ("$range(0, 1, 0.5)", [0, 0.5, 1]),
        ("$range(4, 4, 1)", 4),
        ("$range(1, 9, 9)", 1),
        ("$range(2, 1, 1)", []),
        ("$hash('input', 'MD5')", "a43c1b0aa53a0c908810c06ab1ff3967"),
        ("$hash('input', 'SHA-1')", "140f86aae51ab9e1cda9b4254fe98a74eb54c1a1"),
        ("$length($hash('é', 'SHA-256'))", 64),
        ("$length($hash('é', 'SHA-384'))", 96),
        ("$length($hash('é', 'SHA-512'))", 128),
        ("$map(['a', 'b'], function($t) { $hash($t, 'MD5') })[0]", "0cc175b9c0f1b6a831c399e269772661"),
    ],
)
def test_functions(text: str, result: JsonValue) -> None:
    assert evaluate(text) == result


@pytest.mark.parametrize(
    "text", ["null", "true", "0", "1.5", '"x"', "[]", "[1]", "[[1]]", "[null]", "{}", '{"a":{"b":[]}}']
)
def test_parse_reads_any_json_text(text: str) -> None:
    assert dump_json(evaluate("$parse($states.input)", Scope(text))) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$partition([1], 0)", "$partition: the size of a chunk must be a positive integer"),
        ("$partition([1], 1.5)", "$partition: the size of a chunk must be a positive integer"),
        ("$range(1, 2, 0)", "$range: the step must not be zero"),
        ("$hash('a', 'md5')", "$hash: the algorithm must be one of"),
        ("$parse('{')", "$parse: invalid JSON at line 1, column 2"),
        ("$parse('NaN')", "$parse: invalid JSON: NaN is not JSON"),
        ("$range(1, 2)", 'T0410: Argument 3 of function "range" does not match function signature'),
        ("$parse(1)", 'T0410: Argument 1 of function "parse" does not match function signature'),
        ("$randomSeeded(1)", "T1006: Attempted to invoke a non-function"),
    ],
)
def test_arguments_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(text)
    assert f"threw an error during evaluation. {message}" in caught.value.cause


@pytest.mark.parametrize("call", ["$partition($no, 1)", "$range($no, 1, 1)", "$hash($no, 'MD5')", "$parse($no)"])
def test_a_function_of_nothing_is_nothing(call: str) -> None:
    assert evaluate(f"$exists({call})") is False


def test_uuids_are_of_version_4_and_differ() -> None:
    uuids = evaluate("$map([1..3], function($i) { $uuid() })")
    assert isinstance(uuids, list)
    assert len(set(map(str, uuids))) == 3
    assert all(str(uuid)[14] == "4" for uuid in uuids)


def test_random_is_below_one_and_repeats_for_a_seed() -> None:
    assert evaluate("$random(7) = $random(7)") is True
    assert evaluate("$random(7) = $random(8)") is False
    assert evaluate("$random() = $random()") is False
    assert evaluate("$random() < 1 and $random() >= 0") is True


def test_chance_repeats_for_the_same_entropy() -> None:
    draw = "[$random(), $uuid()]"
    assert evaluate(draw, Scope(None, entropy=Entropy("a"))) == evaluate(draw, Scope(None, entropy=Entropy("a")))
    assert evaluate(draw, Scope(None, entropy=Entropy("a"))) != evaluate(draw, Scope(None, entropy=Entropy("b")))


@given(st.lists(st.integers()), st.integers(1, 10))
def test_chunks_joined_are_the_array(array: list[JsonValue], size: int) -> None:
    chunks = partition(array, size)
    assert chunks is not None
    assert [item for chunk in chunks for item in chunk] == array
    assert all(len(chunk) == size for chunk in chunks[:-1])
