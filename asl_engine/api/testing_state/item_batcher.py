"""What ItemBatcher makes of a Map's items: the input of each child execution.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

from __future__ import annotations

from typing import Final

from asl_engine.errors import EvaluationError
from asl_engine.expressions.jsonata_template import compile_jsonata_template
from asl_engine.expressions.payload_template import compile_template
from asl_engine.expressions.scope import Expression, Scope
from asl_engine.interpreter.failure import RUNTIME
from asl_engine.json_value import JsonObject, JsonValue, dump_json, size_bytes
from asl_engine.language.definition import QueryLanguage
from asl_engine.limits import PAYLOAD_BYTES_MAX

_INPUT: Final = "BatchInput"
_COUNT: Final = "MaxItemsPerBatch"
_BYTES: Final = "MaxInputBytesPerBatch"


def batches(batcher: JsonObject, language: QueryLanguage, items: list[JsonValue], scope: Scope) -> list[JsonValue]:
    """Batches as large as both bounds allow; an item that is too large by itself has one of its own.

    Raises EvaluationError.
    """
    given = _compiled(batcher, language).evaluate(scope)
    assert isinstance(given, dict)
    shared = {_INPUT: given[_INPUT]} if _INPUT in given else {}
    count_max, bytes_max = _bound(given, _COUNT, len(items) or 1), _bound(given, _BYTES, PAYLOAD_BYTES_MAX)
    begun: list[list[JsonValue]] = []
    empty = size = size_bytes({**shared, "Items": []})
    for item in items:
        size += size_bytes(item) + 1  # and a comma, or the end
        if not begun or len(begun[-1]) == count_max or size - 1 > bytes_max:
            begun.append([])
            size = empty + size_bytes(item) + 1
        begun[-1].append(item)
    return [{**shared, "Items": batch} for batch in begun]


def _compiled(batcher: JsonObject, language: QueryLanguage) -> Expression:
    """The fields as one template: a bound that is given by a path is a field of a template with the path in it."""
    fields = {name: value for name, value in batcher.items() if name != "Comment"}
    if language is QueryLanguage.JSONATA:
        return compile_jsonata_template(fields, field="ItemBatcher")
    paths = {name: name.removesuffix("Path") + ".$" for name in fields if name.endswith("Path")}
    return compile_template({paths.get(name, name): value for name, value in fields.items()}, field="ItemBatcher")


def _bound(given: JsonObject, name: str, default: int) -> int:
    value = given.get(name, default)
    if type(value) is not int or value < 1:
        raise EvaluationError(RUNTIME, f"The {name} field must be a positive integer but was: {dump_json(value)}")
    return value
