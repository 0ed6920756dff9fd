"""A definition that was not validated as it is now stops a Terraform plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from asl_engine.deploy.packaging import mark_platform
from asl_engine.deploy.wheels import Platform
from tests.infra.deployments import DEFINITION, Planner, Sources, account_endpoint


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = account_endpoint()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources.written(tmp_path / "sources")


def refusal(planner: Planner) -> str:
    """What Terraform says, in one line: it breaks lines and frames them."""
    ended = planner("plan")
    assert ended.returncode == 1
    return " ".join(ended.stderr.replace("│", " ").split())


def test_a_definition_that_changed_or_was_never_validated_is_refused(sources: Sources, endpoint: str) -> None:
    changed = {**DEFINITION, "Comment": "changed"}
    sources.definition.write_text(json.dumps(changed), encoding="utf-8")
    (sources.definitions / "new.asl.json").write_text(json.dumps(DEFINITION), encoding="utf-8")

    said = refusal(Planner(sources, endpoint))

    assert "These definitions changed since they were validated" in said
    assert "again: orders.asl.json" in said
    assert "These definitions were never validated" in said
    assert "again: new.asl.json" in said


def test_a_placeholder_without_a_value_is_refused(sources: Sources, endpoint: str) -> None:
    text = sources.definition.read_text().replace('"train:3"', '"${TrainDefinition}"')
    sources.definition.write_text(text, encoding="utf-8")
    sources.validate()

    assert "definition_substitutions has no value for: TrainDefinition" in refusal(Planner(sources, endpoint))


def test_archives_for_another_platform_are_refused(sources: Sources, endpoint: str) -> None:
    with mark_platform(sources.packages, Platform(architecture="x86_64")):
        pass

    said = refusal(Planner(sources, endpoint))

    assert 'The archives are for {"architecture":"x86_64","runtime":"python3.13"}, and the functions for' in said
