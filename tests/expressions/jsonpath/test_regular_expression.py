from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.expressions.jsonpath.regular_expression import compile_regular_expression

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\d", r"\.", "^", "$"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("(?:{0[0]}|{0[1]})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"])).map("({0[0]}){0[1]}".format),
    ),
    max_leaves=6,
)


@given(PATTERNS, st.text(alphabet="ab.1\n", max_size=6), st.sampled_from(["", "i", "s"]))
def test_it_matches_what_python_matches(pattern: str, text: str, flags: str) -> None:
    python_flags = {"": re.NOFLAG, "i": re.IGNORECASE, "s": re.DOTALL}[flags]
    anchored = pattern.replace("$", r"\Z")
    expected = re.fullmatch(anchored, text, python_flags) is not None
    assert compile_regular_expression(pattern, flags).matches(text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        r"\1",
        "(?=a)",
        "(?<n>a)",
        "a**",
        "a{2,1}",
        "(a",
        "a)",
        "[a",
        "*a",
        r"\b",
        "[a--b]",
        "(a{999}){999}",
        "a{1001}",
        "a" * 1001,
        "[b-a]",
    ],
)
def test_what_is_not_supported_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"support|unexpected|group|order|large|range"):
        compile_regular_expression(pattern, "")


def test_groups_nested_too_deeply_are_refused() -> None:
    with pytest.raises(ValueError, match="nested"):
        compile_regular_expression("(" * 2_000 + ")" * 2_000, "")


def test_the_size_bounds_the_visits_per_character() -> None:
    assert compile_regular_expression("ab*", "").size == 5
