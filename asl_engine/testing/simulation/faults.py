"""Faults: what may go wrong in one simulation, drawn from its seed.

Each kind is switched off in some simulations, so that one never hides what another would show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from asl_engine.testing.simulation.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Probabilities, and spans in milliseconds. A crash may come before and after every effect of a process.

    `store_error` is per call of the store; half of the failed appends were written. `late_write`
    is the share of appends that fail and land all the same, later. `remote` is the share of tasks and
    timers that outlive the process that asked for them, their answers coming through the message queue.
    A `rival` process runs the same execution; one that is `mortal` stays dead once it has crashed.
    `crash_at` names single effects, counted from 1 over all processes, instead of a probability.

    For the queued host alone: `queue_error` is per call of the queue, half of those to send were taken; `hour_late` the
    share of messages that come up to an hour late; `lost_extension` that of extensions without effect; `lost_event`
    that of job events that are lost; `expired` that of messages that the queue loses for good, which only the sweeper
    mends; `processes` how many run at once, each for `deadline` milliseconds at most. `transit` is how long a request
    to start a job may be under way, whatever becomes of whoever sent it, and how long it may take to stop one or to
    write its link; `batch_window` how long the queue may wait for more messages before it hands out some.
    """

    crash: float = 0
    crash_at: frozenset[int] = frozenset()
    store_error: float = 0
    late_write: float = 0
    duplicate: float = 0
    delay: int = 0
    redelivery: float = 0
    lost_performance: float = 0
    remote: float = 0.5
    skew: int = 0
    clock_jump: float = 0
    timer_error: int = 0
    rival: bool = False
    mortal: bool = False
    pause: int = 0
    queue_error: float = 0
    hour_late: float = 0
    lost_extension: float = 0
    lost_event: float = 0
    expired: float = 0
    processes: int = 2
    deadline: int = 900_000
    transit: int = 0
    batch_window: int = 0


CALM: Final = Faults()


def draw_faults(world: World) -> Faults:
    """The faults of one simulation."""
    some = _Sometimes(world)
    return Faults(
        crash=some.of(0.01, 0.05, 0.15),
        store_error=some.of(0.02, 0.1, 0.25),
        late_write=some.of(0.02, 0.1),
        duplicate=some.of(0.1, 0.5),
        delay=round(some.of(100, 5_000, 60_000)),
        redelivery=some.of(0.1, 0.4),
        lost_performance=some.of(0.1, 0.4),
        remote=world.choose((0, 0.3, 0.7, 1)),
        skew=round(some.of(500, 30_000, 300_000)),
        clock_jump=some.of(0.05, 0.2),
        timer_error=round(some.of(50, 2_000, 60_000)),
        rival=world.chance(0.5),
        mortal=world.chance(0.5),
        pause=round(some.of(1, 50, 3_000)),
    )


def draw_queued_faults(world: World) -> Faults:
    """The faults of one simulation of the queued host. Its clocks differ by a second, or are as wrong as can be."""
    some = _Sometimes(world)
    return Faults(
        crash=some.of(0.003, 0.01, 0.04),
        store_error=some.of(0.02, 0.1),
        late_write=some.of(0.02, 0.1),
        duplicate=some.of(0.1, 0.5),
        delay=round(some.of(100, 5_000, 60_000)),
        lost_performance=some.of(0.1, 0.4),
        skew=round(some.of(1_000, 1_000, 300_000)),
        pause=round(some.of(1, 50, 3_000)),
        queue_error=some.of(0.02, 0.1),
        hour_late=some.of(0.02, 0.1),
        lost_extension=some.of(0.1, 0.5),
        lost_event=some.of(0.3, 1),
        expired=world.choose((0, 0, 0, 0, 0.1)),
        processes=world.between(2, 8),
        deadline=world.choose((3_000, 10_000, 20_000, 60_000, 900_000)),
        transit=round(some.of(500, 10_000)),
        batch_window=round(some.of(500, 5_000)),
    )


def with_races(faults: Faults, world: World) -> Faults:
    """The same, and messages in two hands at once, whose requests take their time."""
    return replace(
        faults,
        duplicate=0.7,
        delay=world.choose((0, 100)),
        pause=world.choose((50, 3_000)),
        transit=world.choose((500, 10_000)),
        lost_event=world.choose((0, 1)),
        crash=faults.crash / 10,
    )


class _Sometimes:
    """Draws a size, or nothing at all."""

    def __init__(self, world: World) -> None:
        self._world = world

    def of(self, *sizes: float) -> float:
        """One of the sizes, or 0 in a third of the cases."""
        return 0 if self._world.chance(1 / 3) else self._world.choose(sizes)
