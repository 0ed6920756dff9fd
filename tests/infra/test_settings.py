"""Both deployments may be told the same, under the same names."""

from __future__ import annotations

import re

from tests.architecture.source_tree import ROOT

VARIABLES = (ROOT / "infra/terraform/variables.tf").read_text(encoding="utf-8")
SETTINGS = (ROOT / "infra/cdk/asl_engine_cdk/settings.py").read_text(encoding="utf-8")
README = (ROOT / "infra/terraform/README.md").read_text(encoding="utf-8")
# In CDK each definition is a construct.
OF_DEFINITIONS = {"definitions_directory", "definition_substitutions"}
NAMES = set(re.findall(r'^variable "(\w+)"', VARIABLES, re.MULTILINE))


def test_settings_are_the_variables() -> None:
    assert set(re.findall(r"^    (\w+): ", SETTINGS, re.MULTILINE)) == NAMES - OF_DEFINITIONS


def test_settings_have_the_defaults_of_the_variables() -> None:
    variables = dict(re.findall(r'^variable "(\w+)" \{[^}]*?\n  default     = (.+)$', VARIABLES, re.MULTILINE))
    settings = dict(re.findall(r"^    (\w+): .* = (.+)$", SETTINGS, re.MULTILINE))
    plain = {name: value.replace("_", "").lower() for name, value in settings.items() if not value.startswith("field(")}
    given = {name: variables[name].replace("null", "none").lower() for name in plain}

    assert len(given) > 10
    assert given == plain


def test_every_variable_is_documented() -> None:
    assert {name for name in NAMES if f"`{name}`" not in README} == set()


def test_a_message_may_be_as_large_as_sqs_takes_it() -> None:
    """What a task returns, with the escapes of JSON within JSON, is larger than a quarter of a megabyte."""
    assert re.search(r'"queue_message_bytes_max" \{[^}]*default     = 1048576\n', VARIABLES)
    assert "queue_message_bytes_max: int = 1_048_576\n" in SETTINGS


def test_the_engine_is_told_how_large_a_message_may_be() -> None:
    """CDK's: test_cdk."""
    functions = (ROOT / "infra/terraform/functions.tf").read_text(encoding="utf-8")

    assert re.search(r"ASL_QUEUE_MESSAGE_BYTES_MAX += tostring\(var\.queue_message_bytes_max\)\n", functions)
