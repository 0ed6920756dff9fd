"""What an idle deployment costs, as it is documented: the sum is that of its parts, and the README quotes it."""

from __future__ import annotations

import re

from tests.architecture.source_tree import ROOT

DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
PART = re.compile(r"^\| [^|*]+ \| [^|]*\| (\d+\.\d\d) \|$", re.MULTILINE)


def test_the_idle_cost_is_the_sum_of_its_parts_wherever_it_is_told() -> None:
    parts = [float(part) for part in PART.findall(DEPLOYMENT)]
    (together,) = re.findall(r"\*\*together\*\* \| \| \*\*(\d+\.\d\d)\*\*", DEPLOYMENT)
    (beyond_free_tier,) = re.findall(r"3 dashboards: then \$(\d+\.\d\d) remain", DEPLOYMENT)

    assert len(parts) == 8
    assert f"{sum(parts):.2f}" == together
    assert f"Doing nothing it costs ${together} a month, ${beyond_free_tier} of it outside the free tier" in README
