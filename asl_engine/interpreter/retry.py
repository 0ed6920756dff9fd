"""Retry: which rule applies, and how long to wait before the next attempt.

Counted per state entry and per rule, so two rules never eat each other's attempts. The first rule that names the error
decides; when its attempts are used up the error goes to Catch, even if a later rule names it too.
Delay before retry n (from 0): IntervalSeconds x BackoffRate^n, at most MaxDelaySeconds; FULL jitter draws from 0 to it.
https://states-language.net/spec.html#retrying-after-error
"""

from __future__ import annotations

from collections.abc import Callable

from asl_engine.interpreter.failure import StatesError
from asl_engine.language.definition import JitterStrategy, Retrier

_DELAY_SECONDS_MAX = 31_622_400  # MaxDelaySeconds must be below 31,622,400 (a leap year); nothing waits longer


def applying_rule(rules: tuple[Retrier, ...], error: StatesError) -> int | None:
    """The index of the first rule that names the error."""
    for index, rule in enumerate(rules):
        if error.matches(rule.error_equals):
            return index
    return None


def delay_milliseconds(rule: Retrier, retries_before: int, draw: Callable[[], float]) -> int:
    """The pause before the next attempt. `draw` gives a number in [0, 1) and is called for FULL jitter only."""
    ceiling = rule.max_delay_seconds if rule.max_delay_seconds is not None else _DELAY_SECONDS_MAX
    try:
        seconds = min(rule.interval_seconds * rule.backoff_rate**retries_before, ceiling)
    except OverflowError:
        seconds = ceiling
    if rule.jitter_strategy is JitterStrategy.FULL:
        seconds *= draw()
    return round(seconds * 1000)
