"""A definition that is not valid stops the synthesis. That of the same sources unbroken: test_same_resources."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.deployments import SETTINGS, Sources, require_cdk, synthesize, synthesized


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    require_cdk()
    return Sources.written(tmp_path / "sources")


def test_an_invalid_definition_is_not_synthesized(sources: Sources) -> None:
    sources.definition.write_text('{"StartAt": "Gone", "States": {"Here": {"Type": "Succeed"}}}', encoding="utf-8")

    ended = synthesize(sources)

    assert ended.returncode != 0
    assert "InvalidDefinition" in ended.stderr
    assert "Gone" in ended.stderr


def test_a_placeholder_without_a_value_is_not_synthesized(sources: Sources) -> None:
    text = sources.definition.read_text().replace('"train:3"', '"${TrainDefinition}"')
    sources.definition.write_text(text, encoding="utf-8")

    assert "definition_substitutions has no value for TrainDefinition" in synthesize(sources).stderr


def test_archives_for_another_platform_are_not_synthesized(sources: Sources) -> None:
    said = synthesize(sources, {**SETTINGS, "architecture": "x86_64"}).stderr

    assert "are for {'architecture': 'arm64', 'runtime': 'python3.13'}, and the functions for" in said


def test_tags_and_an_emptied_bucket(sources: Sources) -> None:
    settings = {"tags": {"team": "ml"}, "bucket_force_destroy": True, "queue_message_bytes_max": 1_048_576}

    template = synthesized(sources, {**SETTINGS, **settings})

    (bucket,) = [each for each in template.resources.values() if each["Type"] == "AWS::S3::Bucket"]
    assert bucket["DeletionPolicy"] == "Delete"
    assert {"Key": "team", "Value": "ml"} in template.of_type("AWS::DynamoDB::Table")[0]["Tags"]
    assert {each["MaximumMessageSize"] for each in template.of_type("AWS::SQS::Queue")} == {1_048_576}
    environments = [each["Environment"] for each in template.of_type("AWS::Lambda::Function") if "Environment" in each]
    told = {each["Variables"].get("ASL_QUEUE_MESSAGE_BYTES_MAX") for each in environments}
    assert told == {"1048576", None}  # `definitions` has no queue
