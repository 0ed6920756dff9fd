"""What an idle deployment costs, as it is documented: the sum is that of its parts, and the README quotes it."""

from __future__ import annotations

import re

from tests.architecture.source_tree import ROOT

DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
COST = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
PART = re.compile(r"^\| [^|*]+ \| [^|]*\| (\d+\.\d\d) \|$", re.MULTILINE)


def test_the_idle_cost_is_the_sum_of_its_parts_wherever_it_is_told() -> None:
    parts = [float(part) for part in PART.findall(DEPLOYMENT)]
    (together,) = re.findall(r"\*\*together\*\* \| \| \*\*(\d+\.\d\d)\*\*", DEPLOYMENT)
    (beyond_free_tier,) = re.findall(r"3 dashboards: then \$(\d+\.\d\d) remain", DEPLOYMENT)

    assert len(parts) == 8
    assert f"{sum(parts):.2f}" == together
    assert f"Doing nothing it costs ${together} a month, ${beyond_free_tier} of it outside the free tier" in README


def test_what_expiry_adds_is_added_wherever_it_is_told() -> None:
    listed = [
        float(cost) for cost in re.findall(r"cost \$(\d\.\d\d) in a chain .* and \$(\d\.\d\d) in the mix", README)[0]
    ]
    added = [float(cost) for cost in re.findall(r"(\d\.\d\d) for\s+the chain, (\d\.\d\d) for the real mix", COST)[0]]

    with_expiry = [f"${sum(costs):.2f}" for costs in zip(listed, added, strict=True)]

    assert f"the two figures are {' and '.join(with_expiry)}" in README
