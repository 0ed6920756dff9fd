"""Bounds on what an author may write, and the version of the language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.errors import EvaluationNotQuick, InvalidExpression
from asl_engine.expressions import jsonata_engine
from asl_engine.expressions.jsonata_engine import JsonataError, Program
from asl_engine.expressions.pace import PACE, Aside, Pace, Quick
from asl_engine.expressions.scope import Entropy
from asl_engine.json_value import JsonValue

TOKENS = r"""
    $ $$ $v $states . input ( ) [ ] { } : := ; ? ?: ?? / /a/ ' " ` \ 1 % @$k #$i ^ ~> | function($x) <s?:n> /* */
    and in λ null * ** + - ! .. $eval $parse $map $now
"""
FRAGMENTS = st.sampled_from(TOKENS.split())


def evaluate(text: str) -> object:
    return Program(text).evaluate({}, {}, Entropy(""), 0)


def refusal(text: str) -> InvalidExpression:
    with pytest.raises(InvalidExpression) as caught:
        Program(text)
    return caught.value


class TestPace:
    """What a host may ask for around an advance."""

    @staticmethod
    def at(pace: Pace, text: str) -> object:
        before = PACE.set(pace)
        try:
            return evaluate(text)
        finally:
            PACE.reset(before)

    @pytest.mark.parametrize("left", [0.0, 0.01])
    def test_quick_or_not_at_all(self, left: float) -> None:
        with pytest.raises(EvaluationNotQuick):
            self.at(Quick(lambda: left), "($spin := function($n) { $spin($n) }; $spin(1))")

    @pytest.mark.parametrize("pace", [Quick(lambda: 1.0), Aside()])
    @pytest.mark.parametrize(
        "text", ["$$", "[$$, 1.0, 12345678901234567890, 1e21]", "{'a': $nothing, 'b': null}", "$sum", "'ä😀'"]
    )
    def test_the_value_is_the_same(self, text: str, pace: Pace) -> None:
        assert repr(self.at(pace, text)) == repr(evaluate(text))

    @pytest.mark.parametrize("pace", [Quick(lambda: 1.0), Aside()])
    def test_an_error_is_the_same(self, pace: Pace) -> None:
        with pytest.raises(JsonataError, match="T1006"):
            self.at(pace, "1()")


class TestBounds:
    @pytest.mark.parametrize(
        "text",
        [
            f"$match('{'a' * 40}b', /^(a+)+$/)",
            "($spin := function($n) { $spin($n) }; $spin(1))",
            "$map([1..1000000], function($i) { $map([1..1000000], function($j) { $j }) })",
        ],
    )
    def test_time(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(jsonata_engine._BOUNDS, "timeout", 0.05)
        with pytest.raises(JsonataError, match="D1012: Evaluation timeout after 50 milliseconds"):
            evaluate(text)

    def test_depth(self) -> None:
        with pytest.raises(JsonataError, match="D1011: Stack overflow"):
            evaluate("($dig := function($n) { 1 + $dig($n) }; $dig(1))")
        assert evaluate("($down := function($n) { $n = 0 ? 0 : 1 + $down($n - 1) }; $down(300))") == 300

    @pytest.mark.parametrize("text", ["[1..2000000]", "[1..1e9]", "$range(1, 1e9, 1)", "$range(-1e308, 1e308, 1)"])
    def test_items(self, text: str) -> None:
        with pytest.raises(JsonataError, match="exceed"):
            evaluate(text)

    @pytest.mark.parametrize(
        "text",
        [
            "($twice := function($s, $n) { $n = 0 ? $s : $twice($s & $s, $n - 1) }; $twice('abcdefgh', 40))",
            "$map([1..10000], function($x) { [1..1000] })",
        ],
    )
    def test_size(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(jsonata_engine._BOUNDS, "timeout", 600)  # on a busy machine the time would be up first
        with pytest.raises(JsonataError, match=r"U1001: .* would exceed the size limit of 16777216 bytes"):
            evaluate(text)

    def test_half_of_a_surrogate_pair(self) -> None:
        assert "half of a surrogate pair" in refusal("'\ud800'").reason

    def test_nesting_of_the_text(self) -> None:
        assert "nested too deeply" in refusal("(" * 5000 + "1" + ")" * 5000).reason
        assert "nested too deeply" in refusal("(" * 997 + "1" + ")" * 997).reason

    def test_nesting_of_a_parsed_value(self) -> None:
        with pytest.raises(JsonataError, match="nested too deeply"):
            evaluate(f"$parse('{'[' * 5000}')")


class TestLanguage:
    @pytest.mark.parametrize(
        ("text", "reason", "position"),
        [
            ("1 +", "S0207: Unexpected end of expression", 3),
            ("1)+(2", 'S0201: Syntax error: ")"', 1),
            ("$sum([1]", 'S0203: Expected ")" before end of expression', 8),
            ("'open", "S0101: String literal must be terminated by a matching quote", 0),
            ("$a ?: 1", 'S0211: The symbol ":" cannot be used as a unary operator', 4),
            ("$a ?? 1", 'S0211: The symbol "?" cannot be used as a unary operator', 4),
            ("/x?:/ ~> $f ?: 1", 'S0211: The symbol ":" cannot be used as a unary operator', 13),
        ],
    )
    def test_a_text_that_does_not_compile_says_where(self, text: str, reason: str, position: int) -> None:
        error = refusal(text)
        assert (error.reason, error.position, error.text) == (reason, position, text)

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("'?: ??'", "?: ??"),
            ('"\\"?:"', '"?:'),
            ("1 /* ?: ?? */", 1),
            ("{'a??': 1}.`a??`", 1),
            ("$match('ab', /(?:a)b??/).match", "a"),
            ("function($x)<n?:n>{$x}(3)", 3),
            ("true ? 1 : 2", 1),
        ],
    )
    def test_the_newer_operators_mean_nothing_inside_of_other_tokens(self, text: str, value: JsonValue) -> None:
        assert evaluate(text) == value

    @given(
        st.one_of(
            st.text(), st.lists(FRAGMENTS, max_size=12).map(" ".join), st.lists(FRAGMENTS, max_size=8).map("".join)
        )
    )
    def test_any_text_compiles_or_is_refused_and_then_evaluates_or_fails(self, text: str) -> None:
        try:
            program = Program(text)
        except InvalidExpression:
            return
        try:
            program.evaluate({"states": {"input": {"a": [1]}}, "v": 1}, {}, Entropy(""), 0)
        except JsonataError:
            return


class TestWhatAProgramReads:
    def test_it_asks_only_for_what_its_text_reads(self) -> None:
        program = Program("($a := $b; $sum($states.input.c) + $a)")
        assert program.variables == ("b",)
        assert set(program.overridable) == {"a", "sum"}
        assert program.reads_states
        assert not program.reads_context

    def test_a_text_without_states_needs_none(self) -> None:
        program = Program("$i + 1")
        assert not program.reads_states
        assert not program.reads_context

    @pytest.mark.parametrize(
        ("text", "members"),
        [
            ("$states.input.a & $states.`result`", {"input", "result"}),
            ("($s := $states; $s.errorOutput)", {"errorOutput"}),
            ("$keys($states)", set()),
            ("($states := {'result': 1}; $states.result)", set()),
            ("'$states.result'", set()),
        ],
    )
    def test_it_tells_the_members_of_states_that_it_names(self, text: str, members: set[str]) -> None:
        assert Program(text).states_members == members
