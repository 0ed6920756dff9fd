from __future__ import annotations

from typing import Any

from tests.conformance.run import fallen, score


def result(kind: str, *levels: bool | None) -> dict[str, Any]:
    return {"id": f"{kind}/case", "kind": kind, **dict(zip(("L1", "L2", "L3"), levels, strict=True))}


def test_a_score_counts_each_level_of_each_kind() -> None:
    results = [
        result("api", True, True, False),
        result("api", True, False, None),
        result("execution", True, True, True),
    ]

    assert score(results) == {
        "api": {"cases": 2, "L1": 2, "L2": 1, "L3": 0, "L3 recorded": 1},
        "execution": {"cases": 1, "L1": 1, "L2": 1, "L3": 1, "L3 recorded": 1},
    }


def test_cases_that_need_other_services_are_counted_apart() -> None:
    results = [result("api", True, True, False), result("execution", False, False, None)]

    assert score(results, {"execution/case"}).keys() == {"api", "execution, with services"}


def test_what_is_worse_than_before_is_named_and_what_is_better_is_not() -> None:
    best = score([result("api", True, True, False), result("execution", True, True, True)])
    now = score([result("api", True, True, True), result("execution", True, True, False)])

    assert fallen(now, best) == ["execution L3: 0, and it was 1"]
    assert fallen(best, best) == []


def test_a_kind_that_is_no_longer_run_has_fallen() -> None:
    assert fallen({}, score([result("api", True, False, False)])) == ["api L1: 0, and it was 1"]
