"""The tree of a JSONPath: steps from node to nodes, and the conditions of filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from asl_engine.expressions.jsonpath.regular_expression import RegularExpression
from asl_engine.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class Member:
    """`.name` or `['name']`."""

    name: str


@dataclass(frozen=True, slots=True)
class Members:
    """`['a','b']`: at the end of a path an object of these members, elsewhere each of them."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """`[2]`, `[-1]`, `[0,2]`: items by position, from the end where negative."""

    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ItemRange:
    """`[1:3]`, `[:1]`, `[-2:]`."""

    start: int | None
    stop: int | None
    step: int | None


@dataclass(frozen=True, slots=True)
class Everything:
    """`.*` or `[*]`: all items or members."""


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?(…)]`: the items for which the condition holds; of an object, the object itself."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Descent:
    """`..`: the next step is taken from the node and from everything below it."""


@dataclass(frozen=True, slots=True)
class Call:
    """`.length()`: a function of the value found so far."""

    function: str
    argument: int | None


Step: TypeAlias = Member | Members | Items | ItemRange | Everything | Filter | Descent | Call


@dataclass(frozen=True, slots=True)
class Query:
    """Steps from the root (`$`), or within a filter from the node under test (`@`)."""

    from_root: bool
    steps: tuple[Step, ...]

    @property
    def is_definite(self) -> bool:
        """Whether it finds at most one node, so that its value is that node and not a list."""
        return not any(_is_indefinite(step, last=step is self.steps[-1]) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in a filter."""

    value: JsonValue


Operand: TypeAlias = Query | Literal | RegularExpression


@dataclass(frozen=True, slots=True)
class Exists:
    """`@.a`: the query finds something, be it null."""

    query: Query


@dataclass(frozen=True, slots=True)
class Comparison:
    """`@.a == 1`."""

    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Negation:
    """`!…`."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Conjunction:
    """`… && …`."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    """`… || …`."""

    conditions: tuple[Condition, ...]


Condition: TypeAlias = Exists | Comparison | Negation | Conjunction | Disjunction


def _is_indefinite(step: Step, *, last: bool) -> bool:
    match step:
        case Member() | Call():
            return False
        case Items(indexes):
            return len(indexes) > 1
        case Members():
            return not last
        case _:
            return True
