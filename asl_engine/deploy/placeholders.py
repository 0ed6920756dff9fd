"""`${Placeholders}`: what a definition leaves to its deployment, written as in a CloudFormation template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z][\w.:-]*)\}")
# Those that every deployment fills in: where it is, and the engine's name.
OWN: Final = frozenset({"AWS::AccountId", "AWS::Partition", "AWS::Region", "AslEngineName"})


def placeholders(text: str) -> frozenset[str]:
    """The names of the placeholders of a text."""
    return frozenset(_PLACEHOLDER.findall(text))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with placeholders replaced; those without a value stay as they are."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
