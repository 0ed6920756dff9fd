"""The pytest plugin: the `asl` fixture. Installed with the package, so tests need no import.

def test_a_failed_charge_is_tried_again(asl):
    order = asl.load("order.asl.json")
    order.script("Charge", asl.throws("Card.Busy"), asl.returns({"paid": True}))
    execution = order.run({"amount": 3})
    execution.assert_succeeded({"paid": True})
    assert execution.attempts("Charge") == 2
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def asl() -> Iterator[object]:
    """State machines under test, their executions driven in virtual time: see `asl_engine.testing.Asl`."""
    from asl_engine.testing.scripted_machine import Asl

    session = Asl()
    yield session
    session.close()
