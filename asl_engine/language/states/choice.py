"""Choice: goes on by the first rule that applies, or by Default.

A JSONPath rule is a tree of And, Or and Not over comparisons of a Variable; a JSONata rule has one Condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from asl_engine.expressions.comparison_operators import OPERATORS, OperandType, accepts
from asl_engine.expressions.jsonata import is_expression
from asl_engine.expressions.path import Path
from asl_engine.expressions.scope import Constant
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.branch import StateSyntax
from asl_engine.language.choice_rule import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    JsonataCondition,
    Negation,
    PathComparison,
    PresenceTest,
)
from asl_engine.language.definition import ChoiceRule, ChoiceState, QueryLanguage, StateType
from asl_engine.language.diagnostics import DiagnosticCode
from asl_engine.language.fields import JSONATA, JSONPATH, Attributes, Field, FieldTable, expected, read_object
from asl_engine.language.kinds import JSONATA_SCHEMA, Custom, RequiredPath, StateName, read_jsonata
from asl_engine.language.place import Place
from asl_engine.language.state_fields import ASSIGN, COMMENT, EVERY_STATE, OUTPUT, PATHS

_COMBINATIONS: Final = ("And", "Or", "Not")
_OPERANDS: Final[Mapping[OperandType, str]] = {
    OperandType.STRING: "a string",
    OperandType.NUMBER: "a number",
    OperandType.BOOLEAN: "true or false",
    OperandType.TIMESTAMP: "a timestamp such as 2030-01-31T09:30:00Z",
}


def _read_condition(value: JsonValue, place: Place, name: str) -> Condition | None:
    if isinstance(value, bool):
        return JsonataCondition(Constant(value))
    if not is_expression(value):
        expected(place, "a JSONata expression in {% %}", value, name)
        return None
    return JsonataCondition(read_jsonata(value, place, name, result="boolean"))


def _read_conditions(value: JsonValue, place: Place, name: str) -> tuple[Condition, ...]:
    if not isinstance(value, list):
        expected(place, "an array of rules", value, name)
        return ()
    if not value:
        place.error("Value cannot be empty", name)
    conditions = [_read_nested(rule, place.at(name, index)) for index, rule in enumerate(value)]
    return tuple(condition for condition in conditions if condition is not None)


def _read_all(value: JsonValue, place: Place, name: str) -> Condition:
    return AllOf(_read_conditions(value, place, name))


def _read_any(value: JsonValue, place: Place, name: str) -> Condition:
    return AnyOf(_read_conditions(value, place, name))


def _read_not(value: JsonValue, place: Place, name: str) -> Condition | None:
    condition = _read_nested(value, place.at(name))
    return None if condition is None else Negation(condition)


def _read_operand(value: JsonValue, place: Place, name: str) -> JsonValue:
    operand_type = OPERATORS[name].operand_type
    if not accepts(operand_type, value):
        expected(place, _OPERANDS[operand_type], value, name)
    return value


def _operand_schema(name: str, _language: QueryLanguage) -> JsonObject:
    kind = OPERATORS[name].operand_type
    return {"type": "string", "format": "date-time"} if kind is OperandType.TIMESTAMP else {"type": str(kind)}


def _operator_fields() -> Iterator[Field]:
    for name, operator in OPERATORS.items():
        literal = Custom(_read_operand, partial(_operand_schema, name))
        yield Field(name, literal, f"Compares the Variable by {name}.", "operand", JSONPATH)
        if operator.has_path_form:
            description = f"Compares the Variable by {name} with what this path finds."
            yield Field(f"{name}Path", RequiredPath(), description, "operand_path", JSONPATH)


def _rules_schema(_language: QueryLanguage) -> JsonObject:
    return {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/choiceRule"}}


def _nested_rules_schema(_language: QueryLanguage) -> JsonObject:
    return {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/nestedRule"}}


_TESTS: Final = (
    Field("Variable", RequiredPath(), "A path to the value that is compared.", "variable", JSONPATH),
    Field("And", Custom(_read_all, _nested_rules_schema), "Rules that must all hold.", "condition", JSONPATH),
    Field("Or", Custom(_read_any, _nested_rules_schema), "Rules of which one must hold.", "condition", JSONPATH),
    Field(
        "Not",
        Custom(_read_not, lambda _language: {"$ref": "#/definitions/nestedRule"}),
        "A rule that must not hold.",
        "condition",
        JSONPATH,
    ),
    *_operator_fields(),
)
_OPERATOR_FIELDS: Final = frozenset(field.name for field in _operator_fields())
NESTED_RULE: Final = FieldTable("a rule inside of a rule", *_TESTS, COMMENT)
RULE: Final = FieldTable(
    "a Choice rule",
    *_TESTS,
    Field(
        "Condition",
        Custom(_read_condition, lambda _language: {"anyOf": [JSONATA_SCHEMA, {"type": "boolean"}]}),
        "An expression that gives true or false.",
        "condition",
        JSONATA,
        required=True,
    ),
    Field("Next", StateName(), "The state to go to.", "next", required=True),
    ASSIGN,
    OUTPUT,
    COMMENT,
)


def _read_nested(value: JsonValue, place: Place) -> Condition | None:
    return _condition(read_object(NESTED_RULE, value, place), value, place)


def _condition(attributes: Attributes, value: JsonValue, place: Place) -> Condition | None:
    """The one test that a rule makes. Reports a rule that makes none, or several."""
    if not isinstance(value, dict):
        return None
    if not place.jsonata:
        tests = [name for name in value if name in _COMBINATIONS or name in _OPERATOR_FIELDS]
        if not _one_test(tests, value, place):
            return None
        if tests[0] in _OPERATOR_FIELDS:
            return _comparison(tests[0], attributes)
    condition: Condition | None = attributes.get("condition")
    return condition


def _one_test(tests: list[str], value: JsonObject, place: Place) -> bool:
    if len(tests) > 1:
        message = f"at most one of these fields can be given: [{', '.join(tests)}]"
        hint = 'combine them with "And" or "Or"'
        place.error(message, tests[-1], code=DiagnosticCode.EXCLUSIVE_FIELDS, hint=hint)
    elif not tests and value.keys() <= RULE.of(place.language).keys():
        place.error("a rule needs Variable and a comparison operator, or one of And, Or and Not")
    elif not tests:
        return False  # what may have been meant for a test has been reported as unknown
    elif tests[0] in _COMBINATIONS and "Variable" in value:
        place.error("Variable belongs into the rules inside", "Variable", code=DiagnosticCode.EXCLUSIVE_FIELDS)
    elif tests[0] in _OPERATOR_FIELDS and "Variable" not in value:
        place.error("These fields are required: [Variable]")
    else:
        return True
    return False


def _comparison(name: str, attributes: Attributes) -> Condition | None:
    variable: Path = attributes["variable"]
    if name not in OPERATORS:
        return PathComparison(variable, OPERATORS[name.removesuffix("Path")], attributes["operand_path"])
    test = OPERATORS[name].against(attributes["operand"])
    return PresenceTest(variable, test) if name == "IsPresent" else Comparison(variable, test)


def _read_choices(value: JsonValue, place: Place, name: str) -> tuple[ChoiceRule, ...]:
    if not isinstance(value, list):
        expected(place, "an array of rules", value, name)
        return ()
    if not value:
        place.error("Value cannot be empty", name)
    rules = []
    for index, rule in enumerate(value):
        errors = place.compilation.problems.errors
        inside = place.at(name, index)
        attributes = read_object(RULE, rule, inside)
        condition = _condition(attributes, rule, inside)
        if condition is not None and place.compilation.problems.errors == errors:
            rules.append(
                ChoiceRule(
                    condition=condition,
                    next=attributes["next"],
                    assign=attributes.get("assign"),
                    output=attributes.get("output"),
                )
            )
    return tuple(rules)


TABLE: Final = FieldTable(
    "a Choice state",
    *EVERY_STATE,
    *PATHS,
    Field("Choices", Custom(_read_choices, _rules_schema), "The rules, in order.", "choices", required=True),
    Field("Default", StateName(), "The state to go to when no rule applies.", "default"),
    ASSIGN,
    OUTPUT,
)


def _build(attributes: Attributes) -> ChoiceState:
    return ChoiceState(type=StateType.CHOICE, **attributes)


def _check(_value: JsonObject, _place: Place) -> None:
    """The table says it all."""


SYNTAX: Final = StateSyntax(TABLE, _build, _check)
