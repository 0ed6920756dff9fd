"""Tags: a list of keys and values on the wire, a mapping where they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from asl_engine.errors import TooManyTags, ValidationException
from asl_engine.limits import TAGS_MAX


def read(tags: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The mapping of a list. Raises TooManyTags or ValidationException."""
    return merged({}, tags)


def merged(kept: Mapping[str, str], tags: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What is kept with more tags. Raises TooManyTags or ValidationException."""
    both = {**kept, **{_key(tag, place): tag.get("value", "") for place, tag in enumerate(tags, 1)}}
    if len(both) > TAGS_MAX:
        raise TooManyTags(f"Too many tags: a resource has at most {TAGS_MAX}, and this would be {len(both)}")
    return both


def _key(tag: Mapping[str, Any], place: int) -> str:
    key: str | None = tag.get("key")
    if key is None:
        raise ValidationException(
            f"1 validation error detected: Value null at 'tags.{place}.member.key' "
            "failed to satisfy constraint: Member must not be null"
        )
    if key.lower().startswith("aws:"):
        raise ValidationException("aws: prefixed tag key names are not allowed for external use.")
    return key


def shown(kept: Mapping[str, str]) -> list[dict[str, str]]:
    """The list of a mapping."""
    return [{"key": key, "value": value} for key, value in kept.items()]
