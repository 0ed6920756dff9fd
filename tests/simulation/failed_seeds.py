"""Seeds that once failed, each with what it found. They run for ever.

What a seed draws changes with the generator: whoever changes that and finds a bug by an older seed writes a test of its
own for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FAILED_SEEDS: Final[Mapping[int, str]] = {
    6: "a timer that came early, asked for again in a record that lost a race, was taken for one that was running",
    632: "the same, for the pause before a retry",
    10127: "a record landed between loading an execution and reading its inbox, and took the message with it",
    12582: "a request was sent again that another process had just made durable as submitted",
    17208: "two processes took everything up after each lost race, and made each other lose races for ever",
    20832: "a request was sent again that the record read in between had ended",
    26444: "the same, for a request that was submitted",
}
