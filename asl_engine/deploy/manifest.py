"""definitions.json: the definitions that were validated, to the byte, and the permissions that follow from them.

Terraform runs no validator of its own. It compares each file with its hash here and refuses to plan what differs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from asl_engine.deploy.permissions import job_event_permissions, policy_document, task_permissions
from asl_engine.deploy.placeholders import OWN, placeholders
from asl_engine.errors import AslError, InvalidDefinition
from asl_engine.json_value import JsonObject, dump_json, parse_json
from asl_engine.language.diagnostics import Severity
from asl_engine.language.parser import parse_definition

FILE_NAME: Final = "definitions.json"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: all inline policies of a role together.
# The role's own policy takes less than the rest.
POLICY_CHARACTERS_MAX: Final = 7_500
# IAM's name of a service, where botocore's is another.
_BOTOCORE_NAMES: Final = {
    "bedrock": "bedrock-runtime",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "monitoring": "cloudwatch",
    "ses": "sesv2",
    "states": "stepfunctions",
}


def manifest(directory: Path, files: Mapping[str, Path]) -> JsonObject:
    """The manifest of definitions, by their machines' names, below a directory. Raises InvalidDefinition, AslError."""
    texts = {name: file.read_bytes() for name, file in sorted(files.items())}
    definitions = {name: _validated(files[name], text) for name, text in texts.items()}
    statements = task_permissions(definitions)
    described: JsonObject = {
        name: {
            "file": files[name].relative_to(directory).as_posix(),
            "sha256": hashlib.sha256(text).hexdigest(),
            "type": "STANDARD",
            "placeholders": [*sorted(placeholders(text.decode()) - OWN)],
        }
        for name, text in texts.items()
    }
    policy = policy_document(statements)
    _check_size(policy)
    return {
        "definitions": described,
        "policy": policy,
        "jobEventsPolicy": policy_document(job_event_permissions(statements)),
        "reasons": {statement.sid: statement.reason for statement in statements},
    }


def sdk_services(document: JsonObject) -> frozenset[str]:
    """The services that a manifest's policy allows to call, by the names of their botocore models where these agree."""
    actions = re.findall(r'"([a-z-]+):[A-Z]\w+"', dump_json(document["policy"]))
    return frozenset(_BOTOCORE_NAMES.get(prefix, prefix) for prefix in actions)


def _validated(file: Path, text: bytes) -> JsonObject:
    parsed = parse_definition(text, source_name=str(file), any_resource=False)
    errors = [each for each in parsed.diagnostics if each.severity is Severity.ERROR]
    if errors:
        raise InvalidDefinition(errors)
    value = parse_json(text.decode())
    assert isinstance(value, dict), "a valid definition is an object"
    return value


def _check_size(policy: JsonObject) -> None:
    size = len("".join(str(policy).split()))
    if size > POLICY_CHARACTERS_MAX:
        raise AslError(
            f"the tasks' policy takes {size:,} characters, and IAM leaves about {POLICY_CHARACTERS_MAX:,} in a role: "
            "deploy some of the definitions with a second engine (another `name`)"
        )
