"""What history events tell about each state."""

from asl_engine.graph.overlay import StateStatus, StateTally, overlay_of
from tests.graph.machines import events

STARTED = (1, 0, "ExecutionStarted", "")
SUCCEEDED, CAUGHT, FAILED, ABORTED, RUNNING = (
    StateStatus.SUCCEEDED,
    StateStatus.CAUGHT,
    StateStatus.FAILED,
    StateStatus.ABORTED,
    StateStatus.RUNNING,
)


def statuses(*told: tuple[int, int, str, str]) -> dict[str, StateStatus]:
    return {state: tally.status for state, tally in overlay_of(events(STARTED, *told)).items()}


def test_nothing_has_happened_without_events() -> None:
    assert overlay_of([]) == {}


def test_a_state_runs_until_it_is_left() -> None:
    told = ((2, 0, "PassStateEntered", "A"), (3, 2, "PassStateExited", "A"), (4, 3, "WaitStateEntered", "B"))
    assert statuses(*told) == {"A": SUCCEEDED, "B": RUNNING}


def test_attempts_and_visits_are_counted() -> None:
    told = (
        (2, 0, "TaskStateEntered", "A"),
        (3, 2, "LambdaFunctionScheduled", ""),
        (4, 3, "LambdaFunctionStarted", ""),
        (5, 4, "LambdaFunctionFailed", ""),
        (6, 5, "LambdaFunctionScheduled", ""),
        (7, 6, "LambdaFunctionStarted", ""),
        (8, 7, "LambdaFunctionSucceeded", ""),
        (9, 8, "TaskStateExited", "A"),
        (10, 9, "TaskStateEntered", "A"),
        (11, 10, "LambdaFunctionScheduled", ""),
    )
    assert overlay_of(events(STARTED, *told)) == {"A": StateTally(RUNNING, visits=2, attempts=3)}


def test_a_failure_right_before_the_exit_was_caught() -> None:
    told = (
        (2, 0, "TaskStateEntered", "A"),
        (3, 2, "TaskScheduled", ""),
        (4, 3, "TaskTimedOut", ""),
        (5, 4, "TaskStateExited", "A"),
        (6, 5, "PassStateEntered", "B"),
    )
    assert statuses(*told) == {"A": CAUGHT, "B": RUNNING}


def test_a_failure_that_ends_the_execution() -> None:
    told = (
        (2, 0, "TaskStateEntered", "A"),
        (3, 2, "TaskScheduled", ""),
        (4, 3, "TaskFailed", ""),
        (5, 4, "ExecutionFailed", ""),
    )
    assert statuses(*told) == {"A": FAILED}


def test_a_fail_state_has_failed() -> None:
    assert statuses((2, 0, "FailStateEntered", "A"), (3, 2, "ExecutionFailed", "")) == {"A": FAILED}


def test_an_expression_that_fails_names_its_state() -> None:
    told = ((2, 0, "PassStateEntered", "A"), (3, 0, "EvaluationFailed", "A"), (4, 3, "ExecutionFailed", ""))
    assert statuses(*told) == {"A": FAILED}


def test_a_stopped_execution_aborts_what_was_running() -> None:
    told = ((2, 0, "WaitStateEntered", "A"), (3, 2, "ExecutionAborted", ""))
    assert statuses(*told) == {"A": ABORTED}


FORK = (
    (2, 0, "ParallelStateEntered", "Fork"),
    (3, 2, "ParallelStateStarted", ""),
    (4, 3, "WaitStateEntered", "Slow"),
    (5, 3, "TaskStateEntered", "Wrong"),
    (6, 5, "TaskScheduled", ""),
    (7, 6, "TaskFailed", ""),
)


def test_a_failed_branch_fails_its_parallel_and_aborts_the_others() -> None:
    told = (*FORK, (8, 7, "ParallelStateFailed", ""), (9, 8, "ExecutionFailed", ""))
    assert statuses(*told) == {"Fork": FAILED, "Slow": ABORTED, "Wrong": FAILED}


def test_a_parallel_can_catch_what_failed_in_a_branch() -> None:
    told = (
        *FORK,
        (8, 7, "ParallelStateFailed", ""),
        (9, 8, "ParallelStateExited", "Fork"),
        (10, 9, "PassStateEntered", "B"),
    )
    assert statuses(*told) == {"Fork": CAUGHT, "Slow": ABORTED, "Wrong": FAILED, "B": RUNNING}


def test_while_branches_run_so_does_their_parallel() -> None:
    assert statuses(*FORK[:4]) == {"Fork": RUNNING, "Slow": RUNNING, "Wrong": RUNNING}


MAP = (
    (2, 0, "MapStateEntered", "Each"),
    (3, 2, "MapStateStarted", ""),
    (4, 3, "MapIterationStarted", "Each"),
    (5, 4, "TaskStateEntered", "Work"),
    (6, 5, "LambdaFunctionScheduled", ""),
    (7, 6, "LambdaFunctionFailed", ""),
    (8, 3, "MapIterationStarted", "Each"),
    (9, 8, "TaskStateEntered", "Work"),
    (10, 9, "LambdaFunctionScheduled", ""),
)


def test_the_worst_iteration_counts_once_the_map_is_over() -> None:
    told = (
        *MAP,
        (11, 10, "LambdaFunctionSucceeded", ""),
        (12, 11, "TaskStateExited", "Work"),
        (13, 12, "MapIterationSucceeded", "Each"),
        (14, 7, "MapIterationFailed", "Each"),
        (15, 13, "MapStateSucceeded", ""),
        (16, 15, "MapStateExited", "Each"),
        (17, 16, "ExecutionSucceeded", ""),
    )
    assert overlay_of(events(STARTED, *told)) == {
        "Each": StateTally(SUCCEEDED, 1, 0),
        "Work": StateTally(FAILED, 2, 2),
    }


def test_a_failed_iteration_fails_its_map() -> None:
    told = (
        *MAP,
        (11, 7, "MapIterationFailed", "Each"),
        (12, 7, "MapStateFailed", ""),
        (13, 12, "ExecutionFailed", ""),
    )
    assert statuses(*told) == {"Each": FAILED, "Work": FAILED}


def test_the_state_after_a_branch_lies_outside_of_it() -> None:
    told = (
        (2, 0, "ParallelStateEntered", "Fork"),
        (3, 2, "ParallelStateStarted", ""),
        (4, 3, "PassStateEntered", "In"),
        (5, 4, "PassStateExited", "In"),
        (6, 5, "ParallelStateSucceeded", ""),
        (7, 6, "ParallelStateExited", "Fork"),
        (8, 7, "TaskStateEntered", "After"),
        (9, 8, "TaskScheduled", ""),
        (10, 9, "TaskFailed", ""),
        (11, 10, "ExecutionFailed", ""),
    )
    assert statuses(*told) == {"Fork": SUCCEEDED, "In": SUCCEEDED, "After": FAILED}


def test_events_of_unknown_types_and_origins_are_passed_over() -> None:
    assert statuses((2, 99, "SomethingNew", ""), (3, 98, "PassStateExited", "Unknown")) == {}
