"""The limits of AWS, which a host may switch on: sizes of payloads, lengths of histories."""

from __future__ import annotations

import pytest

from asl_engine.interpreter.commands import CancelTask
from asl_engine.interpreter.options import AWS_COMPATIBLE, Options
from asl_engine.json_value import JsonObject
from asl_engine.testing.drive import Drive
from tests.interpreter.machines import (
    LAMBDA,
    QUEUE,
    catcher,
    each,
    jsonata,
    machine,
    only,
    parallel,
    pass_,
    retrier,
    state,
    task,
)

LIMIT = 262_144


def text_of(size: int, character: str = "x") -> str:
    """A text whose JSON takes this many bytes, quotes included."""
    count, rest = divmod(size - 2, len(character.encode()))
    return character * count + "x" * rest


# Payloads


@pytest.mark.parametrize("character", ["x", "é", "€", "🙂"])
def test_a_result_may_have_as_many_bytes_as_the_limit_and_not_one_more(character: str) -> None:
    """Bytes of UTF-8 are counted, not characters."""
    largest = text_of(LIMIT, character)
    assert Drive(only(task()), options=AWS_COMPATIBLE).succeed("Only", largest).succeeded_with(largest)

    run = Drive(only(task()), options=AWS_COMPATIBLE).succeed("Only", largest + "x")
    assert run.failed_with("States.DataLimitExceeded")
    assert run.event_types[-2:] == ["LambdaFunctionFailed", "ExecutionFailed"]


@pytest.mark.parametrize(("resource", "named"), [(LAMBDA, LAMBDA), (QUEUE, "sqs")])
def test_a_result_that_is_too_large_names_the_function_or_the_service(resource: str, named: str) -> None:
    run = Drive(only(task(Resource=resource)), options=AWS_COMPATIBLE).succeed("Only", text_of(LIMIT + 1))

    assert run.execution.cause == (
        f"The state/task '{named}' returned a result with a size exceeding the maximum number of bytes service limit."
    )


def test_an_output_that_grows_over_the_limit_names_the_state() -> None:
    definition = only(pass_(Parameters={"twice.$": "States.Array($, $)"}))
    run = Drive(definition, input=text_of(LIMIT // 2), options=AWS_COMPATIBLE)

    assert run.failed_with(
        "States.DataLimitExceeded",
        "The state/task 'Only' returned a result with a size exceeding the maximum number of bytes service limit.",
    )


def test_what_branches_return_together_can_be_too_large() -> None:
    fan = parallel(machine({"A": pass_()}), machine({"B": pass_()}))
    run = Drive(only(fan), input=text_of(LIMIT // 2), options=AWS_COMPATIBLE)

    assert run.failed_with("States.DataLimitExceeded")


def test_what_a_catch_puts_together_can_be_too_large() -> None:
    guarded = task(Parameters={}, Catch=[catcher("Mend", ResultPath="$.error")], Next="Mend")
    run = Drive(
        machine({"Only": guarded, "Mend": pass_()}), input={"raw": text_of(LIMIT - 20)}, options=AWS_COMPATIBLE
    ).fail("Only", "E", "c" * 100)

    assert run.failed_with("States.DataLimitExceeded")
    assert run.path == ["Only"]


@pytest.mark.parametrize("name", ["States.DataLimitExceeded", "States.ALL", "States.TaskFailed"])
def test_a_rule_takes_what_is_too_large(name: str) -> None:
    definition = machine({"Only": task(Catch=[catcher("Mend", name)], Next="Mend"), "Mend": pass_(Result="ok")})

    assert Drive(definition, options=AWS_COMPATIBLE).succeed("Only", text_of(LIMIT + 1)).succeeded_with("ok")


def test_a_result_that_is_too_large_can_be_retried() -> None:
    run = Drive(only(task(Retry=[retrier("States.DataLimitExceeded")])), options=AWS_COMPATIBLE)
    run.succeed("Only", text_of(LIMIT + 1)).elapse(seconds=1).succeed("Only", "small")

    assert run.succeeded_with("small")


def test_without_limits_any_size_passes() -> None:
    large = text_of(LIMIT * 2)

    assert Drive(only(pass_()), input=large).succeeded_with(large)


def test_an_output_of_another_language_is_measured_alike() -> None:
    run = Drive(jsonata(pass_(Output="{% [$states.input, $states.input] %}")), input=text_of(LIMIT // 2))
    assert run.status == "SUCCEEDED"

    limited = Drive(run.machine, input=text_of(LIMIT // 2), options=AWS_COMPATIBLE)
    assert limited.failed_with("States.DataLimitExceeded")


# Histories

ENDLESS: JsonObject = machine(
    {
        "Again": pass_(Next="Enough"),
        "Enough": state("Choice", Choices=[{"Variable": "$.stop", "IsPresent": True, "Next": "End"}], Default="Again"),
        "End": state("Succeed"),
    }
)


def test_event_25000_is_the_failure_of_an_execution_without_end() -> None:
    run = Drive(ENDLESS, options=AWS_COMPATIBLE)
    for _ in range(100):
        if run.is_running:
            run.feed()

    assert run.failed_with("States.Runtime", "The execution reached the maximum number of history events (25000).")
    assert (run.history[-1].id, run.history[-1].type) == (25_000, "ExecutionFailed")
    assert len(run.history) == 25_000


@pytest.mark.parametrize("advance_history_events_max", [1, 2, 3, 500])
@pytest.mark.parametrize("maximum", range(5, 12))
def test_the_limit_holds_wherever_an_advance_stops(maximum: int, advance_history_events_max: int) -> None:
    """Also where the last event that fits was already durable when the advance before it returned."""
    options = Options(history_events_max=maximum, advance_history_events_max=advance_history_events_max)
    run = Drive(ENDLESS, options=options)
    while run.is_running:
        run.feed()

    assert run.failed_with("States.Runtime")
    assert len(run.history) == maximum


def test_an_execution_that_ends_with_the_last_event_that_fits_succeeds() -> None:
    definition = machine({"A": pass_(Next="B"), "B": pass_()})

    assert Drive(definition, options=Options(history_events_max=6)).succeeded_with({})
    assert Drive(definition, options=Options(history_events_max=5)).failed_with("States.Runtime")


def test_attempts_that_run_when_the_history_is_full_are_cancelled_and_no_new_one_is_made() -> None:
    fan = parallel(machine({"A": task()}), machine({"B": task(Next="B2"), "B2": task()}), machine({"C": task()}))
    run = Drive(only(fan), options=Options(history_events_max=17))
    frame_a, frame_c = run.open_attempt("A"), run.open_attempt("C")
    run.succeed("B")

    assert run.failed_with("States.Runtime")
    assert run.commands == [CancelTask(*frame_a), CancelTask(*frame_c)]


def test_a_history_that_is_full_when_siblings_fail_cancels_each_attempt_once() -> None:
    items = [1, 2, 3]
    run = Drive(only(each(machine({"Work": task()}))), input=list(items), options=Options(history_events_max=18))
    run.fail("Work", "E")

    assert run.failed_with("States.Runtime")
    assert len(run.commands) == 2
