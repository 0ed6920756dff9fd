"""Definitions for tests, written as briefly as Python lets them be."""

from __future__ import annotations

from typing import Final

from asl_engine.interpreter.execution import TaskAttempt
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.drive import Drive

NOON: Final = 1_767_268_800_000  # 2026-01-01T12:00:00Z
LAMBDA: Final = "arn:aws:lambda:us-east-1:123456789012:function:work"
ACTIVITY: Final = "arn:aws:states:us-east-1:123456789012:activity:work"
QUEUE: Final = "arn:aws:states:::sqs:sendMessage"
CALLBACK: Final = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
JOB: Final = "arn:aws:states:::batch:submitJob.sync"

_NEVER_LEAD_ON = frozenset({"Succeed", "Fail", "Choice"})


def machine(states: JsonObject, **fields: JsonValue) -> JsonObject:
    """A definition that starts at the first of its states."""
    return {"StartAt": next(iter(states)), "States": states, **fields}


def only(state: JsonObject, **fields: JsonValue) -> JsonObject:
    """A definition of one state, named "Only"."""
    return machine({"Only": state}, **fields)


def jsonata(state: JsonObject, **fields: JsonValue) -> JsonObject:
    """A definition of one state, named "Only", in JSONata."""
    return only(state, QueryLanguage="JSONata", **fields)


def state(type_: str, **fields: JsonValue) -> JsonObject:
    """A state, which ends its branch unless it has a Next."""
    ends: JsonObject = {} if "Next" in fields or type_ in _NEVER_LEAD_ON else {"End": True}
    return {"Type": type_, **fields, **ends}


def pass_(**fields: JsonValue) -> JsonObject:
    return state("Pass", **fields)


def task(**fields: JsonValue) -> JsonObject:
    return state("Task", **{"Resource": LAMBDA, **fields})


def fail(error: str = "Order.Refused", cause: str = "too late") -> JsonObject:
    return state("Fail", Error=error, Cause=cause)


def parallel(*branches: JsonObject, **fields: JsonValue) -> JsonObject:
    return state("Parallel", Branches=list(branches), **fields)


def each(processor: JsonObject, **fields: JsonValue) -> JsonObject:
    return state("Map", ItemProcessor=processor, **fields)


def retrier(*errors: str, **fields: JsonValue) -> JsonObject:
    return {"ErrorEquals": list(errors or ("States.ALL",)), **fields}


def catcher(next_: str, *errors: str, **fields: JsonValue) -> JsonObject:
    return {"ErrorEquals": list(errors or ("States.ALL",)), "Next": next_, **fields}


def arguments_at(run: Drive, name: str = "Only") -> JsonValue:
    """What the open attempt at a state was given."""
    return attempt_at(run, name).arguments


def attempt_at(run: Drive, name: str = "Only") -> TaskAttempt:
    return run.open_attempt(name)[1]


def waits(run: Drive) -> list[int]:
    """How many milliseconds each outstanding timer is away."""
    return [timer.at - run.at for timer in run.timers]
