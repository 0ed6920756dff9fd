from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.aws.emulator import Emulator, emulator


@pytest.fixture(scope="session")
def aws() -> Iterator[Emulator]:
    """One emulator for all tests of a process: each deploys under a name of its own."""
    with emulator() as running:
        yield running
