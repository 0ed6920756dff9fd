"""What the simulator can find broken. The numbers are those of the invariants that the engine promises."""

from __future__ import annotations

from enum import StrEnum


class Invariant(StrEnum):
    """What must hold after every step of every simulation."""

    GAPLESS = "I1: the journal and its history are gapless and monotone"
    APPLIED_ONCE = "I2: each attempt has one outcome, applied once"
    DISPATCHED = "I3: every committed command is dispatched, and no other"
    NOT_REPEATED = "I3: a task whose result is durable is not performed again"
    ACKNOWLEDGED_LAST = "I3: a message is acknowledged only once what follows from it is durable and dispatched"
    TERMINAL = "I4: a terminal status never changes and nothing follows it"
    ALIVE = "I5: what is RUNNING has something open that will move it"
    FOLDS = "I6: the journal folds to what the runner holds in memory"
    SAME_RESULT = "I7: the result is that of the run without faults"
    CONCURRENCY = "I8: no more children run than MaxConcurrency"
    KEPT = "I9: what a caller was told is so, and stays so"
    STOPPED = "a job whose result no longer counts is told to stop, and does"
    HEARD = "the end of a job is told by its event, or seen by whoever submits it"
    ONE_TIMER = "an execution has one durable timer, sent once for each moment it is set to"
    SWEPT = "the sweeper finds nothing to do"
    ON_TIME = "nothing happens before its time"
    ISOLATED = "a message that kills whoever handles it fails its execution"
    ENDS = "once the faults stop, the execution ends"
    NO_DEFECT = "the engine raises nothing but what it declares"


class Violation(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: Invariant, message: str) -> None:
        self.invariant, self.message = invariant, message
        super().__init__(f"{invariant}: {message}")


class Crash(BaseException):
    """The simulated process died here. No code of the engine may catch it."""


def defect(error: Exception) -> Violation:
    """An exception that nobody declared, with the line that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" ({trace.tb_frame.f_globals.get('__name__')}, line {trace.tb_lineno})"
    return Violation(Invariant.NO_DEFECT, f"{type(error).__name__}: {error}{place}")
