"""The journal: an execution's append-only list of records, the only source of truth.

A record is one durable Outcome. It carries the fields of frames that changed and nothing that did not; folding the
records in order gives the execution back without running the interpreter, so a new engine version cannot break an
execution in flight. A keyframe is a record that also carries every live frame whole: loading starts at the newest one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, Final, cast, get_args

from asl_engine.errors import StoreCorrupt
from asl_engine.interpreter.commands import Command
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.execution import FRAME_FIELDS, Execution, Frame, Wait
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.interpreter.outcome import Outcome

KEYFRAME_RECORDS_MIN: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One outcome, as it is stored.

    `execution_fields` are the members of Execution that changed (all of them in record 0 and in a keyframe);
    `frames` maps a frame id to its changed fields, or to None when the frame is gone; of a wait that goes on, only the
    members that changed, as a mapping. `consumed` are ids of inbox messages that this record answers: they are deleted
    in the same transaction. Record 0 is always a keyframe. `owner` names the queue message whose handling wrote the
    record: if the message is delivered again, what this record asked for may not have been done.
    """

    execution_arn: str
    sequence: int
    at: int
    events: tuple[Event, ...]
    execution_fields: Mapping[str, object]
    frames: Mapping[str, Mapping[str, object] | None]
    history: tuple[HistoryEvent, ...]
    commands: tuple[Command, ...]
    keyframe: bool = False
    consumed: tuple[int, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Tail:
    """What loading an execution reads: its newest keyframe and the records after it.

    Each is weighed twice: by `size`, its stored bytes (none where nothing is encoded), which is what writing costs; and
    by `frames`, the number that it carries and one, which is what encoding and folding cost: a thousand frames that are
    alike compress to the bytes of a few records. A keyframe is due when the records after the last one outweigh it in
    both: the live frames are no more than the last keyframe's and those written since, so keyframes at most triple what
    is written, and loading reads about twice what is alive. At least KEYFRAME_RECORDS_MIN records lie between two, as a
    few small records are read faster than they are saved.
    """

    keyframe_size: int = 0
    keyframe_frames: int = 0
    records: int = 0
    size: int = 0
    frames: int = 0

    def followed_by(self, record: Record, size: int) -> Tail:
        """The tail after one more record."""
        carried = 1 + len(record.frames)  # one for the record: an execution field changes at a cost too
        if record.keyframe:
            return Tail(size, carried)
        since = (self.records + 1, self.size + size, self.frames + carried)
        return Tail(self.keyframe_size, self.keyframe_frames, *since)

    @property
    def keyframe_due(self) -> bool:
        """Whether the next record should be a keyframe."""
        return (
            self.records >= KEYFRAME_RECORDS_MIN
            and self.size >= self.keyframe_size
            and self.frames >= self.keyframe_frames
        )


def record_of(outcome: Outcome, *, keyframe: bool = False, consumed: Sequence[int] = (), owner: str = "") -> Record:
    """What is to be stored of an outcome: what differs between its two executions, or all of it for a keyframe."""
    before, after = outcome.before, outcome.execution
    assert after.sequence == (0 if before is None else before.sequence + 1), "an advance adds one to the sequence"
    if before is None or keyframe:
        execution_fields = dict(zip(EXECUTION_FIELDS, _execution_values(after), strict=True))
        frames: dict[str, Mapping[str, object] | None] = {id_: _whole(frame) for id_, frame in after.frames.items()}
    else:
        execution_fields = _changes(EXECUTION_FIELDS, _execution_values(before), _execution_values(after))
        frames = _frame_changes(before.frames, after.frames, outcome.touched)
    return Record(
        execution_arn=after.arn,
        sequence=after.sequence,
        at=outcome.at,
        events=outcome.events,
        execution_fields=execution_fields,
        frames=frames,
        history=outcome.history,
        commands=outcome.commands,
        keyframe=keyframe or before is None,
        consumed=tuple(consumed),
        owner=owner,
    )


def fold(records: Iterable[Record], held: Execution | None = None) -> Execution:
    """The execution after the last of these records, of which the first must be a keyframe, or follow what is held.

    Raises StoreCorrupt for records that do not follow each other.
    """
    execution_fields: dict[str, object] = {}
    frames: dict[str, Frame] = {}
    theirs: Mapping[str, Frame] = {}
    if held is not None:
        execution_fields.update(zip(EXECUTION_FIELDS, _execution_values(held), strict=True))
        frames, theirs = dict(held.frames), held.frames
    last: Execution | Record | None = held
    for record in records:
        _check_order(last, record)
        if record.keyframe:
            frames = {}
        execution_fields.update(record.execution_fields)
        for frame_id, changes in record.frames.items():
            if frame_id in theirs and frames.get(frame_id) is theirs[frame_id]:
                frames[frame_id] = theirs[frame_id].copy()  # what is held stays as it is
            _apply(frames, frame_id, changes)
        last = record
    if last is None:
        raise StoreCorrupt(f"it has no records; {_REMEDY}")
    arn = last.arn if isinstance(last, Execution) else last.execution_arn
    members = cast("dict[str, Any]", execution_fields)
    return Execution(arn=arn, sequence=last.sequence, at=last.at, frames=frames, **members)


_REMEDY: Final = "restore the store from a copy"
# What is the record's own, and frames, which have a place of their own in it.
_OF_THE_RECORD: Final = {"arn", "sequence", "at", "frames"}
EXECUTION_FIELDS: Final = tuple(f.name for f in fields(Execution) if f.name not in _OF_THE_RECORD)
_FRAME_MEMBERS: Final = tuple(name for name in FRAME_FIELDS if name != "id")
_execution_values = attrgetter(*EXECUTION_FIELDS)
_frame_values = attrgetter(*_FRAME_MEMBERS)
_WAITS: Final = {
    kind: (members, attrgetter(*members))
    for kind in get_args(Wait)
    for members in [tuple(f.name for f in fields(kind))]
}
# Types of which an equal value is an unchanged one. Payloads are told apart by identity alone: comparing them would
# cost their size, and equality would take `1` for `True` inside them.
_COMPARED: Final = frozenset({int, str, tuple})


def _whole(frame: Frame) -> dict[str, object]:
    return dict(zip(_FRAME_MEMBERS, _frame_values(frame), strict=True))


def _frame_changes(
    before: Mapping[str, Frame], after: Mapping[str, Frame], touched: Iterable[str]
) -> dict[str, Mapping[str, object] | None]:
    changed: dict[str, Mapping[str, object] | None] = {}
    for frame_id in touched:
        known, frame = before.get(frame_id), after.get(frame_id)
        if frame is None:
            if known is not None:
                changed[frame_id] = None
        elif known is None:
            changed[frame_id] = _whole(frame)
        elif known is not frame:
            changes = changed[frame_id] = _changes(_FRAME_MEMBERS, _frame_values(known), _frame_values(frame))
            if "wait" in changes and _goes_on(known.wait, frame.wait):
                members, values = _WAITS[type(known.wait)]
                changes["wait"] = _changes(members, values(known.wait), values(frame.wait))
    return changed


def _goes_on(before: Wait | None, after: Wait | None) -> bool:
    """Whether it is the same wait: a heartbeat must not store an attempt's arguments again."""
    if before is None or after is None:
        return False
    return type(before) is type(after) and before.wait_id == after.wait_id


def _changes(names: Sequence[str], before: Sequence[object], after: Sequence[object]) -> dict[str, object]:
    return {
        name: new
        for name, old, new in zip(names, before, after, strict=True)
        if new is not old and (type(new) not in _COMPARED or type(new) is not type(old) or new != old)
    }


def _check_order(last: Execution | Record | None, record: Record) -> None:
    if last is None:
        if not record.keyframe:
            raise StoreCorrupt(f"record {record.sequence} is no keyframe, and nothing is before it; {_REMEDY}")
    elif record.sequence != last.sequence + 1:
        raise StoreCorrupt(f"record {record.sequence} follows record {last.sequence}; {_REMEDY}")


def _apply(frames: dict[str, Frame], frame_id: str, changes: Mapping[str, object] | None) -> None:
    if changes is None:
        frames.pop(frame_id, None)
    elif frame_id in frames:
        for name, value in changes.items():
            if name == "wait" and isinstance(value, Mapping):
                value = replace(cast("Any", frames[frame_id].wait), **value)
            setattr(frames[frame_id], name, value)
    else:
        frames[frame_id] = Frame(id=frame_id, **cast("dict[str, Any]", changes))
