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

FAILED_QUEUED_SEEDS: Final[Mapping[int, str]] = {
    16: "a timer set again to a moment that was past was taken for one sent twice",
    90: "after a lost race a task was performed again whose result was at hand",
    753: "the API's record set a timer, and whoever got its message took that for done",
    1146: "calls of ports took no time at all, so a task was performed in the moment in which its end was written",
    104490: "a keyframe hid which record had set the timer, and nobody sent it",
    201832: "a service that refused four times in a row was taken for a fault of the engine",
    2075: "the same, of two messages that were handled together",
    204843: "a runner wrote records by a message whose event was consumed, after another runner had acknowledged it",
    204943: "a runner wrote a result by a message that another runner had acknowledged: the attempt was submitted",
    900245: "a runner whose time was up handed over without a result that had just come, and acknowledged its message",
    300: "an outage ended a runner that was stopping a job, and another had acknowledged its message",
    970560: "a result that came while its runner handed over was dropped: another runner had submitted the attempt",
    970929: "an outage ended a runner that had started a job, and another had acknowledged its message",
    972058: "a runner was killed while it started a job that another, with a copy of its message, had sought in vain",
    990658: "the checker took two heartbeats that one record consumed for one that counted twice",
    1030007: "a job that was looked for too early was looked for once more only if the message had not come before",
    1022060: "the checker took a task of a Map Run's child for one of the execution with the same event id",
    801190: "the API set a timer by a message whose event was consumed and that was gone: nobody sent the timer",
}
