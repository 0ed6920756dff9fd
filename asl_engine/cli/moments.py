"""Durations and moments as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def duration(milliseconds: int) -> str:
    """A duration in its two largest units: `340 ms`, `5 s`, `2 m 5 s`, `1 d 3 h`."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 10_000 and milliseconds % 1000:
        return f"{milliseconds / 1000:.1f} s"
    seconds = milliseconds // 1000
    parts = [
        (seconds // 86_400, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "m"),
        (seconds % 60, "s"),
    ]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def moment(milliseconds: int) -> str:
    """A moment in local time, to the second."""
    local = datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S}"
