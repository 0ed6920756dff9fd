"""Task: one attempt at a time, answered once, watched by the clock."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.commands import CancelTask, ScheduleTask, StartTimer
from asl_engine.interpreter.events import TaskFailed, TaskSubmitted, TaskSucceeded, TimerFired
from asl_engine.interpreter.options import Options
from asl_engine.interpreter.task_token import TokenClaims, read, verify
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import (
    ACTIVITY,
    CALLBACK,
    JOB,
    LAMBDA,
    NOON,
    QUEUE,
    arguments_at,
    attempt_at,
    catcher,
    jsonata,
    machine,
    only,
    pass_,
    retrier,
    task,
    waits,
)


def test_entering_asks_for_the_work_and_waits() -> None:
    run = Drive(only(task()), input={"order": 7}, at=NOON)

    (command,) = run.commands
    assert isinstance(command, ScheduleTask)
    assert (command.frame_id, command.attempt) == run.open_attempt("Only")
    assert (command.attempt.resource, command.attempt.arguments) == (LAMBDA, {"order": 7})
    assert command.attempt.task_token is None


def test_the_result_is_the_output() -> None:
    assert Drive(only(task()), input={"order": 7}).succeed("Only", [1.0]).succeeded_with([1.0])


def test_parameters_select_what_the_work_is_given() -> None:
    run = Drive(only(task(InputPath="$.a", Parameters={"n.$": "$.n"})), input={"a": {"n": 1}, "n": 2})

    assert arguments_at(run) == {"n": 1}


def test_jsonata_arguments_are_what_the_work_is_given() -> None:
    definition = jsonata(task(Arguments={"n": "{% $states.input.n * 2 %}"}, Output="{% $states.result.ok %}"))
    run = Drive(definition, input={"n": 4})

    assert arguments_at(run) == {"n": 8}
    assert run.succeed("Only", {"ok": True}).succeeded_with(True)


def test_a_second_result_of_an_attempt_is_ignored_and_counted() -> None:
    """Work is done at least once, its result applies exactly once."""
    run = Drive(machine({"First": task(Next="Second"), "Second": task()}))
    frame_id, attempt = run.open_attempt("First")
    run.succeed("First", 1)
    run.feed(TaskSucceeded(frame_id, attempt.wait_id, 2), TaskFailed(frame_id, attempt.wait_id, "Late", None))

    assert arguments_at(run, "Second") == 1
    assert run.execution.ignored_events == 2


@pytest.mark.parametrize("wait_id", [-1, 0, 2, 4, 99])
def test_a_result_for_a_wait_that_never_was_is_ignored(wait_id: int) -> None:
    run = Drive(only(task(Resource=QUEUE))).feed(TaskSucceeded("0", wait_id, 1))

    assert attempt_at(run).wait_id == 3
    assert run.execution.ignored_events == 1


def test_a_result_for_a_frame_that_never_was_is_ignored() -> None:
    run = Drive(only(task())).feed(TaskSucceeded("0/9.1", 3, 1))

    assert run.is_running
    assert run.execution.ignored_events == 1


# Failing


def test_a_failure_without_a_rule_fails_the_execution() -> None:
    run = Drive(only(task())).fail("Only", "Work.Broken", "no more")

    assert run.failed_with("Work.Broken", "no more")
    assert run.event_types[-2:] == ["LambdaFunctionFailed", "ExecutionFailed"]


def test_a_failure_may_name_neither_error_nor_cause() -> None:
    """SendTaskFailure may leave out both."""
    run = Drive(only(task(Resource=CALLBACK))).fail("Only", None)

    assert run.failed_with(None)
    assert run.history[-1].details == {}


def test_a_result_that_the_selector_cannot_read_is_a_runtime_error() -> None:
    run = Drive(only(task(ResultSelector={"n.$": "$.n"}))).succeed("Only", {})

    assert run.failed_with("States.Runtime")
    assert run.event_types[-2:] == ["LambdaFunctionSucceeded", "ExecutionFailed"]


def test_a_jsonata_output_that_fails_can_be_caught() -> None:
    rule = catcher("Mend", "States.QueryEvaluationError")
    broken = task(Output="{% $states.result.n + 'x' %}", Catch=[rule], Next="Mend")
    run = Drive(machine({"Only": broken, "Mend": pass_()}, QueryLanguage="JSONata")).succeed("Only", {"n": 1})

    assert run.path == ["Only", "Mend"]
    assert run.details("EvaluationFailed")["location"] == "Output"


# Timing out


def test_a_task_times_out_at_its_moment() -> None:
    run = Drive(only(task(TimeoutSeconds=5)), at=NOON)
    assert waits(run) == [5_000]
    _, attempt = run.open_attempt("Only")
    run.elapse(seconds=5)

    assert run.failed_with("States.Timeout")
    assert run.execution.cause is None
    assert run.event_types[-2:] == ["LambdaFunctionTimedOut", "ExecutionFailed"]
    assert run.commands == [CancelTask("0", attempt)]


def test_a_result_in_the_last_millisecond_still_counts() -> None:
    assert Drive(only(task(TimeoutSeconds=5)), at=NOON).succeed("Only", 1, at=NOON + 4_999).succeeded_with(1)


def test_a_timer_that_fires_early_times_nothing_out() -> None:
    run = Drive(only(task(TimeoutSeconds=5)), at=NOON).feed(TimerFired("0", 3), at=NOON + 4_999)

    assert run.is_running
    assert run.commands == [StartTimer("0", 3, NOON + 5_000)]


def test_seconds_can_come_from_paths_and_expressions() -> None:
    paths = task(TimeoutSecondsPath="$.t", HeartbeatSecondsPath="$.h")
    attempt = attempt_at(Drive(only(paths), input={"t": 9, "h": 4}, at=NOON))
    assert (attempt.timeout_at, attempt.heartbeat_at) == (NOON + 9_000, NOON + 4_000)

    expressions = task(TimeoutSeconds="{% $states.input.t %}", HeartbeatSeconds="{% $states.input.h %}")
    attempt = attempt_at(Drive(jsonata(expressions), input={"t": 9, "h": 4}, at=NOON))
    assert (attempt.timeout_at, attempt.heartbeat_seconds) == (NOON + 9_000, 4)


def test_a_task_without_timeout_gets_the_engines_own() -> None:
    options = Options(default_task_timeout_seconds=60)
    definition = machine({"Only": task(Next="Own"), "Own": task(TimeoutSeconds=9)})
    run = Drive(definition, at=NOON, options=options)
    assert attempt_at(run).timeout_at == NOON + 60_000
    assert run.commands[-1] == StartTimer("0", attempt_at(run).wait_id, NOON + 60_000)

    run.succeed("Only", {})
    assert attempt_at(run, "Own").timeout_at == NOON + 9_000


def test_seconds_have_a_bound() -> None:
    definition = only(task(TimeoutSecondsPath="$.t"))
    assert attempt_at(Drive(definition, input={"t": 10**8 - 1}, at=0)).timeout_at == 99_999_999_000

    run = Drive(definition, input={"t": 10**8})
    assert run.failed_with("States.Runtime")
    assert str(run.execution.cause).endswith("The TimeoutSeconds field must be at most 99999999 but was: 100000000")


@pytest.mark.parametrize("seconds", [0, -1, 1.5, "5", None, True])
def test_seconds_that_are_no_positive_integer_are_a_runtime_error(seconds: JsonValue) -> None:
    run = Drive(only(task(TimeoutSecondsPath="$.t")), input={"t": seconds})

    assert run.failed_with("States.Runtime")
    assert "must be a positive integer" in str(run.execution.cause)
    assert run.commands == []


def test_a_catch_receives_an_empty_cause_of_a_timeout() -> None:
    slow = task(TimeoutSeconds=1, Catch=[catcher("Mend", "States.Timeout")], Next="Mend")
    run = Drive(machine({"Only": slow, "Mend": pass_()})).elapse(seconds=1)

    assert run.succeeded_with({"Error": "States.Timeout", "Cause": ""})


# Heartbeats


def test_a_heartbeat_puts_its_deadline_off() -> None:
    run = Drive(only(task(Resource=CALLBACK, HeartbeatSeconds=10)), at=NOON)
    run.heartbeat("Only", at=NOON + 8_000).elapse(seconds=9)

    assert run.is_running
    assert waits(run) == [1_000]
    assert run.elapse(seconds=1).failed_with("States.Timeout")


def test_heartbeats_do_not_put_the_timeout_off() -> None:
    run = Drive(only(task(Resource=CALLBACK, HeartbeatSeconds=10, TimeoutSeconds=15)), at=NOON)
    run.heartbeat("Only", at=NOON + 9_000).elapse(seconds=5)
    assert run.is_running

    run.elapse(seconds=1)
    assert run.failed_with("States.Timeout")


def test_a_heartbeat_of_a_task_without_deadline_changes_nothing() -> None:
    run = Drive(only(task(Resource=CALLBACK)), at=NOON).heartbeat("Only", at=NOON + 1_000)

    assert run.commands == []
    assert run.execution.ignored_events == 0


def test_a_heartbeat_after_the_deadline_saves_the_attempt_if_no_timer_said_so_before() -> None:
    """Whoever is first decides, as long as the attempt is open."""
    run = Drive(only(task(Resource=CALLBACK, HeartbeatSeconds=2)), at=NOON).heartbeat("Only", at=NOON + 2_500)
    run.feed(TimerFired("0", run.open_attempt("Only")[1].wait_id), at=NOON + 3_000)

    assert run.is_running


@pytest.mark.parametrize("name", ["States.Timeout", "States.HeartbeatTimeout"])
def test_a_missed_heartbeat_is_caught_by_either_name_and_called_a_timeout(name: str) -> None:
    silent = task(Resource=CALLBACK, HeartbeatSeconds=2, Catch=[catcher("Mend", name)], Next="Mend")
    run = Drive(machine({"Only": silent, "Mend": pass_()})).elapse(seconds=2)

    assert run.succeeded_with({"Error": "States.Timeout", "Cause": ""})


def test_a_plain_timeout_is_no_missed_heartbeat() -> None:
    slow = task(TimeoutSeconds=2, Catch=[catcher("Mend", "States.HeartbeatTimeout")], Next="Mend")
    run = Drive(machine({"Only": slow, "Mend": pass_()})).elapse(seconds=2)

    assert run.failed_with("States.Timeout")


# Waiting for an answer from outside


def test_a_submitted_request_is_recorded_and_the_answer_comes_later() -> None:
    run = Drive(only(task(Resource=CALLBACK))).submit("Only", {"MessageId": "m"})
    assert attempt_at(run).submitted
    assert run.event_types[-3:] == ["TaskScheduled", "TaskStarted", "TaskSubmitted"]

    assert run.succeed("Only", "yes").succeeded_with("yes")


def test_an_answer_may_come_before_the_service_has_said_that_it_took_the_request() -> None:
    run = Drive(only(task(Resource=CALLBACK)))
    frame_id, attempt = run.open_attempt("Only")
    run.succeed("Only", "fast").feed(TaskSubmitted(frame_id, attempt.wait_id, {}))

    assert run.succeeded_with("fast")
    assert "TaskSubmitted" not in run.event_types


def test_a_second_submission_is_no_news() -> None:
    run = Drive(only(task(Resource=JOB))).submit("Only", {"JobId": "1"}).submit("Only", {"JobId": "1"})

    assert run.event_types.count("TaskSubmitted") == 1


def test_a_worker_that_takes_an_activity_task_starts_its_heartbeats() -> None:
    run = Drive(only(task(Resource=ACTIVITY, HeartbeatSeconds=3)), at=NOON)
    run.at = NOON + 2_000
    run.begin("Only", "worker-1").begin("Only", "worker-2").elapse(seconds=2)

    assert run.is_running
    assert run.details("ActivityStarted") == {"workerName": "worker-1"}
    assert run.event_types.count("ActivityStarted") == 1


def test_an_activity_worker_may_have_no_name() -> None:
    run = Drive(only(task(Resource=ACTIVITY))).begin("Only")

    assert run.details("ActivityStarted") == {}
    assert run.succeed("Only", 1).event_types[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]


def test_a_callback_task_carries_a_token_that_names_its_attempt() -> None:
    run = Drive(only(task(Resource=CALLBACK, Parameters={"token.$": "$$.Task.Token"})), seed="secret")
    frame_id, attempt = run.open_attempt("Only")

    assert attempt.task_token is not None
    assert arguments_at(run) == {"token": attempt.task_token}
    assert read(attempt.task_token) == TokenClaims(run.execution.arn, frame_id, attempt.wait_id)
    verify("secret", attempt.task_token)


def test_each_attempt_has_a_token_of_its_own() -> None:
    run = Drive(only(task(Resource=CALLBACK, Retry=[retrier()])))
    first = attempt_at(run).task_token
    run.fail("Only", "E").elapse(seconds=1)

    assert attempt_at(run).task_token not in (None, first)


def test_a_lambda_task_that_passes_its_token_on_has_one() -> None:
    run = Drive(jsonata(task(Arguments={"token": "{% $states.context.Task.Token %}"})))

    assert arguments_at(run) == {"token": attempt_at(run).task_token}


def test_an_activity_has_a_token_without_asking_for_it() -> None:
    assert attempt_at(Drive(only(task(Resource=ACTIVITY)))).task_token is not None


# Credentials


def test_credentials_go_with_the_attempt_and_into_history() -> None:
    credentials: JsonObject = {"RoleArn.$": "$.role"}
    run = Drive(only(task(Credentials=credentials)), input={"role": "arn:aws:iam::1:role/x"})

    assert attempt_at(run).credentials == {"RoleArn": "arn:aws:iam::1:role/x"}
    assert run.details("LambdaFunctionScheduled")["taskCredentials"] == {"roleArn": "arn:aws:iam::1:role/x"}


def test_seconds_that_are_a_whole_float_are_seconds() -> None:
    """JSONata knows one kind of number."""
    run = Drive(only(task(TimeoutSecondsPath="$.t")), input={"t": 5.0}, at=NOON)

    assert attempt_at(run).timeout_at == NOON + 5_000
