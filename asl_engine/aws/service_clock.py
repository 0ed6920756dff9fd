"""The time of AWS's own clocks, as their answers tell it: two runners must agree on it to a second or two.

A runner's clock may be wrong by minutes; by it deadlines would be missed, or come early. Every answer of AWS carries
the moment at which it was given, to the second. Where that differs from the local clock by more than is explained by
rounding and the way back, the clock is set right.
"""

from __future__ import annotations

from typing import Any, Final

from asl_engine.runtime.clock import RealClock

_TOLERANCE_MILLISECONDS: Final = 2_000
# A Date header has no fraction: on average half a second has passed since the second that it names.
_ROUNDED_OFF_MILLISECONDS: Final = 500


class ServiceClock(RealClock):
    """The time of day, right to about two seconds once AWS has answered anything.

    The first answer counts at once. Later it takes two that agree, since one may have been read late: a function is
    frozen between two invocations.
    """

    def __init__(self) -> None:
        self._offset = 0
        self._suspected: int | None = None
        self._is_set = False

    def now(self) -> int:
        """The current moment."""
        return super().now() + self._offset

    def observe(self, server_time: int) -> None:
        """An answer that was just received was given in the second that began at this moment, epoch milliseconds."""
        offset = server_time + _ROUNDED_OFF_MILLISECONDS - super().now()
        if abs(offset - self._offset) <= _TOLERANCE_MILLISECONDS:
            self._suspected = None
        elif not self._is_set or _is_near(offset, self._suspected):
            self._offset, self._suspected = offset, None
        else:
            self._suspected = offset
        self._is_set = True


def _is_near(offset: int, other: int | None) -> bool:
    return other is not None and abs(offset - other) <= _TOLERANCE_MILLISECONDS


def watch(client: Any, clock: ServiceClock) -> None:
    """Let a botocore client tell the clock what time its service has."""

    def answered(parsed: Any, **_facts: Any) -> None:
        date = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        server_time = read_date(date) if isinstance(date, str) else None
        if server_time is not None:
            clock.observe(server_time)

    client.meta.events.register("after-call", answered)


def read_date(text: str) -> int | None:
    """The moment that a Date header names, epoch milliseconds; None for what is no date."""
    from email.utils import parsedate_to_datetime

    try:
        return round(parsedate_to_datetime(text).timestamp() * 1000)
    except (ValueError, TypeError):
        return None
