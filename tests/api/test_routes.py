from __future__ import annotations

from collections import Counter

from asl_engine.api.routes import choose


def test_a_hundred_draws_fall_as_the_weights_say() -> None:
    routes = [{"stateMachineVersionArn": "one", "weight": 70}, {"stateMachineVersionArn": "two", "weight": 30}]
    assert Counter(choose(routes, draw) for draw in range(100)) == {"one": 70, "two": 30}


def test_a_weight_of_nothing_gets_nothing() -> None:
    routes = [{"stateMachineVersionArn": "one", "weight": 0}, {"stateMachineVersionArn": "two", "weight": 100}]
    assert {choose(routes, draw) for draw in range(100)} == {"two"}
