"""A state machine as the interpreter runs it: every field parsed, every expression compiled.

Field names are those of the specification in snake_case (https://states-language.net/spec.html). An optional field
that is absent is None, so that a default costs nothing at run time. Fields of both query languages sit side by side;
the parser has made sure that only those of the state's own language are set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from asl_engine.expressions.reference_path import ReferencePath
from asl_engine.expressions.scope import Expression
from asl_engine.json_value import JsonObject
from asl_engine.language.choice_rule import Condition


class StateType(StrEnum):
    """The `Type` of a state."""

    TASK = "Task"
    PASS = "Pass"  # noqa: S105 - a state type, no password
    CHOICE = "Choice"
    WAIT = "Wait"
    SUCCEED = "Succeed"
    FAIL = "Fail"
    PARALLEL = "Parallel"
    MAP = "Map"


class QueryLanguage(StrEnum):
    """The `QueryLanguage` of a machine or a state."""

    JSONPATH = "JSONPath"
    JSONATA = "JSONata"


class ResourceType(StrEnum):
    """What a Task's `Resource` names."""

    LAMBDA_FUNCTION = "lambda"
    ACTIVITY = "activity"
    SERVICE = "service"


class IntegrationPattern(StrEnum):
    """How a Task waits for a service, as the suffix of the Resource spells it."""

    REQUEST_RESPONSE = ""
    SYNC = ".sync"
    SYNC_2 = ".sync:2"
    WAIT_FOR_TASK_TOKEN = ".waitForTaskToken"  # noqa: S105 - a suffix, no password


class JitterStrategy(StrEnum):
    """`JitterStrategy` of a retrier."""

    FULL = "FULL"
    NONE = "NONE"


class ProcessorMode(StrEnum):
    """`ProcessorConfig.Mode` of a Map."""

    INLINE = "INLINE"
    DISTRIBUTED = "DISTRIBUTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A Task's `Resource`, taken apart.

    For `arn:aws:states:::sqs:sendMessage.waitForTaskToken`: type SERVICE, service "sqs", action "sendMessage".
    For `arn:aws:states:::aws-sdk:s3:getObject`: service "aws-sdk:s3", action "getObject".
    For a Lambda function or an activity: service and action are empty.
    """

    arn: str
    type: ResourceType
    service: str = ""
    action: str = ""
    pattern: IntegrationPattern = IntegrationPattern.REQUEST_RESPONSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrier:
    """One rule of `Retry`."""

    error_equals: tuple[str, ...]
    interval_seconds: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_seconds: int | None = None
    jitter_strategy: JitterStrategy = JitterStrategy.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Catcher:
    """One rule of `Catch`. `result_path` None is `$`; `discards_result` is ResultPath null."""

    error_equals: tuple[str, ...]
    next: str
    result_path: ReferencePath | None = None
    discards_result: bool = False
    assign: Expression | None = None
    output: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What all states share. `next` None means that the state ends its branch.

    JSONPath: `input_path` and `output_path` None are `$` (null in the definition is a Constant of {}); `parameters`
    and `result_selector` are templates; `result_path` None is `$`, `discards_result` is ResultPath null.
    JSONata: `parameters` holds Arguments; `output` holds Output. `assign` evaluates to an object in both.

    What the interpreter asks of every state that it runs is answered once: the types of its history events, and
    `keeps_result`, whether its result is its output as it is, since no field of JSONPath shapes it.
    """

    name: str
    type: StateType
    query_language: QueryLanguage = QueryLanguage.JSONPATH
    next: str | None = None
    input_path: Expression | None = None
    output_path: Expression | None = None
    parameters: Expression | None = None
    result_selector: Expression | None = None
    result_path: ReferencePath | None = None
    discards_result: bool = False
    assign: Expression | None = None
    output: Expression | None = None
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()
    is_jsonata: bool = field(init=False, repr=False)
    keeps_result: bool = field(init=False, repr=False)
    entered_event_type: str = field(init=False, repr=False)
    exited_event_type: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        is_jsonata = self.query_language is QueryLanguage.JSONATA
        shapes = (self.result_selector, self.result_path, self.output_path)
        is_shaped = is_jsonata or self.discards_result or any(shape is not None for shape in shapes)
        object.__setattr__(self, "is_jsonata", is_jsonata)
        object.__setattr__(self, "keeps_result", not is_shaped)
        object.__setattr__(self, "entered_event_type", f"{self.type}StateEntered")
        object.__setattr__(self, "exited_event_type", f"{self.type}StateExited")


