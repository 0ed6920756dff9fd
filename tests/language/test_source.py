import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.language.diagnostics import DiagnosticCode, Location
from asl_engine.language.parser import parse_definition
from asl_engine.language.source import Position, SourceError, decode, json_members, read_json
from asl_engine.limits import JSON_DEPTH_MAX

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def test_a_member_begins_at_its_key_and_an_item_at_itself() -> None:
    positions = read_json('{\n  "a": [1,\n    {"b" : 2}]\n}').positions()

    assert positions == {
        (): Position(1, 1),
        ("a",): Position(2, 3),
        ("a", 0): Position(2, 9),
        ("a", 1): Position(3, 5),
        ("a", 1, "b"): Position(3, 6),
    }


def test_lines_are_counted_between_a_key_and_its_colon_too() -> None:
    assert read_json('{"a"\n:\n1, "b": 2}').positions()["b",] == Position(3, 4)


@given(json_values)
def test_every_member_of_any_value_has_a_position(value: Any) -> None:
    members = json_members(json.dumps(value, indent=1))

    assert set(members.positions) == set(_locations(value))
    assert (members.duplicates, members.refused) == ((), ())


def test_a_key_given_twice_is_found_where_it_is_given_again() -> None:
    source = read_json('{"a": {"x": 1, "x": 2},\n "b": [{"y": 1}, {"y": 1}]}')

    assert source.value == {"a": {"x": 2}, "b": [{"y": 1}, {"y": 1}]}
    assert source.duplicates == ((("a", "x"), Position(1, 16)),)


def test_a_key_given_twice_is_found_inside_of_an_object_given_twice() -> None:
    source = read_json('{"a": {"x": 1}, "a": {"x": 2, "y": 3, "y": 4}}')

    assert source.duplicates == ((("a",), Position(1, 17)), (("a", "y"), Position(1, 39)))


@pytest.mark.parametrize("yaml", [False, True])
def test_the_problems_of_both_states_of_one_name_are_told_where_they_stand(yaml: bool) -> None:
    text = (
        '{"StartAt": "A", "States": {\n"A": {"Type": "Wait", "Seconds": -1, "Next": "Bee"},\n'
        '"A": {"Type": "Pass", "Nxt": 1, "Next": "C"},\n"B": {"Type": "Succeed"},\n"C": {"Type": "Pass", "Next": "D"}}}'
    )

    assert [(one.location, one.line) for one in parse_definition(text, yaml=yaml).diagnostics] == [
        ("/States/A/Seconds", 2),
        ("/States/A/Next", 2),
        ("/States/A", 3),
        ("/States/A/Nxt", 3),
        ("/States/B", 4),
        ("/States/C/Next", 5),
    ]


def test_an_object_given_twice_is_one_problem_and_not_one_for_each_member() -> None:
    source = read_json('{"a": {"x": 1}, "a": {"x": 2}}')

    assert [location for location, _ in source.duplicates] == [("a",)]


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("charge it", "Unrecognized token 'charge'", 1, 1),
        ('{"a": 1,\n "b" 2}', "Expecting ':' delimiter", 2, 6),
        ("  ", "Definition must be a valid JSON object", None, None),
    ],
)
def test_what_is_no_json_is_refused_where_it_goes_wrong(
    text: str, message: str, line: int | None, column: int | None
) -> None:
    with pytest.raises(SourceError) as caught:
        read_json(text)

    assert caught.value.message.startswith(message)
    position = caught.value.position
    assert (position.line, position.column) == (line, column) if position else line is None


@pytest.mark.parametrize(
    ("text", "message", "location", "position"),
    [
        ('{"a": NaN}', "NaN is not JSON", ("a",), Position(1, 7)),
        ('["NaN",\n -Infinity]', "-Infinity is not JSON", (1,), Position(2, 2)),
        ('{"a": 1e999}', "the number 1e999 is too large", ("a",), Position(1, 7)),
        ('{"a": [' + "9" * 5_000 + "]}", "a number has too many digits", ("a", 0), Position(1, 8)),
        ("NaN", "NaN is not JSON", (), Position(1, 1)),
    ],
)
def test_a_number_that_json_does_not_have_is_told_and_reading_goes_on(
    text: str, message: str, location: Location, position: Position
) -> None:
    (refused,) = read_json(text).refused

    assert (refused.message, refused.location, refused.position) == (message, location, position)


@pytest.mark.parametrize(
    ("code", "number"), [(DiagnosticCode.INVALID_JSON_DESCRIPTION, "NaN"), (DiagnosticCode.INVALID_YAML, ".nan")]
)
def test_what_is_no_number_hides_no_other_problem_and_is_told_once(code: DiagnosticCode, number: str) -> None:
    text = (
        f'{{"StartAt": "A", "TimeoutSeconds": {number}, "States": {{\n'
        f'"A": {{"Type": "Wait", "Seconds": {number}, "Next": "Bee"}},\n"B": {{"Type": "Succeed", "Nxt": {number}}}}}}}'
    )

    parsed = parse_definition(text, yaml=code is DiagnosticCode.INVALID_YAML)

    assert parsed.machine is None
    assert [(one.code, one.location, one.line) for one in parsed.diagnostics] == [
        (code, "/TimeoutSeconds", 1),
        (code, "/States/A/Seconds", 2),
        (DiagnosticCode.MISSING_TRANSITION_TARGET, "/States/A/Next", 2),
        (DiagnosticCode.MISSING_TRANSITION_TARGET, "/States/B", 3),
        (DiagnosticCode.UNKNOWN_FIELD, "/States/B/Nxt", 3),
        (code, "/States/B/Nxt", 3),
    ]


def test_a_machine_is_refused_for_its_only_number_that_json_does_not_have() -> None:
    text = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": NaN, "End": true}}}'
    (found,) = parse_definition(text).diagnostics

    assert (found.location, found.line, found.column) == ("/States/A/Result", 1, 61)
    assert parse_definition(text).machine is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{"Seconds": ${Delay}}', "fill ${Delay} in"),
        ('{"a": 1,}', "no trailing commas"),
        ("{// why\n}", "no comments"),
        ("{/* why */}", "no comments"),
    ],
)
def test_a_frequent_mistake_in_json_comes_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_json(text)

    assert hint in caught.value.hint


def test_nesting_is_bounded_exactly() -> None:
    assert read_json("[" * JSON_DEPTH_MAX + "]" * JSON_DEPTH_MAX).value is not None

    with pytest.raises(SourceError) as caught:
        read_json("[" * (JSON_DEPTH_MAX + 1) + "]" * (JSON_DEPTH_MAX + 1))

    assert caught.value.code is DiagnosticCode.NESTED_TOO_DEEPLY
    assert caught.value.position == Position(1, JSON_DEPTH_MAX + 1)


def test_nesting_beyond_what_python_bears_is_told_by_its_place_too() -> None:
    with pytest.raises(SourceError) as caught:
        read_json("[\n" * 100_000)

    assert caught.value.code is DiagnosticCode.NESTED_TOO_DEEPLY
    assert caught.value.position == Position(JSON_DEPTH_MAX + 1, 1)


def test_many_objects_side_by_side_are_not_deep() -> None:
    assert read_json(json.dumps([{} for _ in range(2 * JSON_DEPTH_MAX)])).value


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decode("\ufeff{}".encode()) == "{}"
    assert decode("\ufeff{}") == "{}"


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(SourceError, match="byte 1 is no UTF-8"):
        decode(b"{\xff}")


def _locations(value: Any, location: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [location, *(inner for key, child in members for inner in _locations(child, (*location, key)))]
