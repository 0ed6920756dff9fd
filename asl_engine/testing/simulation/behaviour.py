"""What tasks answer in a simulation: a function of the seed and the attempt, so that whoever performs it says the same.

`HashedAnswers` looks at the state, its arguments and the attempt's number only: two runs with other faults get the same
answers. `DrawnAnswers` is for users' machines, of which nothing is known but their rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from asl_engine.json_value import JsonValue, dump_json
from asl_engine.language.definition import Catcher, Retrier, StateMachine, TaskState
from asl_engine.runtime.mocks import AutomaticMocks
from asl_engine.runtime.tasks import Failed, Succeeded, TaskCall

ERRORS: Final = ("Flaky", "Refused", "Busy")
_DURATION_MAX: Final = 20_000  # milliseconds
_TASK_FAILED: Final = "States.TaskFailed"
_ANY_ERROR: Final = {"States.ALL", _TASK_FAILED}


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes of an attempt, and after how many milliseconds. None: it is never answered and must time out."""

    result: Succeeded | Failed | None
    after: int


class Behaviour(Protocol):
    """Answers attempts; the same one always alike."""

    def answer(self, call: TaskCall) -> Answer:
        """What comes of this attempt."""


class HashedAnswers:
    """Succeeds with a small number, or fails, as state, arguments and attempt decide.

    `may_hang`: some never answer, if the state has a time-out, or the whole execution (`is_limited`).
    """

    def __init__(self, seed: str, *, may_hang: bool, is_limited: bool = False) -> None:
        self._seed, self._may_hang, self._is_limited = seed, may_hang, is_limited

    def answer(self, call: TaskCall) -> Answer:
        """See Behaviour."""
        attempt = call.attempt
        arguments = dump_json(attempt.arguments).replace(attempt.task_token or "\0", "")
        draws = _draws(f"{self._seed}|{attempt.state_name}|{arguments}|{attempt.retry_count}")
        after = draws.randint(0, draws.choice((10, 1_000, _DURATION_MAX)))
        if self._may_hang and (self._is_limited or _times_out(call)) and draws.random() < 0.2:
            return Answer(None, after)
        if draws.random() < 0.35:
            return Answer(Failed(draws.choice(ERRORS), "as drawn"), after)
        return Answer(Succeeded({"value": draws.randint(0, 9)}), after)


class DrawnAnswers:
    """Answers as the automatic mocks do, and with the errors that the state's own rules name."""

    def __init__(self, seed: str, machine: StateMachine) -> None:
        self._seed = seed
        self._mocks = AutomaticMocks()
        self._errors = _errors_by_state(machine)
        self._is_limited = machine.timeout_seconds is not None

    def answer(self, call: TaskCall) -> Answer:
        """See Behaviour."""
        draws = _draws(f"{self._seed}|{call.frame_id}|{call.attempt.wait_id}|{call.attempt.state_name}")
        after = draws.randint(0, draws.choice((10, 1_000, _DURATION_MAX)))
        if (self._is_limited or _times_out(call)) and draws.random() < 0.05:
            return Answer(None, after)
        errors = self._errors.get(call.attempt.state_name, ())
        if errors and draws.random() < 0.3:
            return Answer(Failed(draws.choice(errors), "drawn by the simulation"), after)
        return Answer(Succeeded(self._mocked(call)), after)

    def _mocked(self, call: TaskCall) -> JsonValue:
        try:
            self._mocks.perform(call).send(None)
        except StopIteration as ended:
            result = ended.value
            assert isinstance(result, Succeeded)
            return result.output
        raise AssertionError("automatic mocks wait for nothing")


def _errors_by_state(machine: StateMachine) -> Mapping[str, tuple[str, ...]]:
    """The errors that the rules of each Task state name; any error at all for rules that take all."""
    errors: dict[str, tuple[str, ...]] = {}
    for branch in machine.branches.values():
        for state in branch.states.values():
            if isinstance(state, TaskState):
                rules: tuple[Retrier | Catcher, ...] = (*state.retry, *state.catch)
                named = {name for rule in rules for name in rule.error_equals}
                errors[state.name] = tuple(
                    sorted({"Simulated.Error" if name in _ANY_ERROR else name for name in named})
                )
    return errors


def _times_out(call: TaskCall) -> bool:
    return call.attempt.timeout_at is not None or call.attempt.heartbeat_at is not None


def _draws(seed: str) -> Random:
    return Random(seed)  # noqa: S311 - the same answer for the same attempt, and no secret
