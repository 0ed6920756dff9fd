"""The delimiters of JSONata in a definition."""

import subprocess
import sys

import pytest

from asl_engine.errors import InvalidExpression
from asl_engine.expressions.jsonata import compile_jsonata, delimiter_problem, expression_text, is_expression
from asl_engine.expressions.scope import Scope


@pytest.mark.parametrize("value", ["{% 1 %}", "{%1%}", "{%%}", "{%\n  $states.input\n%}"])
def test_a_string_between_the_delimiters_is_an_expression(value: str) -> None:
    assert is_expression(value)
    assert delimiter_problem(value) is None


@pytest.mark.parametrize("value", [" {% 1 %} ", "1", "", "a {% 1 %} b", 1, None, True, ["{% 1 %}"]])
def test_anything_else_is_a_constant(value: object) -> None:
    assert not is_expression(value)
    assert delimiter_problem(value) is None


@pytest.mark.parametrize("value", ["{% 1", "{% 1 %", "{% 1 %} ", "{%", "{%}"])
def test_an_expression_that_is_not_closed_is_a_problem(value: str) -> None:
    assert not is_expression(value)
    assert delimiter_problem(value) == "a JSONata expression that begins with {% must end with %}"


@pytest.mark.parametrize("value", ["1 %}", " {% 1 %}", "%}"])
def test_an_expression_that_is_not_opened_is_a_problem(value: str) -> None:
    assert not is_expression(value)
    assert delimiter_problem(value) == "a JSONata expression that ends with %} must begin with {%"


def test_the_text_of_an_expression_has_no_white_space_around_it() -> None:
    assert expression_text("{%\n $a + 1\t%}") == "$a + 1"


def test_an_expression_without_a_text_does_not_compile() -> None:
    with pytest.raises(InvalidExpression, match="S0207"):
        compile_jsonata(expression_text("{% %}"), field="Output")


def test_a_text_is_compiled_into_an_expression() -> None:
    assert compile_jsonata("1 + 1", field="Output").evaluate(Scope(None)) == 2


def test_the_engine_is_not_imported_before_a_text_is_compiled() -> None:
    script = (
        "import sys, asl_engine.expressions.jsonata as jsonata, asl_engine.expressions.jsonata_template as template\n"
        "template.compile_jsonata_template({'a': [1]}, field='Output')\n"
        "assert 'jlens' not in sys.modules\n"
        "jsonata.compile_jsonata('1', field='Output')\n"
        "assert 'jlens' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
