"""The figures that README.md gives of the tests are those of the tests."""

from __future__ import annotations

import re

from tests.architecture.source_tree import ROOT, text
from tests.simulation import planted_bugs, test_campaign
from tests.simulation.queued import planted_bugs as planted_bugs_queued
from tests.simulation.queued import templates
from tests.simulation.queued import test_campaign as test_campaign_queued

README = " ".join(text(ROOT / "README.md").split())


def test_the_readme_gives_the_figures_of_the_simulations() -> None:
    assert f"at every point of {len(templates.TEMPLATES)} workflows" in README
    assert f"in {test_campaign.SEEDS + test_campaign_queued.SEEDS:,} runs of each test run" in README
    assert f"{len(planted_bugs.PLANTED) + len(planted_bugs_queued.PLANTED)} planted bugs" in README


def test_the_docs_say_how_many_executions_outlive_killed_workers() -> None:
    found = re.search(r'"ASL_KILLED_EXECUTIONS", "(\d+)"', text(ROOT / "tests/aws/test_killed_workers.py"))
    assert found is not None
    assert f"{found[1]} executions of 20 tasks come through" in README
    assert f"There are {found[1]} executions of 20 tasks" in text(ROOT / "docs/aws.md")
