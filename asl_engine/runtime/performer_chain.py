"""Several performers as one, and what a state machine needs that none of them has.

A task that nobody performs is the user's oversight, best told before anything runs; hence `missing_resources`. Where a
function's name is only known at run time, the call fails with States.Runtime, which no Catch-all hides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asl_engine.interpreter.execution import TaskAttempt
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.language.definition import StateMachine, TaskState
from asl_engine.runtime.lambda_invocation import read_request
from asl_engine.runtime.tasks import Failed, TaskCall, TaskPerformer, TaskResult


class PerformerChain:
    """Performs each call with the first of `performers` that handles it."""

    def __init__(self, performers: Sequence[TaskPerformer]) -> None:
        self._performers = tuple(performers)

    def handles(self, call: TaskCall) -> bool:
        """Whether one of the performers does."""
        return any(performer.handles(call) for performer in self._performers)

    async def perform(self, call: TaskCall) -> TaskResult:
        """See `TaskPerformer.perform`. Fails with States.Runtime when no performer handles the call."""
        for performer in self._performers:
            if performer.handles(call):
                return await performer.perform(call)
        request = read_request(call) if call.is_lambda_invoke else None
        return request if isinstance(request, Failed) else Failed("States.Runtime", _missing(call))

    async def close(self) -> None:
        """Close all of them, even if one cannot be closed."""
        for index, performer in enumerate(self._performers):
            try:
                await performer.close()
            except BaseException:
                await PerformerChain(self._performers[index + 1 :]).close()
                raise


def missing_resources(machine: StateMachine, performers: Sequence[TaskPerformer]) -> list[str]:
    """A message for each Task state that no performer handles, in the order of the definition.

    A `lambda:invoke` whose function is computed at run time is taken to be handled if there is any performer.
    """
    chain = PerformerChain(performers)
    return [
        _missing(call)
        for call in _calls(machine)
        if not chain.handles(call) and not (performers and _is_computed(call))
    ]


def task_names(machine: StateMachine) -> frozenset[str] | None:
    """All names that a task of the machine may be filed under; None when some function is only known at run time."""
    calls = list(_calls(machine))
    if any(map(_is_computed, calls)):
        return None
    return frozenset(name for call in calls for name in call.names())


def _calls(machine: StateMachine) -> Iterator[TaskCall]:
    written = dict(_written_states(machine.definition))
    for branch in machine.branches.values():
        for state in branch.states.values():
            if isinstance(state, TaskState):
                yield _probe(state, written.get(state.name))


def _is_computed(call: TaskCall) -> bool:
    return call.is_lambda_invoke and not call.function_name


def _missing(call: TaskCall) -> str:
    function = f" with FunctionName {call.function_name}" if call.is_lambda_invoke and call.function_name else ""
    advice = "add it to --tasks FILE, mock it with --mocks FILE"
    if call.function_name or call.is_lambda_invoke:
        advice += ", or set AWS_ENDPOINT_URL_LAMBDA"
    return f'no task is given for Resource {call.resource.arn}{function} (state "{call.attempt.state_name}"): {advice}'


def _probe(state: TaskState, written: JsonValue) -> TaskCall:
    """A call as far as the definition tells it: only a literal FunctionName is known before the state is entered."""
    arguments: JsonObject = {}
    if isinstance(written, dict):
        template = written.get("Parameters", written.get("Arguments"))
        name = template.get("FunctionName") if isinstance(template, dict) else None
        if isinstance(name, str) and not name.startswith("{%"):
            arguments = {"FunctionName": name}
    attempt = TaskAttempt(wait_id=0, state_name=state.name, resource=state.resource.arn, arguments=arguments)
    return TaskCall(
        execution_arn="",
        execution_name="",
        state_machine_name="",
        frame_id="",
        resource=state.resource,
        attempt=attempt,
    )


def _written_states(block: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """Every state of the definition by its name, which is unique in the whole of it."""
    states = block.get("States") if isinstance(block, dict) else None
    for name, state in states.items() if isinstance(states, dict) else ():
        yield name, state
        if isinstance(state, dict):
            branches = state.get("Branches")
            for inner in branches if isinstance(branches, list) else ():
                yield from _written_states(inner)
            yield from _written_states(state.get("ItemProcessor", state.get("Iterator")))
