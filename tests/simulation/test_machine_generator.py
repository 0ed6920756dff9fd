"""The generator draws valid machines that use all that the language has to offer to a scheduler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from asl_engine.json_value import JsonValue
from asl_engine.language.parser import compile_definition
from asl_engine.testing.simulation.behaviour import HashedAnswers
from asl_engine.testing.simulation.faults import CALM
from asl_engine.testing.simulation.machine_generator import generate
from asl_engine.testing.simulation.simulation import Simulation, Subject

SEEDS = [f"generated {number}" for number in range(300)]


def words(value: JsonValue) -> Iterator[str]:
    """Every field name of a definition, with its value where that is a word."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{name} {inner}" if isinstance(inner, str) else name
            yield from words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words(inner)


def test_every_machine_compiles() -> None:
    assert all(compile_definition(generate(seed).definition).branches for seed in SEEDS)


def test_machines_use_every_state_type_and_both_query_languages() -> None:
    used = Counter(word for seed in SEEDS for word in words(generate(seed).definition))

    for word in (
        *(f"Type {name}" for name in ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")),
        "QueryLanguage JSONPath",
        "QueryLanguage JSONata",
        "Mode DISTRIBUTED",
        *("Retry", "Catch", "TimeoutSeconds", "HeartbeatSeconds", "ToleratedFailurePercentage", "Assign"),
        *("Resource arn:aws:states:::lambda:invoke.waitForTaskToken", "JitterStrategy FULL"),
    ):
        assert used[word] > 5, word


def test_a_comparable_machine_has_one_result_whatever_the_order_of_things() -> None:
    for number, seed in enumerate(SEEDS):
        generated = generate(seed)
        if generated.comparable:
            subject = Subject(
                machine=compile_definition(generated.definition),
                input=generated.input,
                behaviour=HashedAnswers(str(number), may_hang=False),
                comparable=True,
            )
            results = {Simulation(subject, f"{order}", CALM).run(0).result for order in range(3)}
            assert len(results) == 1, seed
            assert results != {None}
