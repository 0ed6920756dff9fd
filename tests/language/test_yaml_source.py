import pytest

from asl_engine.language.diagnostics import DiagnosticCode
from asl_engine.language.source import Position, SourceError
from asl_engine.language.yaml_source import read_yaml


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("Yes", "Yes"),
        ("true", True),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("2030-01-31T09:30:00Z", "2030-01-31T09:30:00Z"),
        ("2030-01-31", "2030-01-31"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("1:30", "1:30"),
    ],
)
def test_a_scalar_is_read_as_in_yaml_1_2(scalar: str, value: object) -> None:
    """YAML 1.1 would read Yes as true, 1:30 as 90 and a timestamp as a date."""
    read = read_yaml(f"a: {scalar}").value

    assert isinstance(read, dict)
    assert read["a"] == value
    assert type(read["a"]) is type(value)


def test_keys_are_names_whatever_they_look_like() -> None:
    assert read_yaml("on: 1\n12: 2\nnull: 3").value == {"on": 1, "12": 2, "null": 3}


def test_every_member_has_its_position() -> None:
    positions = read_yaml("a:\n  - x\n  - b: 1\n").positions()

    assert positions["a",] == Position(1, 1)
    assert positions["a", 0] == Position(2, 5)
    assert positions["a", 1, "b"] == Position(3, 5)


def test_a_key_given_twice_is_found() -> None:
    assert read_yaml("a: 1\nb: 2\na: 3").duplicates == ((("a",), Position(3, 1)),)


def test_an_alias_stands_for_what_it_names() -> None:
    assert read_yaml("a: &x {n: 1}\nb: *x").value == {"a": {"n": 1}, "b": {"n": 1}}


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("a: [1,", DiagnosticCode.INVALID_YAML, "did not find expected"),
        ("? [1]\n: 2", DiagnosticCode.INVALID_YAML, "a key must be a string"),
        ("a: 1\n---\nb: 2", DiagnosticCode.INVALID_YAML, "but found another document"),
        ("", DiagnosticCode.SCHEMA_VALIDATION_FAILED, "must be a valid JSON object"),
        ("&a [*a]", DiagnosticCode.NESTED_TOO_DEEPLY, "nested too deeply"),
    ],
)
def test_what_is_no_definition_in_yaml_is_refused(text: str, code: DiagnosticCode, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_yaml(text)

    assert caught.value.code is code
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("scalar", "message"),
    [
        ("!Sub x", "the tag !Sub has no meaning"),
        ("!GetAtt [.nan]", "the tag !GetAtt has no meaning"),
        ("!!python/object:os.system x", "has no meaning"),
        ("!!binary aGk=", "has no meaning"),
        (".inf", ".inf is not JSON"),
        ("-.Inf", "-.Inf is not JSON"),
        (".nan", ".nan is not JSON"),
        ("1e999", "1e999 is not JSON"),
        ("9" * 5_000, "9" * 40 + " is not JSON"),
    ],
)
def test_what_json_does_not_have_is_told_and_reading_goes_on(scalar: str, message: str) -> None:
    source = read_yaml(f"a:\n  - 1\n  - {scalar}")
    (refused,) = source.refused

    assert source.value == {"a": [1, None]}
    assert (refused.location, refused.position) == (("a", 1), Position(3, 5))
    assert message in refused.message


def test_a_merge_key_is_refused_and_no_member() -> None:
    source = read_yaml("a: &a {x: 1}\nb: {<<: *a, '<<': 2}")
    (refused,) = source.refused

    assert source.value == {"a": {"x": 1}, "b": {"<<": 2}}
    assert (refused.location, refused.position) == (("b", "<<"), Position(2, 5))


def test_aliases_cannot_unfold_without_bound() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 12)]

    with pytest.raises(SourceError, match="unfolds to more than"):
        read_yaml("\n".join(lines))
