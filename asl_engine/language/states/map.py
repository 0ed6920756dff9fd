"""Map: runs its processor once for each item. Distributed Maps read, batch and write items by fields of their own."""

import re
from typing import Any, Final

from asl_engine.expressions.jsonata import is_expression
from asl_engine.expressions.scope import Expression
from asl_engine.json_value import JsonValue
from asl_engine.language.branch import START_AT, STATES, StateSyntax, read_branch
from asl_engine.language.definition import MapState, ProcessorMode, StateType
from asl_engine.language.error_handling import CATCH, RETRY
from asl_engine.language.fields import JSONATA, JSONPATH, Attributes, Field, FieldTable, expected, read_object
from asl_engine.language.kinds import (
    JSONATA_SCHEMA,
    Custom,
    Number,
    OneOf,
    OrJsonata,
    RequiredPath,
    Template,
    read_jsonata,
    read_template,
)
from asl_engine.language.place import Place, child_branch_key
from asl_engine.language.resource import PLACEHOLDER
from asl_engine.language.state_fields import (
    ASSIGN,
    COMMENT,
    EVERY_STATE,
    OUTPUT,
    PATHS,
    RESULT_PATH,
    RESULT_SELECTOR,
    TRANSITION,
    check_transition,
)
from asl_engine.language.states.distributed_map import ITEM_BATCHER, ITEM_READER, RESULT_WRITER

_LABEL_LENGTH_MAX: Final = 40
# https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
_LABEL_FORBIDDEN: Final = re.compile(r"""[\x00-\x20\x7F-\x9F?*<>{}\[\]:;,\\|^~$#%&`"]""")

_PROCESSOR_CONFIG: Final = FieldTable(
    "ProcessorConfig",
    Field(
        "Mode",
        OneOf(tuple(ProcessorMode), ProcessorMode),
        "INLINE runs the iterations in this execution; DISTRIBUTED runs each as an execution of its own.",
        "mode",
    ),
    Field(
        "ExecutionType", OneOf(("STANDARD", "EXPRESS")), "The type of a distributed Map's executions.", "execution_type"
    ),
    COMMENT,
)


def _read_processor_config(value: JsonValue, place: Place, name: str) -> ProcessorMode:
    config = read_object(_PROCESSOR_CONFIG, value, place.at(name))
    mode: ProcessorMode = config.get("mode", ProcessorMode.INLINE)
    if mode is ProcessorMode.DISTRIBUTED and "execution_type" not in config:
        place.at(name).error("These fields are required: [ExecutionType]", hint="a distributed Map needs to know it")
    if mode is ProcessorMode.DISTRIBUTED and place.compilation.express:
        place.error("Express state machine does not support distributed Map states", name, "Mode", hint="write INLINE")
    return mode


ITEM_PROCESSOR: Final = FieldTable(
    "an item processor",
    Field(
        "ProcessorConfig",
        Custom(_read_processor_config, _PROCESSOR_CONFIG.schema),
        "How iterations run. Default INLINE.",
        "mode",
    ),
    START_AT,
    STATES,
    COMMENT,
)


def _read_processor(value: JsonValue, place: Place, name: str) -> Attributes:
    key = child_branch_key(place, 0)
    outer = None if _mode(value) is ProcessorMode.DISTRIBUTED else place.reading
    branch, attributes = read_branch(ITEM_PROCESSOR, value, place.at(name), key=key, outer=outer)
    return {"item_processor": branch, "mode": attributes.get("mode", ProcessorMode.INLINE)}


def _mode(processor: JsonValue) -> ProcessorMode:
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    distributed = isinstance(config, dict) and config.get("Mode") == ProcessorMode.DISTRIBUTED
    return ProcessorMode.DISTRIBUTED if distributed else ProcessorMode.INLINE


