"""How generated machines spell the same thing in JSONPath and in JSONata."""

from __future__ import annotations

from typing import Final, Protocol

from asl_engine.json_value import JsonObject, JsonValue, dump_json


class Dialect(Protocol):
    """Fields of states. A state's output is its input plus one member, named after the state."""

    query_language: str

    def keep_value(self, name: str, value: JsonValue) -> JsonObject:
        """A Pass that adds a value."""

    def keep_result(self, name: str) -> JsonObject:
        """A state that adds its result."""

    def keep_error(self, name: str) -> JsonObject:
        """A Catch rule that adds the name of the error."""

    def arguments(self, resource: str, name: str) -> JsonObject:
        """What a Task sends: its name, the input, and its token where it waits for one."""

    def items(self, name: str) -> JsonObject:
        """A Map over the value that the state of that name added, each iteration with its item and index."""

    def set_variable(self, name: str, value: int) -> JsonObject:
        """Assign a number to the variable of that name."""

    def increment(self, name: str) -> JsonObject:
        """Add one to a variable."""

    def variable_below(self, name: str, limit: int) -> JsonObject:
        """A Choice rule: the variable is less."""

    def result_below(self, name: str, limit: int) -> JsonObject:
        """A Choice rule: the state has a result, and its value is less."""


class _JsonPath:
    query_language = "JSONPath"

    def keep_value(self, name: str, value: JsonValue) -> JsonObject:
        return {"Result": value, "ResultPath": f"$.{name}"}

    def keep_result(self, name: str) -> JsonObject:
        return {"ResultPath": f"$.{name}"}

    def keep_error(self, name: str) -> JsonObject:
        return {"ResultPath": f"$.{name}Error"}

    def arguments(self, resource: str, name: str) -> JsonObject:
        payload: JsonObject = {"task": name, "input.$": "$"}
        if resource.endswith(".waitForTaskToken"):
            payload["token.$"] = "$$.Task.Token"
        return {"Parameters": _request(resource, payload)}

    def items(self, name: str) -> JsonObject:
        return {
            "ItemsPath": f"$.{name}",
            "ItemSelector": {"item.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index"},
        }

    def set_variable(self, name: str, value: int) -> JsonObject:
        return {"Assign": {name: value}}

    def increment(self, name: str) -> JsonObject:
        return {"Assign": {f"{name}.$": f"States.MathAdd(${name}, 1)"}}

    def variable_below(self, name: str, limit: int) -> JsonObject:
        return {"Variable": f"${name}", "NumericLessThan": limit}

    def result_below(self, name: str, limit: int) -> JsonObject:
        value = f"$.{name}.value"
        return {"And": [{"Variable": value, "IsPresent": True}, {"Variable": value, "NumericLessThan": limit}]}


class _Jsonata:
    query_language = "JSONata"

    def keep_value(self, name: str, value: JsonValue) -> JsonObject:
        return {"Output": f"{{% $merge([$states.input, {{'{name}': {dump_json(value)}}}]) %}}"}

    def keep_result(self, name: str) -> JsonObject:
        return {"Output": f"{{% $merge([$states.input, {{'{name}': $states.result}}]) %}}"}

    def keep_error(self, name: str) -> JsonObject:
        return {"Output": f"{{% $merge([$states.input, {{'{name}Error': $states.errorOutput.Error}}]) %}}"}

    def arguments(self, resource: str, name: str) -> JsonObject:
        payload: JsonObject = {"task": name, "input": "{% $states.input %}"}
        if resource.endswith(".waitForTaskToken"):
            payload |= {"token": "{% $states.context.Task.Token %}"}
        return {"Arguments": _request(resource, payload)}

    def items(self, name: str) -> JsonObject:
        return {
            "Items": f"{{% $states.input.{name} %}}",
            "ItemSelector": {
                "item": "{% $states.context.Map.Item.Value %}",
                "index": "{% $states.context.Map.Item.Index %}",
            },
        }

    def set_variable(self, name: str, value: int) -> JsonObject:
        return {"Assign": {name: value}}

    def increment(self, name: str) -> JsonObject:
        return {"Assign": {name: f"{{% ${name} + 1 %}}"}}

    def variable_below(self, name: str, limit: int) -> JsonObject:
        return {"Condition": f"{{% ${name} < {limit} %}}"}

    def result_below(self, name: str, limit: int) -> JsonObject:
        return {"Condition": f"{{% $exists($states.input.{name}.value) and $states.input.{name}.value < {limit} %}}"}


def _request(resource: str, payload: JsonObject) -> JsonObject:
    """The payload where the service expects it."""
    if ":lambda:invoke" in resource:
        return {"FunctionName": "work", "Payload": payload}
    if "startExecution" in resource:
        return {"StateMachineArn": _OTHER_MACHINE, "Input": payload}
    return payload


_OTHER_MACHINE: Final = "arn:aws:states:us-east-1:123456789012:stateMachine:other"
DIALECTS: Final[tuple[Dialect, ...]] = (_JsonPath(), _JsonPath(), _Jsonata())
