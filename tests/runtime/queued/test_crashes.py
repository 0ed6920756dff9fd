"""A process may die before and after every effect: the next one finds all that it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from asl_engine.errors import ExecutionAlreadyExists
from asl_engine.interpreter.events import Event, StopRequested, TaskSucceeded
from asl_engine.interpreter.execution import Execution, TaskAttempt
from asl_engine.json_value import JsonObject
from asl_engine.language.definition import StateMachine
from asl_engine.language.parser import compile_definition
from asl_engine.runtime.tasks import Failed, Succeeded
from tests.runtime.queued.mortal import MortalWorld
from tests.runtime.queued.worlds import CALLBACK, JOB, SECOND, Jobs, Tasks, chain, complete, request, task, wait

HOUR = 3600


@dataclass(frozen=True, slots=True)
class Story:
    machine: StateMachine
    prepare: Callable[[Tasks, Jobs], None] = lambda _tasks, _jobs: None
    then: Callable[[MortalWorld], Awaitable[None]] | None = None
    stopped: tuple[str, ...] = field(default=())


async def started(world: MortalWorld, machine: StateMachine) -> None:
    """A client repeats what it got no answer to."""
    for attempt in range(3):
        try:
            if await world.fate.live(world.process().start(machine, request(seed=f"seed {attempt}"))):
                return
        except ExecutionAlreadyExists:
            return
    raise AssertionError("a client would have given up")


async def told(world: MortalWorld, event: Event) -> None:
    for _ in range(3):
        if await world.fate.live(world.process().deliver(request().execution_arn, event)):
            return
    raise AssertionError("a client would have given up")


async def answered(world: MortalWorld) -> None:
    """Whoever got the token answers it ten seconds later."""
    await world.run(until=world.clock.now() + 200 * SECOND)
    await told(world, TaskSucceeded("0", wait_id(world.execution()), "yes"))


async def stopped(world: MortalWorld) -> None:
    await world.run(until=world.clock.now() + 200 * SECOND)
    await told(world, StopRequested("Enough", "by hand"))


def wait_id(execution: Execution) -> int:
    wait = execution.frames["0"].wait
    assert isinstance(wait, TaskAttempt)
    return wait.wait_id


def fails_twice(tasks: Tasks, _jobs: Jobs) -> None:
    async def flaky(call: object) -> Succeeded | Failed:
        retry_count = call.attempt.retry_count  # type: ignore[attr-defined]
        return Succeeded("at last") if retry_count == 2 else Failed("Flaky", "")

    tasks.answers["S0"] = flaky


def job_succeeds(_tasks: Tasks, jobs: Jobs) -> None:
    jobs.ends["S0"] = Succeeded({"JobStatus": "SUCCEEDED"})


def branch(*states: JsonObject) -> JsonObject:
    names = [f"B{index}" for index in range(len(states))]
    ends: list[JsonObject] = []
    ends += [{"Next": name} for name in names[1:]]
    ends.append({"End": True})
    return {
        "StartAt": "B0",
        "States": {name: {**state, **end} for name, state, end in zip(names, states, ends, strict=True)},
    }


STORIES = {
    "chain": Story(chain(task(), task(), task())),
    "wait": Story(chain(task(), wait(1200), task())),
    "wait first": Story(chain(wait(30), task())),
    "retry": Story(
        chain(task(Retry=[{"ErrorEquals": ["Flaky"], "IntervalSeconds": 30, "BackoffRate": 2}])), fails_twice
    ),
    "callback": Story(chain(task(CALLBACK, TimeoutSeconds=HOUR), task()), then=answered),
    "callback to wait": Story(chain(task(CALLBACK), wait(60), task()), then=answered),
    "timeout": Story(
        chain(task(CALLBACK, TimeoutSeconds=600, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "S1"}]), task())
    ),
    "execution timeout": Story(chain(task(CALLBACK), task(), TimeoutSeconds=300)),
    "job": Story(chain(task(JOB), task()), job_succeeds),
    "job timeout": Story(
        chain(task(JOB, TimeoutSeconds=400, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "S1"}]), task()),
        stopped=("S0",),
    ),
    "stop": Story(chain(task(JOB), task()), then=stopped, stopped=("S0",)),
    "parallel": Story(
        compile_definition(
            {
                "StartAt": "Both",
                "States": {
                    "Both": {
                        "Type": "Parallel",
                        "End": True,
                        "Branches": [
                            branch(task(), wait(30)),
                            {
                                "StartAt": "C0",
                                "States": {"C0": {**task(), "Next": "C1"}, "C1": {**wait(45), "End": True}},
                            },
                        ],
                    }
                },
            }
        )
    ),
    "parallel that fails": Story(
        compile_definition(
            {
                "StartAt": "Both",
                "States": {
                    "Both": {
                        "Type": "Parallel",
                        "End": True,
                        "Branches": [
                            {"StartAt": "S0", "States": {"S0": {**task(JOB), "End": True}}},
                            {
                                "StartAt": "W",
                                "States": {"W": {**wait(10), "Next": "F"}, "F": {"Type": "Fail", "Error": "Enough"}},
                            },
                        ],
                    }
                },
            }
        ),
        stopped=("S0",),
    ),
    "map": Story(
        compile_definition(
            {
                "StartAt": "Each",
                "States": {
                    "Each": {
                        "Type": "Map",
                        "Items": [1, 2, 3],
                        "QueryLanguage": "JSONata",
                        "MaxConcurrency": 2,
                        "ItemProcessor": branch(task()),
                        "End": True,
                    }
                },
            }
        )
    ),
    "long loop": Story(
        compile_definition(
            {
                "StartAt": "Count",
                "QueryLanguage": "JSONata",
                "States": {
                    "Count": {"Type": "Pass", "Assign": {"n": "{% $exists($n) ? $n + 1 : 1 %}"}, "Next": "More"},
                    "More": {
                        "Type": "Choice",
                        "Choices": [{"Condition": "{% $n < 700 %}", "Next": "Count"}],
                        "Default": "Last",
                    },
                    "Last": {"Type": "Pass", "Output": "{% $n %}", "End": True},
                },
            }
        )
    ),
}


async def lived(story: Story, *dies_at: int) -> MortalWorld:
    world = MortalWorld(dies_at, story.prepare)
    await started(world, story.machine)
    if story.then is not None:
        await story.then(world)
    await world.run()
    return world


@pytest.mark.parametrize("name", STORIES)
def test_one_death_anywhere_changes_nothing(name: str) -> None:
    story = STORIES[name]
    calm = complete(lambda: lived(story))
    expected = calm.execution()
    assert calm.ended == ["run"]

    for moment in range(1, calm.fate.moments + 1):
        world = complete(partial(lived, story, moment))
        found = world.execution()
        where = f"died at {moment}, {world.fate.deaths}"
        assert (found.status, found.output, found.error) == (expected.status, expected.output, expected.error), where
        assert world.queue.messages == [], where
        assert set(world.ended) == {"run"}, where
        assert set(world.tasks.performed) == set(calm.tasks.performed), where
        assert set(world.jobs.stopped) >= set(story.stopped), where
        assert world.watching.told == [] or all(kind == "failed" for kind, _ in world.watching.told), where
