"""A crash at every single effect, and at every two that are near each other: nothing is drawn, nothing left out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from asl_engine.interpreter.options import Options
from asl_engine.language.parser import compile_definition
from asl_engine.testing.simulation.behaviour import HashedAnswers
from asl_engine.testing.simulation.faults import CALM, Faults
from asl_engine.testing.simulation.simulation import Run, Simulation, Subject
from tests.simulation.template_machines import TEMPLATES

pytestmark = pytest.mark.no_cover  # recording which lines run takes longer than running them

NEAR = 7
FOR_EVER = 100_000  # steps


def subject_of(template: str) -> Subject:
    return Subject(
        machine=compile_definition(TEMPLATES[template]),
        input={"order": 7},
        behaviour=HashedAnswers(template, may_hang=False),
        comparable=True,
        options=Options(advance_history_events_max=4),
    )


def crash_points(effects: int) -> Iterator[frozenset[int]]:
    """Each effect alone, and with each of those that follow it closely."""
    for first in range(1, effects + 1):
        yield frozenset({first})
        yield from (frozenset({first, second}) for second in range(first + 1, first + 1 + NEAR))


def run(subject: Subject, faults: Faults, expected: str | None) -> Run:
    return Simulation(subject, "crash points", faults, expected=expected).run(FOR_EVER)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_crash_at_any_effect_changes_no_result(template: str) -> None:
    subject = subject_of(template)
    calm = run(subject, CALM, None)
    assert calm.violation is None
    assert calm.result is not None
    runs = {at: run(subject, Faults(crash_at=at), calm.result) for at in crash_points(calm.effects)}

    assert {tuple(at): str(one.violation) for at, one in runs.items() if one.violation} == {}
    assert all(any(fault.startswith("crash") for fault in one.counts) for one in runs.values())


def test_the_templates_end_in_every_way_that_matters() -> None:
    """Some succeed, some fail; and there is something to crash at."""
    runs = [run(subject_of(template), CALM, None) for template in TEMPLATES]
    endings = {(one.result or "").split(",")[0] for one in runs}

    assert endings == {'["SUCCEEDED"', '["FAILED"'}
    assert sum(one.effects for one in runs) > 400
