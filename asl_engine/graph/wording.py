"""The words on a drawing: what a state does and when an edge is taken, short enough for a label."""

from __future__ import annotations

import re
from typing import Final

from asl_engine.json_value import JsonObject, JsonValue, dump_json
from asl_engine.language.definition import (
    FailState,
    IntegrationPattern,
    MapState,
    ParallelState,
    Resource,
    ResourceType,
    State,
    TaskState,
    WaitState,
)

_WAITING: Final = {
    IntegrationPattern.REQUEST_RESPONSE: "",
    IntegrationPattern.SYNC: ", runs to its end",
    IntegrationPattern.SYNC_2: ", runs to its end",
    IntegrationPattern.WAIT_FOR_TASK_TOKEN: ", waits for its token",
}
_COMPARISONS: Final = {
    "Equals": "=",
    "LessThan": "<",
    "GreaterThan": ">",
    "LessThanEquals": "≤",
    "GreaterThanEquals": "≥",
    "Matches": "matches",
}
_COMPARISON: Final = re.compile(rf"(?:String|Numeric|Boolean|Timestamp)({'|'.join(_COMPARISONS)})(?:Path)?")
_TYPE_TEST: Final = re.compile(r"Is([A-Z]\w*)")


def state_detail(state: State, written: JsonObject) -> str:
    """What the state does, beyond its type. `written` is the state in the definition."""
    match state:
        case TaskState():
            return _resource_text(state.resource, written)
        case WaitState():
            return _wait_text(written)
        case MapState():
            return _map_text(written)
        case ParallelState():
            return f"{len(state.branches)} branches"
        case FailState():
            return plain(written.get("Error", written.get("ErrorPath", "")))
        case _:
            return ""


def retry_text(state: State) -> str:
    """What the state retries, one retrier a line, or nothing."""
    return "\n".join(
        f"{', '.join(retrier.error_equals)}: up to {retrier.max_attempts} times"
        for retrier in state.retry
        if retrier.max_attempts > 0
    )


def condition_text(rule: JsonValue) -> str:
    """A rule of a Choice, as one would say it: `$.total ≥ 100 and not ($.vip = true)`."""
    if not isinstance(rule, dict):
        return ""
    match rule:
        case {"Condition": condition}:
            return plain(condition)
        case {"And": [*rules]}:
            return " and ".join(_operand(each) for each in rules)
        case {"Or": [*rules]}:
            return " or ".join(_operand(each) for each in rules)
        case {"Not": negated}:
            return f"not ({condition_text(negated)})"
        case {"Variable": str(variable)}:
            return _test_text(variable, rule)
        case _:
            return ""


def plain(value: JsonValue) -> str:
    """A value of the definition without the delimiters of an expression, on one line."""
    text = value if isinstance(value, str) else dump_json(value)
    if text.startswith("{%") and text.endswith("%}"):
        text = text[2:-2]
    return " ".join(text.split())


def shortened(text: str, length_max: int) -> str:
    """The text, cut with an ellipsis where it is longer."""
    return text if len(text) <= length_max else f"{text[: length_max - 1].rstrip()}…"


def wrapped(text: str, width: int, lines_max: int) -> list[str]:
    """The text broken between words into lines of about `width` characters; what is beyond `lines_max` is cut off."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".lstrip()
    if len(lines) > lines_max:
        lines[lines_max - 1] = f"{lines[lines_max - 1]} …"
    return [shortened(line, width + 4) for line in lines[:lines_max]]


def _resource_text(resource: Resource, written: JsonObject) -> str:
    match resource.type:
        case ResourceType.SERVICE if (resource.service, resource.action) == ("lambda", "invoke"):
            return _invoked_function(written) + _WAITING[resource.pattern]
        case ResourceType.SERVICE:
            return f"{resource.service}:{resource.action}{_WAITING[resource.pattern]}"
        case ResourceType.ACTIVITY:
            return f"activity {resource.arn.rpartition(':')[2]}"
        case ResourceType.LAMBDA_FUNCTION:
            return _function_name(resource.arn)


def _invoked_function(written: JsonObject) -> str:
    arguments = written.get("Arguments", written.get("Parameters"))
    if isinstance(arguments, dict):
        for name in ("FunctionName", "FunctionName.$"):
            if name in arguments:
                return _function_name(plain(arguments[name]))
    return "lambda:invoke"


def _function_name(arn: str) -> str:
    """The function's own name, with its version or alias where it has one."""
    return arn.partition(":function:")[2] or arn


def _wait_text(written: JsonObject) -> str:
    match written:
        case {"Seconds": seconds}:
            return f"{plain(seconds)} s"
        case {"SecondsPath": seconds}:
            return f"{plain(seconds)} s"
        case {"Timestamp": moment} | {"TimestampPath": moment}:
            return f"until {plain(moment)}"
        case _:
            return ""


def _map_text(written: JsonObject) -> str:
    items = written.get("Items", written.get("ItemsPath"))
    concurrency = written.get("MaxConcurrency", written.get("MaxConcurrencyPath"))
    source = "" if items is None else f" of {plain(items)}"
    pace = f", {plain(concurrency)} at a time" if concurrency not in (None, 0) else ""
    return f"each{source}{pace}"


def _operand(rule: JsonValue) -> str:
    text = condition_text(rule)
    return f"({text})" if isinstance(rule, dict) and ("And" in rule or "Or" in rule) else text


def _test_text(variable: str, rule: JsonObject) -> str:
    for name, operand in rule.items():
        if comparison := _COMPARISON.fullmatch(name):
            shown = plain(operand) if name.endswith("Path") else dump_json(operand)
            return f"{variable} {_COMPARISONS[comparison[1]]} {shown}"
        if type_test := _TYPE_TEST.fullmatch(name):
            return f"{variable} is {'' if operand else 'not '}{type_test[1].lower()}"
    return variable