@dataclass(frozen=True, slots=True, kw_only=True)
class PassState(State):
    """Pass. `result` is the JSONPath field Result, never evaluated."""

    result: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SucceedState(State):
    """Succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailState(State):
    """Fail. `error` and `cause` are literals or JSONata; the `_path` forms are paths or intrinsics (JSONPath)."""

    error: Expression | None = None
    error_path: Expression | None = None
    error_path_text: str = ""
    cause: Expression | None = None
    cause_path: Expression | None = None
    cause_path_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitState(State):
    """Wait: exactly one of the four is set. `seconds` and `timestamp` are literals or JSONata."""

    seconds: Expression | None = None
    seconds_path: Expression | None = None
    seconds_path_text: str = ""
    timestamp: Expression | None = None
    timestamp_path: Expression | None = None
    timestamp_path_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceRule:
    """One rule of `Choices`."""

    condition: Condition
    next: str
    assign: Expression | None = None
    output: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceState(State):
    """Choice. The state's own `assign` and `output` apply when the Default is taken."""

    choices: tuple[ChoiceRule, ...] = ()
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState(State):
    """Task. `timeout_seconds` and `heartbeat_seconds` are literals or JSONata; the `_path` forms are paths."""

    resource: Resource
    timeout_seconds: Expression | None = None
    timeout_seconds_path: Expression | None = None
    heartbeat_seconds: Expression | None = None
    heartbeat_seconds_path: Expression | None = None
    credentials: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A StartAt with its States: the machine itself, a branch of a Parallel, or the processor of a Map.

    `key` is unique in the machine: "" is the root, "Fan/0" the first branch of Parallel "Fan", "Each/0" a Map's
    processor, "Fan/0/Inner/1" a branch further in.
    """

    key: str
    start_at: str
    states: Mapping[str, State]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelState(State):
    """Parallel."""

    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapState(State):
    """Map. `items` is JSONata's Items, `items_path` JSONPath's ItemsPath (None: the effective input itself).

    `item_selector` also holds the older `Parameters`. The numbers are literals or JSONata; the `_path` forms are paths.
    The distributed fields (`item_reader`, `item_batcher`, `result_writer`, `label`) are kept as they were written.
    """

    item_processor: Branch
    mode: ProcessorMode = ProcessorMode.INLINE
    items: Expression | None = None
    items_path: Expression | None = None
    item_selector: Expression | None = None
    max_concurrency: Expression | None = None
    max_concurrency_path: Expression | None = None
    max_concurrency_path_text: str = ""
    tolerated_failure_count: Expression | None = None
    tolerated_failure_count_path: Expression | None = None
    tolerated_failure_count_path_text: str = ""
    tolerated_failure_percentage: Expression | None = None
    tolerated_failure_percentage_path: Expression | None = None
    tolerated_failure_percentage_path_text: str = ""
    label: str | None = None
    item_reader: JsonObject | None = None
    item_batcher: JsonObject | None = None
    result_writer: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMachine:
    """A definition, compiled. `sha256` names its content; an execution is pinned to it for life."""

    definition: JsonObject
    sha256: str
    root: Branch
    branches: Mapping[str, Branch]
    timeout_seconds: int | None = None
    query_language: QueryLanguage = QueryLanguage.JSONPATH
    comment: str | None = None
    version: str = "1.0"
    warnings: tuple[str, ...] = field(default=())
