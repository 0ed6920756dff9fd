"""Tags: a list of keys and values on the wire, a mapping where they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from asl_engine.errors import TooManyTags
from asl_engine.limits import TAGS_MAX


def read(tags: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The mapping of a list. Raises TooManyTags."""
    return merged({}, tags)


def merged(kept: Mapping[str, str], tags: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What is kept with more tags. Raises TooManyTags."""
    both = {**kept, **{tag.get("key", ""): tag.get("value", "") for tag in tags}}
    if len(both) > TAGS_MAX:
        raise TooManyTags(f"Too many tags: a resource has at most {TAGS_MAX}, and this would be {len(both)}")
    return both


def shown(kept: Mapping[str, str]) -> list[dict[str, str]]:
    """The list of a mapping."""
    return [{"key": key, "value": value} for key, value in kept.items()]
