"""Frames: the live frames of an execution, as a mapping most of which its versions share.

A Map keeps a frame for every iteration that has ended until all are through. Were the mapping copied in each advance,
ten thousand iterations that end one by one would cost a hundred million steps. So a version is a base, which it shares
with the versions before it and nobody changes, and the little in which it differs from that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from asl_engine.interpreter.execution import Frame

_DIFFERENCES_MIN: Final = 64
_COPIES_PER_MERGE: Final = 16


class Frames(Mapping[str, Frame]):
    """Frames by their ids, in the order in which they began. Changed only inside `advance`, on a copy.

    An id that is gone does not come back: a child's names the history event of its parent's start.
    """

    __slots__ = ("_base", "_count", "_differences")

    def __init__(self, base: Mapping[str, Frame]) -> None:
        """Takes `base` as it is: it may not change any more."""
        self._base = base
        self._differences: dict[str, Frame | None] = {}  # None for a frame of the base that is gone
        self._count = len(base)

    def copy(self) -> Frames:
        """A version of its own, free to be changed."""
        if self._is_far_from_base():
            return Frames(self._merged())
        twin = Frames(self._base)
        twin._differences, twin._count = self._differences.copy(), self._count
        return twin

    def __getitem__(self, frame_id: str) -> Frame:
        if frame_id not in self._differences:
            return self._base[frame_id]
        frame = self._differences[frame_id]
        if frame is None:
            raise KeyError(frame_id)
        return frame

    def __setitem__(self, frame_id: str, frame: Frame) -> None:
        if frame_id not in self._differences and frame_id not in self._base:
            self._count += 1
        self._differences[frame_id] = frame

    def __delitem__(self, frame_id: str) -> None:
        assert frame_id in self, "only what is there can go"
        self._differences[frame_id] = None
        self._count -= 1

    def __iter__(self) -> Iterator[str]:
        return iter(self._merged())

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return repr(self._merged())

    def clear(self) -> None:
        """Forget all frames."""
        self._base, self._differences, self._count = {}, {}, 0

    def _is_far_from_base(self) -> bool:
        """Whether copying the differences each time has come to cost more than a new base costs once."""
        count = len(self._differences)
        return count > _DIFFERENCES_MIN and count * count > len(self._base) * _COPIES_PER_MERGE

    def _merged(self) -> dict[str, Frame]:
        merged = dict(self._base)
        for frame_id, frame in self._differences.items():
            if frame is None:
                merged.pop(frame_id, None)
            else:
                merged[frame_id] = frame
        return merged
