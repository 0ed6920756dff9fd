"""AWS's words for texts that are no JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.api.jackson import complaint_of, invalid_json_text
from asl_engine.errors import InvalidJson

VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
ESCAPED = "has to be escaped using backslash to be included in"
DIGIT = "expected digit (0-9) to follow minus sign, for valid numeric value"
NOT_A_NUMBER = "Non-standard token 'NaN': enable JsonParser.Feature.ALLOW_NON_NUMERIC_NUMBERS to allow"
PIECES = st.lists(st.sampled_from([*'{}[],:"\\\n 01-.', '"a"', "true", "nul", "NaN", "\t", "ü", "1.5", "'", '"\\x"']))


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("not some json", f"Unrecognized token 'not': was expecting {VALUES}", 4),
        ("'x'", f"Unexpected character (''' (code 39)): expected a valid value {VALUES}", 2),
        ("\u20ac", f"Unexpected character ('\u20ac' (code 8364 / 0x20ac)): expected a valid value {VALUES}", 2),
        ('{"a": ,}', f"Unexpected character (',' (code 44)): expected a valid value {VALUES}", 8),
        ("[1,]", f"Unexpected character (']' (code 93)): expected a valid value {VALUES}", 5),
        ('{"a":1,}', "Unexpected character ('}' (code 125)): was expecting double-quote to start field name", 9),
        ("{a: 1}", "Unexpected character ('a' (code 97)): was expecting double-quote to start field name", 3),
        ('{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value", 7),
        ("[[1] 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 7),
        ('{"a":1 2}', "Unexpected character ('2' (code 50)): was expecting comma to separate Object entries", 9),
        ('{"a":', "Unexpected end-of-input within/between Object entries", 6),
        ("[1,", "Unexpected end-of-input within/between Array entries", 4),
        ('["a', "Unexpected end-of-input: was expecting closing quote for a string value", 4),
        ('{"a', "Unexpected end-of-input in field name", 4),
        ('"\\', "Unexpected end-of-input in character escape sequence", 3),
        ('"\\x"', "Unrecognized character escape 'x' (code 120)", 4),
        (
            '"\t"',
            f"Illegal unquoted character ((CTRL-CHAR, code 9)): {ESCAPED} string value",
            3,
        ),
        ("[NaN]", NOT_A_NUMBER, 5),
        ("01", "Invalid numeric value: Leading zeroes not allowed", 2),
        ("[1.]", "Unexpected character (']' (code 93)) in numeric value: Decimal point not followed by a digit", 5),
        (
            "-x",
            f"Unexpected character ('x' (code 120)) in numeric value: {DIGIT}",
            3,
        ),
        ("", "No content to map due to end-of-input", 0),
    ],
)
def test_a_mistake_is_told_in_jacksons_words_with_jacksons_place(text: str, message: str, column: int) -> None:
    assert complaint_of(text) == (message, f'[Source: (String)"{text}"; line: 1, column: {column}]')


def test_what_is_not_closed_is_told_with_where_it_begins() -> None:
    source = '[Source: (String)"{"a":\n [1"'
    assert complaint_of('{"a":\n [1') == (
        f"Unexpected end-of-input: expected close marker for Array (start marker at {source}; line: 2, column: 2])",
        f"{source}; line: 2, column: 4]",
    )
    source = '[Source: (String)"[1}"'
    assert complaint_of("[1}") == (
        f"Unexpected close marker '}}': expected ']' (for Array starting at {source}; line: 1, column: 1])",
        f"{source}; line: 1, column: 4]",
    )


def test_a_long_text_is_shown_with_its_beginning() -> None:
    _, location = complaint_of("x" * 600) or ("", "")
    assert location == f'[Source: (String)"{"x" * 500}"[truncated 100 chars]; line: 1, column: 601]'


def test_a_mistake_that_jackson_has_no_words_for_keeps_ours() -> None:
    error = InvalidJson("Extra data", line=1, column=3)
    assert invalid_json_text("{}{", error) == "invalid JSON at line 1, column 3: Extra data"
    assert invalid_json_text("{", error).endswith('\n at [Source: (String)"{"; line: 1, column: 2]')


@given(PIECES.map("".join))
def test_only_texts_that_are_no_json_are_complained_of(text: str) -> None:
    try:
        json.loads(text, parse_constant=lambda name: [][name])  # type: ignore[call-overload]
    except (ValueError, TypeError):
        complaint_of(text)
    else:
        assert complaint_of(text) is None
