"""Whatever the definition and whatever happens to it, the interpreter keeps its promises.

Drive holds every advance to them: same call, same outcome, byte for byte; nothing given is changed; the journal folds
to the same execution; the invariants hold. Here definitions and events come at random.
"""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asl_engine.interpreter.events import (
    ActivityStarted,
    Event,
    ExecutionTimerFired,
    StopRequested,
    TaskFailed,
    TaskHeartbeat,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
)
from asl_engine.interpreter.execution import TaskAttempt
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.interpreter.options import Options
from asl_engine.json_value import JsonObject, JsonValue
from asl_engine.testing.drive import Drive
from tests.interpreter.definitions import ERRORS, INPUT, definitions
from tests.interpreter.machines import NOON

STEPS = 30
STEPS_TO_END = 2_000
OUTPUTS: tuple[JsonValue, ...] = (None, 1, "text", [], {"n": 1}, {"n": [1, {"a": False}]})
OPTIONS = (
    Options(),
    Options(advance_history_events_max=1),
    Options(advance_history_events_max=7),
    Options(history_events_max=25, payload_bytes_max=400),
    Options(history_events_max=12, advance_history_events_max=3),
)

drawn = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def open_attempts(run: Drive) -> list[tuple[str, TaskAttempt]]:
    return [(frame.id, frame.wait) for frame in run.execution.frames.values() if isinstance(frame.wait, TaskAttempt)]


def something_about(frame_id: str, wait_id: int, chance: Random) -> Event:
    """Anything that could be said about a wait."""
    kinds: list[Event] = [
        TaskSucceeded(frame_id, wait_id, chance.choice(OUTPUTS)),
        TaskSucceeded(frame_id, wait_id, chance.choice(OUTPUTS)),
        TaskFailed(frame_id, wait_id, chance.choice((*ERRORS, None)), chance.choice(("why", None))),
        TaskHeartbeat(frame_id, wait_id),
        TaskSubmitted(frame_id, wait_id, {}),
        ActivityStarted(frame_id, wait_id),
        TimerFired(frame_id, wait_id),
    ]
    return chance.choice(kinds)


def noise(run: Drive, chance: Random) -> Event:
    """An event that must change nothing: said before, about nobody, or about a wait that never was."""
    match chance.randrange(3):
        case 0 if run.events and not isinstance(said := chance.choice(run.events), TaskHeartbeat):
            return said
        case 1:
            return something_about(f"0/{chance.randrange(9)}.7", chance.randrange(20), chance)
        case _:
            return something_about("0", 100_000, chance)


def anything(run: Drive, chance: Random) -> Event:
    attempts, timers = open_attempts(run), run.timers
    match chance.randrange(20):
        case 0 if chance.randrange(4) == 0:
            return StopRequested("Operator", None)
        case 1:
            return ExecutionTimerFired()
        case 2 | 3 | 4:
            return noise(run, chance)
        case 5 | 6 | 7 | 8 | 9 if timers:
            timer = chance.choice(timers)
            return TimerFired(timer.frame_id, timer.wait_id)
        case _ if attempts:
            frame_id, attempt = chance.choice(attempts)
            return something_about(frame_id, attempt.wait_id, chance)
        case _:
            return noise(run, chance)


def go_on(run: Drive, output: JsonValue = None) -> None:
    """The next thing that happens where nothing goes wrong."""
    attempts = open_attempts(run)
    if run.execution.ready:
        run.feed()
    elif attempts:
        frame_id, attempt = attempts[0]
        run.feed(TaskSucceeded(frame_id, attempt.wait_id, output))
    else:
        timer = run.timers[0]
        run.feed(TimerFired(timer.frame_id, timer.wait_id), at=max(run.at, timer.at))


def told(run: Drive) -> list[HistoryEvent]:
    """The history without the names of Map Runs: chance is drawn anew for each advance, and noise adds advances."""
    return [event._replace(details=None) if event.type == "MapRunStarted" else event for event in run.history]


def run_to_the_end(run: Drive) -> None:
    for _ in range(STEPS_TO_END):
        if not run.is_running:
            return
        go_on(run)
    raise AssertionError(f"it does not end: {run!r}")


@drawn
@given(definitions(), st.sampled_from(OPTIONS), st.integers(0, 2**32))
def test_promises_hold_whatever_happens_and_everything_ends_once_nothing_goes_wrong(
    definition: JsonObject, options: Options, seed: int
) -> None:
    run, chance = Drive(definition, input=INPUT, at=NOON, options=options), Random(seed)
    for _ in range(STEPS):
        if not run.is_running:
            break
        events = [anything(run, chance) for _ in range(chance.choice((0, 1, 1, 1, 2, 5)))]
        run.feed(*events, at=run.at + chance.choice((0, 0, 1, 500, 2_000, 60_000, -1_000)))
    run_to_the_end(run)


@drawn
@given(definitions(), st.integers(0, 2**32))
def test_events_that_come_again_or_mean_nobody_change_nothing(definition: JsonObject, seed: int) -> None:
    """The history is the same, to the last id, as that of the run in which they did not come."""
    quiet = Drive(definition, input=INPUT, at=NOON)
    noisy, chance = Drive(quiet.machine, input=INPUT, at=NOON), Random(seed)
    for _ in range(STEPS_TO_END):
        if not quiet.is_running:
            break
        output = chance.choice(OUTPUTS)
        go_on(quiet, output)
        noisy.feed(*(noise(noisy, chance) for _ in range(chance.choice((0, 0, 1, 3)))))
        go_on(noisy, output)

    assert told(noisy) == told(quiet)
    assert (noisy.status, noisy.execution.output) == (quiet.status, quiet.execution.output)