def _read_items(value: JsonValue, place: Place, name: str) -> Expression | None:
    if isinstance(value, str) and is_expression(value):
        return read_jsonata(value, place, name, result="array")
    if not isinstance(value, list | dict):
        expected(place, "an array, an object or a JSONata expression", value, name)
        return None
    return read_template(value, place, name)


def _read_label(value: JsonValue, place: Place, name: str) -> str:
    if not isinstance(value, str):
        expected(place, "a string", value, name)
        return ""
    filled_in = PLACEHOLDER.sub("-", value)
    if not value:
        place.error("Label cannot be empty", name)
    elif len(filled_in) > _LABEL_LENGTH_MAX:
        place.error(f"Label cannot exceed {_LABEL_LENGTH_MAX} characters", name)
    elif found := _LABEL_FORBIDDEN.search(filled_in):
        place.error(f"Label contains invalid character: '{found[0]}'", name, hint="it becomes a part of an ARN")
    return value


_LABEL: Final = Custom(
    _read_label, lambda _language: {"type": "string", "minLength": 1, "maxLength": _LABEL_LENGTH_MAX}
)
_PROCESSOR: Final = Custom(_read_processor, lambda _language: {"$ref": "#/definitions/itemProcessor"})
_COUNT: Final = OrJsonata(Number(least=0), "number")
_PERCENTAGE: Final = OrJsonata(Number(least=0, most=100, fractions=True), "number")


def _path(name: str, attribute: str) -> Field:
    what = name.removesuffix("Path")
    return Field(name, RequiredPath(), f"A path to {what}.", attribute, JSONPATH, text_attribute=f"{attribute}_text")


TABLE: Final = FieldTable(
    "a Map state",
    *EVERY_STATE,
    *TRANSITION,
    *PATHS,
    Field(
        "Items",
        Custom(_read_items, lambda _language: {"anyOf": [{"type": ["array", "object"]}, JSONATA_SCHEMA]}),
        "The items, as an array, an object or an expression. Default: the state's input.",
        "items",
        JSONATA,
    ),
    Field("ItemsPath", RequiredPath(), "A path to the items. Default $.", "items_path", JSONPATH),
    Field("ItemSelector", Template(), "Builds the input of each iteration.", "item_selector"),
    Field("Parameters", Template(), "The older name of ItemSelector.", "item_selector", JSONPATH),
    Field("ItemProcessor", _PROCESSOR, "What runs for each item.", "processor"),
    Field("Iterator", _PROCESSOR, "The older name of ItemProcessor.", "processor", JSONPATH),
    Field("MaxConcurrency", _COUNT, "How many iterations run at once; 0 for no bound.", "max_concurrency"),
    _path("MaxConcurrencyPath", "max_concurrency_path"),
    Field("ToleratedFailureCount", _COUNT, "How many items may fail.", "tolerated_failure_count"),
    _path("ToleratedFailureCountPath", "tolerated_failure_count_path"),
    Field("ToleratedFailurePercentage", _PERCENTAGE, "Which share of items may fail.", "tolerated_failure_percentage"),
    _path("ToleratedFailurePercentagePath", "tolerated_failure_percentage_path"),
    Field("Label", _LABEL, "A part of the Map Run's ARN.", "label"),
    ITEM_READER,
    ITEM_BATCHER,
    RESULT_WRITER,
    RESULT_SELECTOR,
    RESULT_PATH,
    ASSIGN,
    OUTPUT,
    RETRY,
    CATCH,
    exclusive=[
        ("ItemSelector", "Parameters"),
        ("MaxConcurrency", "MaxConcurrencyPath"),
        ("ToleratedFailureCount", "ToleratedFailureCountPath"),
        ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
    ],
    exactly_one=[("ItemProcessor", "Iterator")],
)


def _build(attributes: Attributes) -> MapState:
    processor: dict[str, Any] = attributes.pop("processor")
    return MapState(type=StateType.MAP, **attributes, **processor)


SYNTAX: Final = StateSyntax(TABLE, _build, check_transition)
