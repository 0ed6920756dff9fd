from typing import Any

import pytest

from asl_engine.language.definition import ParallelState
from tests.language.definitions import END, errors_of, state


def test_branches_keep_their_order() -> None:
    branches = [{"StartAt": name, "States": {name: END}, "Comment": "one"} for name in ("Left", "Right")]
    found = state({"Type": "Parallel", "Branches": branches})

    assert isinstance(found, ParallelState)
    assert [(branch.key, branch.start_at) for branch in found.branches] == [("A/0", "Left"), ("A/1", "Right")]


@pytest.mark.parametrize(
    ("branches", "error"),
    [
        ([], "/Branches: Value cannot be empty"),
        ({}, "/Branches: expected an array of branches but found an object"),
        ([[]], "/Branches/0: expected an object but found an array"),
        ([{}], "/Branches/0: These fields are required: [StartAt, States]"),
        (
            [{"StartAt": "In", "States": {"In": END}, "Version": "1.0"}],
            "/Branches/0/Version: the field 'Version' is not supported by a branch",
        ),
    ],
)
def test_wrong_branches_are_refused(branches: Any, error: str) -> None:
    assert errors_of({"Type": "Parallel", "Branches": branches}) == [error]
