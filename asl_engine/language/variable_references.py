"""Which variables each state refers to, as DescribeStateMachine tells them.

Texts are looked at, not evaluated: in JSONPath `$name` at the start of a path or inside an intrinsic call, in JSONata
`$name` outside of strings that is neither called, bound by the expression itself, nor a function of the language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from asl_engine.json_value import JsonObject, JsonValue

_BRANCHES: Final = ("Branches", "ItemProcessor", "Iterator")
_STRINGS: Final = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`|/\*.*?\*/", re.DOTALL)
_REFERENCE: Final = re.compile(r"\$([A-Za-z_]\w*)")
_BOUND: Final = re.compile(r"\$([A-Za-z_]\w*)\s*:=")
_JOINED: Final = re.compile(r"[@#]\s*\$([A-Za-z_]\w*)")
_PARAMETERS: Final = re.compile(r"(?:function|λ)\s*\(([^)]*)\)")
# https://docs.jsonata.org/overview and those that Step Functions adds: a name without a call passes the function on.
FUNCTIONS: Final = frozenset(
    re.findall(
        r"\w+",
        """
        abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl
        decodeUrlComponent distinct each encodeUrl encodeUrlComponent error eval exists filter floor formatBase
        formatInteger formatNumber fromMillis hash join keys length lookup lowercase map match max merge millis min not
        now number pad parse parseInteger partition power random range reduce replace reverse round shuffle sift single
        sort split spread sqrt string substring substringAfter substringBefore sum toMillis trim type uppercase uuid zip
        """,
    )
)
_MEMBER: Final = re.compile(r"\$states\s*\.\s*(\w+)")
_CALLED: Final = re.compile(r"\$([A-Za-z_]\w*)\s*\(")


def variable_references(definition: JsonObject) -> dict[str, list[str]]:
    """State names and the sorted names of the variables that they refer to; states without any are left out."""
    return dict(_of_states(definition, definition.get("QueryLanguage") == "JSONata"))


def _of_states(block: JsonValue, jsonata: bool) -> Iterator[tuple[str, list[str]]]:
    states = block.get("States") if isinstance(block, dict) else None
    for name, state in states.items() if isinstance(states, dict) else ():
        if not isinstance(state, dict):
            continue
        in_jsonata = state.get("QueryLanguage", "JSONata" if jsonata else "JSONPath") == "JSONata"
        own = {field: value for field, value in state.items() if field not in _BRANCHES and field != "Comment"}
        names = set(_in_jsonata(own) if in_jsonata else _in_paths(own))
        if names:
            yield name, sorted(names)
        for field in _BRANCHES:
            inner = state.get(field)
            for each in inner if isinstance(inner, list) else [inner]:
                yield from _of_states(each, jsonata)


def _in_jsonata(value: JsonValue) -> Iterator[str]:
    match value:
        case dict():
            for member in value.values():
                yield from _in_jsonata(member)
        case list():
            for member in value:
                yield from _in_jsonata(member)
        case str() if value.startswith("{%") and value.endswith("%}"):
            yield from referred(value)


def referred(expression: str) -> Iterator[str]:
    """The variables that an expression in JSONata refers to."""
    text = _STRINGS.sub("", expression)
    own = {"states", *FUNCTIONS, *_bound(text), *_CALLED.findall(text)}
    return (name for name in _REFERENCE.findall(text) if name not in own)


def called(expression: str) -> Iterator[str]:
    """The functions that an expression in JSONata calls and does not define."""
    text = _STRINGS.sub("", expression)
    own = set(_bound(text))
    return (name for name in _CALLED.findall(text) if name not in own)


def states_members(expression: str) -> Iterator[str]:
    """The members of `$states` that an expression in JSONata names."""
    return iter(_MEMBER.findall(_STRINGS.sub("", expression)))


def referred_in_path(key: str, text: str) -> Iterator[str]:
    """The variables that a JSONPath or an intrinsic call refers to, where the member `key` holds one."""
    if key.endswith((".$", "Path")) or key == "Variable":
        yield from _REFERENCE.findall(_STRINGS.sub("", text))


def _bound(text: str) -> Iterator[str]:
    yield from _BOUND.findall(text)
    yield from _JOINED.findall(text)
    for parameters in _PARAMETERS.findall(text):
        yield from _REFERENCE.findall(parameters)


def _in_paths(value: JsonValue, key: str = "") -> Iterator[str]:
    match value:
        case dict():
            for name, member in value.items():
                yield from _in_paths(member, name)
        case list():
            for member in value:
                yield from _in_paths(member)
        case str():
            yield from referred_in_path(key, value)
