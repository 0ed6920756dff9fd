"""A process that appends to several executions of a store until it is killed, and prints what is durable."""

from __future__ import annotations

import asyncio
import sys

from asl_engine.store.journal import record_of
from asl_engine.store.sqlite import SqliteStore
from tests.store.journals import arn_of, started, task_done


async def append_for_ever(store: SqliteStore, name: str) -> None:
    await store.claim(arn_of(name))
    outcome = started(name)
    while True:
        keyframe = store.keyframe_due(outcome.execution.arn)
        await store.append(record_of(outcome, keyframe=keyframe))
        sys.stdout.write(f"{name} {outcome.execution.sequence}\n")
        sys.stdout.flush()
        outcome = task_done(outcome.execution, {"task": outcome.execution.sequence})


async def main(path: str) -> None:
    store = SqliteStore(path)
    await asyncio.gather(*[append_for_ever(store, name) for name in ("a", "b", "c")])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
