"""The table of kinds has a row for every kind that a record can hold."""

from __future__ import annotations

from typing import get_args

from asl_engine.interpreter.commands import Command
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import Wait
from asl_engine.store.slots import KINDS


def test_every_event_command_and_wait_has_a_tag() -> None:
    assert KINDS.keys() == {*get_args(Event), *get_args(Command), *get_args(Wait)}


def test_no_tag_means_two_things() -> None:
    assert len(set(KINDS.values())) == len(KINDS)


def test_the_tags_are_those_that_stores_hold() -> None:
    """Renaming one would make stored records unreadable; a new one is added here."""
    assert set(KINDS.values()) == {
        "task-submitted",
        "activity-started",
        "task-succeeded",
        "task-failed",
        "task-heartbeat",
        "timer-fired",
        "execution-timer-fired",
        "stop-requested",
        "fail-requested",
        "schedule-task",
        "cancel-task",
        "start-timer",
        "start-execution-timer",
        "continue",
        "timer-wait",
        "retry-wait",
        "task-attempt",
        "children-wait",
    }
