"""What a definition says for certain about the arguments of a task: names that are written out, not computed.

Partition, region and account are the placeholders of CloudFormation (`${AWS::Region}`), which a deployment fills in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from asl_engine.json_value import JsonValue
from asl_engine.language.resource import PLACEHOLDER

_PLACE: Final = "${AWS::Region}:${AWS::AccountId}"
# These services have no regions, or no accounts either.
_PLACES: Final = {"iam": ":${AWS::AccountId}", "s3": ":"}
_SQS_URL: Final = re.compile(r"/(?P<account>\d{12})/(?P<name>[\w-]+(?:\.fifo)?)")


def arn(service: str, resource: str) -> str:
    """The ARN of something in the deployment's own account and region."""
    return f"arn:${{AWS::Partition}}:{service}:{_PLACES.get(service, _PLACE)}:{resource}"


@dataclass(frozen=True, slots=True)
class Arguments:
    """A task's Arguments or Parameters. What a path or JSONata computes is not known here."""

    values: Mapping[str, JsonValue]

    @classmethod
    def of(cls, state: Mapping[str, JsonValue]) -> Arguments:
        """The arguments of a state as it is written."""
        found = state.get("Arguments", state.get("Parameters"))
        return cls(found if isinstance(found, dict) else {})

    def literal(self, name: str) -> str | None:
        """The text of an argument, None where it is computed or left out."""
        value = self.values.get(name)
        return value if isinstance(value, str) and not value.startswith("{%") else None

    def below(self, name: str) -> Arguments:
        """The arguments inside an argument."""
        value = self.values.get(name)
        return Arguments(value if isinstance(value, dict) else {})

    def entries(self, name: str) -> list[Arguments]:
        """The arguments inside each element of a list that is written out."""
        value = self.values.get(name)
        return [Arguments(each) for each in value if isinstance(each, dict)] if isinstance(value, list) else []

    def gives(self, name: str) -> bool:
        """Whether an argument is given, computed or not."""
        return name in self.values or f"{name}.$" in self.values

    def named(self, name: str, service: str, prefix: str) -> str:
        """The ARN of what an argument names, by name or ARN. A whole placeholder stands for an ARN."""
        value = self.literal(name)
        if value is None:
            return arn(service, f"{prefix}*")
        return value if value.startswith("arn:") or PLACEHOLDER.fullmatch(value) else arn(service, prefix + value)

    def queue(self) -> str:
        """The ARN of the queue of QueueUrl."""
        url = self.literal("QueueUrl")
        found = _SQS_URL.fullmatch(urlsplit(url).path) if url is not None else None
        if url is None or found is None:
            return arn("sqs", "*")
        host = (urlsplit(url).hostname or "").split(".")
        region = host[1] if len(host) > 3 and host[0] == "sqs" else "${AWS::Region}"
        return f"arn:${{AWS::Partition}}:sqs:{region}:{found['account']}:{found['name']}"

    def s3_object(self) -> str:
        """The ARN of the object of Bucket and Key, or of all that the bucket holds."""
        return f"{self.named('Bucket', 's3', '')}/{self.literal('Key') or '*'}"
