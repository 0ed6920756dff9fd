from __future__ import annotations

import asyncio

import pytest

from asl_engine.aws.stored_trials import StoredTrials
from asl_engine.errors import Conflict
from asl_engine.runtime.clock import VirtualClock
from asl_engine.runtime.queued.trials import Trial
from asl_engine.store.memory_resources import MemoryResources
from asl_engine.store.resources import Change, ResourceStore

NOON = 1_700_000_000_000
TRIAL = Trial(count=2, is_open=True, runner="in request 7")


def trials(resources: ResourceStore) -> StoredTrials:
    return StoredTrials(resources, VirtualClock(NOON))


def test_what_is_noted_is_found_by_every_process_until_it_is_struck_out() -> None:
    async def story() -> None:
        resources = MemoryResources()
        await trials(resources).put("m1", TRIAL)
        kept = trials(resources)
        assert await kept.get("m1") == TRIAL
        assert await kept.get("m2") is None

        await kept.put("m1", Trial(count=3, is_open=False))
        assert await kept.get("m1") == Trial(count=3, is_open=False)
        for _ in range(2):
            await kept.put("m1", None)
            assert await kept.get("m1") is None

    asyncio.run(story())


@pytest.mark.parametrize("trial", [TRIAL, None])
def test_a_note_that_lost_a_race_is_given_up_and_those_that_stay_expire(trial: Trial | None) -> None:
    async def story() -> list[Change]:
        resources = MemoryResources()
        await trials(resources).put("m1", TRIAL)
        written: list[Change] = []

        async def lose(*changes: Change) -> None:
            written.extend(changes)
            raise Conflict("somebody else was faster")

        resources.write = lose  # type: ignore[method-assign]
        await trials(resources).put("m1", trial)
        return written

    (change,) = asyncio.run(story())
    assert change.expires_at == (None if trial is None else NOON // 1000 + 15 * 86_400)
