"""What a queued host is made of: its ports, and how it names messages."""

from __future__ import annotations

import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from asl_engine.interpreter.execution import Execution
from asl_engine.interpreter.options import Options
from asl_engine.runtime.clock import Clock
from asl_engine.runtime.jobs import JobPerformer
from asl_engine.runtime.queued.definitions import Definitions
from asl_engine.runtime.queued.observer import HostObserver, Unobserved
from asl_engine.runtime.queued.ports import MessageQueue, Received
from asl_engine.runtime.queued.trials import DELIVERIES_MAX, MemoryTrials, TrialStore
from asl_engine.runtime.tasks import TaskPerformer
from asl_engine.store.protocol import ExecutionStore

VISIBILITY_SECONDS: Final = 60


def new_owner() -> str:
    """A name for a message that no other message of its execution has."""
    return secrets.token_urlsafe(9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """The ports. `jobs` come before `performer` where both handle a call.

    `clock` must agree with other runners' to about a second: by it deadlines are judged, and `Execution.at` is the only
    moment of another clock that it is compared with. `ended` is called at least once for each execution that ends,
    before the message that ended it is acknowledged; raising, it keeps the message. `chance`, from 0 to 1, keeps apart
    those who race. `visibility_seconds`: how long after its runner's death a message comes back at the latest.
    `set_aside` keeps a message that can be neither handled nor failed where people look for it, with a reason; None:
    the queue does, when it was delivered often enough. `deliveries_max`: so many deliveries must come to a bad end, one
    after another, until a message counts as poisonous.
    """

    store: ExecutionStore
    queue: MessageQueue
    clock: Clock
    performer: TaskPerformer
    jobs: JobPerformer | None = None
    options: Options = field(default_factory=Options)
    observer: HostObserver = field(default_factory=Unobserved)
    ended: Callable[[Execution], Awaitable[None]] | None = None
    new_owner: Callable[[], str] = new_owner
    chance: Callable[[], float] = random.random
    visibility_seconds: int = VISIBILITY_SECONDS
    trials: TrialStore = field(default_factory=MemoryTrials)
    deliveries_max: int = DELIVERIES_MAX
    set_aside: Callable[[Received, str], Awaitable[None]] | None = None
    definitions: Definitions = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "definitions", Definitions(self.store, self.jobs))
