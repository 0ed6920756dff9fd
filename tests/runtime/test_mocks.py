"""Scripted answers: which one is given, when, and what is answered where no script is."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.json_value import JsonValue
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.mocks import Answer, AutomaticMocks, Case, InvocationCount, ScriptedTasks, contains
from asl_engine.runtime.tasks import Failed, Submitted, Succeeded
from tests.runtime.task_calls import CALLBACK, INVOKE, NOON, perform, performed, task_call


def answers(*outputs: JsonValue) -> Case:
    return Case(answers=tuple(Answer(result=Succeeded(output)) for output in outputs))


def scripted(*cases: Case, name: str = "Charge") -> tuple[ScriptedTasks, VirtualClock]:
    clock = VirtualClock(NOON)
    return ScriptedTasks({name: cases}, clock), clock


def test_a_script_handles_the_calls_it_names_and_no_other() -> None:
    tasks, _ = scripted(answers(1), name="lambda:invoke")
    assert tasks.handles(task_call(INVOKE, {"FunctionName": "f"}))
    assert not tasks.handles(task_call(CALLBACK))


def test_each_attempt_has_its_answer_and_the_last_one_repeats() -> None:
    tasks, clock = scripted(answers("first", "second"))
    outputs = [perform(tasks, task_call(retry_count=count), clock) for count in (0, 1, 2, 9)]
    assert outputs == [Succeeded("first"), Succeeded("second"), Succeeded("second"), Succeeded("second")]


def test_an_error_is_answered_as_it_is_written() -> None:
    tasks, clock = scripted(Case(answers=(Answer(result=Failed("Busy", "later")),)))
    assert perform(tasks, task_call(), clock) == Failed("Busy", "later")


def test_the_first_case_that_the_arguments_contain_answers() -> None:
    small = Case(when={"order": {"size": 1}}, answers=answers("small").answers)
    tasks, clock = scripted(small, answers("any"))
    assert perform(tasks, task_call(arguments={"order": {"size": 1, "id": 7}}), clock) == Succeeded("small")
    assert perform(tasks, task_call(arguments={"order": {"size": 2}}), clock) == Succeeded("any")


def test_arguments_that_fit_no_case_fail_the_execution_with_advice() -> None:
    tasks, clock = scripted(Case(when={"a": 1}, answers=answers("x").answers))
    assert perform(tasks, task_call(arguments={"a": 2}), clock) == Failed(
        "States.Runtime",
        'no case of the mock "Charge" fits the arguments {"a":2}; '
        "add one whose When they contain, or a last one without When",
    )


@pytest.mark.parametrize(
    ("value", "pattern", "fits"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"b": 2}, {"a": 1}, False),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}, True),
        ([{"a": 1, "b": 2}], [{"a": 1}], True),
        ([1, 2], [1], False),
        (True, 1, False),
        (1, True, False),
        (0, False, False),
        (1, 1.0, True),
        (None, None, True),
        ({}, None, False),
        ("a", "a", True),
        ([], {}, False),
    ],
)
def test_containment_follows_json_and_not_python(value: JsonValue, pattern: JsonValue, fits: bool) -> None:
    assert contains(value, pattern) is fits


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_every_value_contains_itself(value: JsonValue) -> None:
    assert contains(value, value)


def test_an_answer_comes_after_its_time() -> None:
    tasks, clock = scripted(Case(answers=(Answer(result=Succeeded(1), after_milliseconds=90_000),)))
    assert perform(tasks, task_call(), clock) == Succeeded(1)
    assert clock.now() == NOON + 90_000


def test_heartbeats_come_at_their_interval_until_the_answer() -> None:
    answer = Answer(result=Succeeded(1), after_milliseconds=9_000, heartbeat_milliseconds=3_000)
    tasks, clock = scripted(Case(answers=(answer,)))
    beats: list[int] = []
    perform(tasks, task_call(heartbeat=lambda: beats.append(clock.now() - NOON)), clock)
    assert beats == [3_000, 6_000]
    assert clock.now() == NOON + 9_000


def test_no_answer_waits_to_be_cancelled_without_holding_time_up() -> None:
    """Virtual time must be free to jump on to the task's timeout."""
    tasks, clock = scripted(Case(answers=(Answer(result=None),)))

    async def main() -> bool:
        work = asyncio.create_task(performed(tasks, task_call(), clock))
        await clock.stalled()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await clock.stalled()
        return work.cancelled()

    assert asyncio.run(main())


def test_no_answer_to_a_callback_task_leaves_it_to_the_token() -> None:
    tasks, clock = scripted(Case(answers=(Answer(result=None),)))
    assert perform(tasks, task_call(CALLBACK), clock) == Submitted({})


def test_no_answer_with_heartbeats_beats_until_it_is_cancelled() -> None:
    tasks, clock = scripted(Case(answers=(Answer(result=None, heartbeat_milliseconds=1_000),)))

    async def main() -> None:
        three = asyncio.Event()
        beats: list[int] = []

        def beat() -> None:
            beats.append(clock.now())
            if len(beats) == 3:
                three.set()

        work = asyncio.create_task(performed(tasks, task_call(CALLBACK, heartbeat=beat), clock))
        await three.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(main())


def test_a_callback_task_is_answered_with_the_outcome_itself() -> None:
    tasks, clock = scripted(answers({"approved": True}))
    assert perform(tasks, task_call(CALLBACK), clock) == Succeeded({"approved": True})


def test_the_invocation_count_counts_loops_and_retries_but_no_repetition() -> None:
    count = InvocationCount()
    assert [count(task_call(wait_id=n)) for n in (3, 8, 8, 12, 3)] == [0, 1, 1, 2, 0]
    assert count(task_call(state="Ship", wait_id=20)) == 0


def test_the_invocation_count_goes_on_from_the_retry_count_after_a_restart() -> None:
    assert InvocationCount()(task_call(wait_id=9, retry_count=2)) == 2


def test_automatic_mocks_answer_everything_in_the_shape_of_its_service() -> None:
    clock, mocks = VirtualClock(NOON), AutomaticMocks()
    child = "arn:aws:states:::states:startExecution"
    expected: list[tuple[str, JsonValue]] = [
        ("arn:aws:lambda:eu-west-1:123456789012:function:f", {}),
        (INVOKE, {"ExecutedVersion": "$LATEST", "Payload": {}, "StatusCode": 200}),
        ("arn:aws:states:::sns:publish", {"MessageId": task_call().idempotency_key}),
        (CALLBACK, {"MessageId": task_call().idempotency_key}),
        ("arn:aws:states:::aws-sdk:dynamodb:query", {"Count": 0, "Items": [], "ScannedCount": 0}),
        ("arn:aws:states:::aws-sdk:s3:deleteBucket", {}),
    ]
    for resource, output in expected:
        call = task_call(resource)
        assert mocks.handles(call)
        assert perform(mocks, call, clock) == Succeeded(output)
    started = perform(mocks, task_call(child), clock)
    assert isinstance(started, Succeeded)
    assert isinstance(started.output, dict)
    assert list(started.output) == ["ExecutionArn", "StartDate"]
    for suffix, output in ((".sync", "{}"), (".sync:2", {})):
        result = perform(mocks, task_call(child + suffix), clock)
        assert isinstance(result, Succeeded)
        assert isinstance(result.output, dict)
        assert result.output["Output"] == output
