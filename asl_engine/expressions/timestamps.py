"""Timestamps: the ISO-8601 profile of RFC 3339 that AWS accepts, to and from epoch milliseconds.

A capital T and either Z or a numeric offset are required; seconds may have any number of fractional digits.
https://states-language.net/spec.html#timestamps
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_RFC_3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def parse_timestamp(text: str) -> int | None:
    """Epoch milliseconds, or None for what is no timestamp. Finer digits round up: a Wait never ends too early."""
    instant = parse_instant(text)
    if instant is None:
        return None
    seconds, fraction = instant
    return seconds * 1000 + int(fraction[:3].ljust(3, "0")) + (len(fraction) > 3)


def parse_instant(text: str) -> tuple[int, str] | None:
    """Epoch seconds and the digits after the point, without trailing zeros: such pairs compare as instants do."""
    match = _RFC_3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    try:
        local = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        offset = timezone(timedelta(hours=int(offset_hours), minutes=int(offset_minutes))) if sign else UTC
    except ValueError:
        return None
    if sign and int(offset_minutes) > 59:
        return None
    distance = offset.utcoffset(None)
    seconds = (local - _EPOCH - (-distance if sign == "-" else distance)) // _SECOND
    return seconds, (fraction or "").rstrip("0")


def format_timestamp(milliseconds: int) -> str:
    """Epoch milliseconds as the Context object shows them: `2024-01-01T00:00:00.123Z`."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"
