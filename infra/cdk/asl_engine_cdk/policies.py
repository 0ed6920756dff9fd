"""The policies of the Terraform module: both deployments read the same files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any, Final

from aws_cdk import aws_iam as iam

SHARED: Final = Path(__file__).resolve().parents[2] / "terraform"


def policy(name: str, values: Mapping[str, str]) -> iam.PolicyDocument:
    """A policy of `infra/terraform/policies`, with ARNs in place of its placeholders."""
    return iam.PolicyDocument.from_json(document(name, values))


def document(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The same as data."""
    text = (SHARED / "policies" / f"{name}.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(Template(text).substitute(values))
    return parsed
