"""Machines to draw, and the events of what happened in them."""

from __future__ import annotations

from asl_engine.interpreter.history import HistoryEvent
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import StateMachine
from asl_engine.language.parser import compile_definition

LAMBDA = "arn:aws:lambda:eu-west-1:123456789012:function:"
ORDER: JsonObject = {
    "Comment": "An order is paid & packed",
    "StartAt": "Look up",
    "States": {
        "Look up": {
            "Comment": "Stock may be late",
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:getItem",
            "Retry": [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 5}],
            "Next": "In stock?",
        },
        "In stock?": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.stock", "NumericGreaterThan": 0, "Next": "Fulfil"},
                {"Variable": "$.tries", "NumericGreaterThanEquals": 10, "Next": "Give up"},
            ],
            "Default": "Wait a bit",
        },
        "Wait a bit": {"Type": "Wait", "Seconds": 30, "Next": "Look up"},
        "Fulfil": {
            "Type": "Parallel",
            "Branches": [
                {
                    "StartAt": "Pay",
                    "States": {
                        "Pay": {
                            "Type": "Task",
                            "Resource": f"{LAMBDA}pay",
                            "Catch": [{"ErrorEquals": ["Declined", "States.Timeout"], "Next": "Owed"}],
                            "End": True,
                        },
                        "Owed": {"Type": "Pass", "End": True},
                    },
                },
                {
                    "StartAt": "Pack each",
                    "States": {
                        "Pack each": {
                            "Type": "Map",
                            "ItemsPath": "$.lines",
                            "MaxConcurrency": 3,
                            "ItemProcessor": {
                                "StartAt": "Pack",
                                "States": {"Pack": {"Type": "Task", "Resource": f"{LAMBDA}pack:live", "End": True}},
                            },
                            "End": True,
                        }
                    },
                },
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Give up"}],
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
        "Give up": {"Type": "Fail", "Error": "OutOfStock"},
    },
}


def order() -> StateMachine:
    """A loop, a Choice, a Parallel with a Map in it, Catch and Retry."""
    return compile_definition(ORDER)


def one_state(state: JsonObject, name: str = "Only") -> StateMachine:
    """A machine of one state."""
    return compile_definition({"StartAt": name, "States": {name: state}})


def events(*told: tuple[int, int, str, str]) -> list[HistoryEvent]:
    """History events from (id, previous event id, type, state name or nothing)."""
    return [
        HistoryEvent(event_id, previous, kind, 0, {_member(kind): name} if name else None)
        for event_id, previous, kind, name in told
    ]


def _member(kind: str) -> str:
    return "state" if kind == "EvaluationFailed" else "name"
