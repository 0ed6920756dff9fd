"""A crash at every single call of a port, before it and after it, and at every two that are near each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from asl_engine.testing.simulation.faults import CALM, Faults
from asl_engine.testing.simulation.queued.simulation import QueuedSimulation
from asl_engine.testing.simulation.simulation import Run, Subject
from tests.simulation.queued.templates import TEMPLATES

pytestmark = pytest.mark.no_cover  # recording which lines run takes longer than running them

NEAR = 7
FOR_EVER = 5_000  # steps


def crash_points(effects: int) -> Iterator[frozenset[int]]:
    """Each effect alone, and with each of those that follow it closely."""
    for first in range(1, effects + 1):
        yield frozenset({first})
        yield from (frozenset({first, second}) for second in range(first + 1, first + 1 + NEAR))


def run(subject: Subject, faults: Faults, expected: str | None) -> Run:
    return QueuedSimulation(subject, "crash points", faults, expected=expected).run(FOR_EVER)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_crash_at_any_effect_changes_no_result(template: str) -> None:
    subject = TEMPLATES[template].subject
    calm = run(subject, CALM, None)
    assert calm.violation is None
    assert calm.result is not None
    runs = {at: run(subject, Faults(crash_at=at), calm.result) for at in crash_points(calm.effects)}

    assert {tuple(sorted(at)): str(one.violation) for at, one in runs.items() if one.violation} == {}
    missed = {at for at, one in runs.items() if not any(fault.startswith("crash") for fault in one.counts)}
    assert {min(at) for at in missed} <= {calm.effects}, "the last may be a request that is called off when all is done"


def test_the_templates_end_in_every_way_that_matters() -> None:
    """And there is something to crash at."""
    runs = [run(template.subject, CALM, None) for template in TEMPLATES.values()]
    endings = {(one.result or "").split(",")[0] for one in runs}

    assert endings == {'["SUCCEEDED"', '["FAILED"', '["TIMED_OUT"', '["ABORTED"'}
    assert sum(one.effects for one in runs) > 700
