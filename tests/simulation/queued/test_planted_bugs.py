"""The simulator finds the bugs that are planted in the queued host, each within a bound of seeds."""

from __future__ import annotations

import pytest

from asl_engine.testing.simulation.campaign import Host, simulate_seed
from tests.simulation.queued.planted_bugs import PLANTED, PlantedBug

pytestmark = pytest.mark.no_cover  # recording which lines run takes longer than running them

SEEDS_MAX = 300


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found_and_its_seed_repeats_it(bug: PlantedBug, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        bug.plant(patch)
        found = next(
            (found for seed in range(SEEDS_MAX) if (found := simulate_seed(seed, host=Host.QUEUED).failure)), None
        )
        assert found is not None
        again = simulate_seed(found.seed, host=Host.QUEUED, tracing=True)

    assert found.invariant in bug.breaks, str(found)
    assert again.failure == found
    assert again.trace
    assert found.replay == f"asl simulate --host queued --from {found.seed} --seeds 1 -v"
    assert simulate_seed(found.seed, host=Host.QUEUED).failure is None
