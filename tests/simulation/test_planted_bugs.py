"""The simulator finds the bugs that are planted, each within a bound of seeds and by the promise that it breaks."""

from __future__ import annotations

import pytest

from asl_engine.testing.simulation.campaign import Failure, simulate_seed
from tests.simulation.planted_bugs import PLANTED, PlantedBug

pytestmark = pytest.mark.no_cover  # recording which lines run takes longer than running them

SEEDS_MAX = 2_000


def first_failure() -> Failure | None:
    return next((found for seed in range(SEEDS_MAX) if (found := simulate_seed(seed).failure)), None)


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found_and_its_seed_repeats_it(bug: PlantedBug, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        bug.plant(patch)
        found = first_failure()
        assert found is not None
        assert found.invariant in bug.breaks, str(found)
        again = simulate_seed(found.seed, tracing=True)
    assert again.failure == found
    assert again.trace
    assert found.replay == f"asl simulate --host in-process --from {found.seed} --seeds 1 -v"
    assert simulate_seed(found.seed).failure is None
