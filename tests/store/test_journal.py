"""Records carry what changed, and folding them gives the execution back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asl_engine.errors import StoreCorrupt
from asl_engine.interpreter.execution import ChildrenWait, ExecutionStatus, Phase, TaskAttempt, TimerWait
from asl_engine.json_value import JsonValue
from asl_engine.store.journal import KEYFRAME_RECORDS_MIN, Record, Tail, fold, record_of
from tests.store.journals import NOON, followed, frame_of, journal_of, started, task_done


def test_the_first_record_is_a_keyframe_with_everything() -> None:
    record = record_of(started())
    assert record.keyframe
    assert record.execution_fields["status"] is ExecutionStatus.RUNNING
    assert record.frames.keys() == {"0"}
    assert fold([record]) == started().execution


def test_a_record_carries_the_outcome_as_it_is() -> None:
    outcome = task_done(started().execution, {"x": 1})
    record = record_of(outcome, consumed=[4, 9])
    assert (record.sequence, record.at, record.consumed) == (1, outcome.at, (4, 9))
    assert (record.events, record.history, record.commands) == (outcome.events, outcome.history, outcome.commands)


def test_a_frame_that_is_the_same_object_is_left_out() -> None:
    before = started(frames={"0": frame_of(), "0/1.0": frame_of("0/1.0")}).execution
    record = record_of(task_done(before))
    assert record.frames.keys() == {"0"}


def test_only_the_fields_that_changed_are_carried() -> None:
    before = started().execution
    touched = before.frames["0"].copy()
    touched.phase = Phase.WAITING
    touched.state = f"{touched.state} "[:-1]  # an equal string is no change
    record = record_of(followed(before, frames={"0": touched}, last_event_id=5))
    assert record.frames == {"0": {"phase": Phase.WAITING}}
    assert record.execution_fields == {"last_event_id": 5}


@pytest.mark.parametrize(("old", "new"), [(1, True), (True, 1), (1, 1.0), (1.0, 1)])
def test_an_equal_value_of_another_type_is_a_change(old: JsonValue, new: JsonValue) -> None:
    """They are equal in Python, and two values in JSON."""
    begun = started(frames={"0": frame_of(input=old)})
    outcome = followed(begun.execution, frames={"0": frame_of(input=new)})
    assert repr(fold([record_of(begun), record_of(outcome)])) == repr(outcome.execution)


def test_a_frame_that_is_gone_is_none() -> None:
    before = started(frames={"0": frame_of(), "0/1.0": frame_of("0/1.0")}).execution
    record = record_of(followed(before, frames={"0": before.frames["0"]}))
    assert record.frames == {"0/1.0": None}


def test_a_map_parent_carries_only_its_counters() -> None:
    items: list[object] = [{"big": "x" * 1000}] * 10
    wait = ChildrenWait(wait_id=4, total=10, started=2)
    before = started(frames={"0": frame_of(items=items, wait=wait)}).execution
    parent = before.frames["0"].copy()
    parent.wait = replace(wait, started=3, succeeded=1)
    outcome = followed(before, frames={"0": parent})
    record = record_of(outcome)
    assert record.frames == {"0": {"wait": {"started": 3, "succeeded": 1}}}
    assert fold([record_of(started(frames=before.frames)), record]) == outcome.execution


def test_a_heartbeat_does_not_carry_the_arguments_again() -> None:
    attempt = TaskAttempt(wait_id=4, state_name="Train", resource="train", arguments={"big": "x" * 1000})
    before = started(frames={"0": frame_of(wait=attempt)}).execution
    beating = before.frames["0"].copy()
    beating.wait = replace(attempt, heartbeat_at=NOON)
    assert record_of(followed(before, frames={"0": beating})).frames == {"0": {"wait": {"heartbeat_at": NOON}}}


@pytest.mark.parametrize("after", [TimerWait(4, NOON + 1), TimerWait(5, NOON), None])
def test_another_wait_is_carried_whole(after: TimerWait | None) -> None:
    attempt = TaskAttempt(wait_id=4, state_name="Train", resource="train", arguments={})
    before = started(frames={"0": frame_of(wait=attempt)}).execution
    moved = before.frames["0"].copy()
    moved.wait = after
    assert record_of(followed(before, frames={"0": moved})).frames == {"0": {"wait": after}}


def test_the_folded_state_is_the_state_in_memory_after_every_record() -> None:
    outcome = started()
    records = [record_of(outcome)]
    for number in range(10):
        outcome = task_done(outcome.execution, {"task": number})
        records.append(record_of(outcome, keyframe=number == 6))
        assert fold(records) == outcome.execution
    assert fold(records[7:]) == outcome.execution


def test_a_keyframe_forgets_frames_that_it_does_not_carry() -> None:
    before = started(frames={"0": frame_of(), "0/1.0": frame_of("0/1.0")})
    outcome = followed(before.execution, frames={"0": before.execution.frames["0"]})
    assert fold([record_of(before), record_of(outcome, keyframe=True)]) == outcome.execution


def test_folding_twice_gives_frames_that_are_not_shared() -> None:
    """A frame of one load must not change under another."""
    records, _execution = journal_of("first", tasks=2)
    assert fold(records).frames["0"] is not fold(records).frames["0"]


def test_the_sequence_of_an_outcome_must_follow() -> None:
    outcome = task_done(started().execution)
    with pytest.raises(AssertionError):
        record_of(replace(outcome, execution=replace(outcome.execution, sequence=5)))


def test_records_that_do_not_follow_each_other_do_not_fold() -> None:
    records, _execution = journal_of("first", tasks=3)
    cases: list[tuple[list[Record], str]] = [
        ([], "it has no records; restore"),
        (records[1:], "record 1 is no keyframe, and nothing is before it; restore"),
        ([records[0], records[2]], "record 2 follows record 0; restore"),
    ]
    for wrong, message in cases:
        with pytest.raises(StoreCorrupt, match=message):
            fold(wrong)


def plain_record(*, keyframe: bool = False, frames: int = 1) -> Record:
    """A record that carries this many frames."""
    outcome = followed(started(frames={}).execution, frames={f"0/1.{number}": frame_of() for number in range(frames)})
    return record_of(outcome, keyframe=keyframe)


def tail_after(keyframe_size: int, record_size: int, records: int, *, frames: int = 1) -> Tail:
    tail = Tail().followed_by(plain_record(keyframe=True, frames=frames), keyframe_size)
    for _ in range(records):
        tail = tail.followed_by(plain_record_cache[False], record_size)
    return tail


@pytest.mark.parametrize(
    ("keyframe_size", "record_size", "records", "due"),
    [
        (100, 1000, KEYFRAME_RECORDS_MIN - 1, False),  # small frames: every few records
        (100, 1000, KEYFRAME_RECORDS_MIN, True),
        (100_000, 1000, 99, False),  # large frames: when as much was written since
        (100_000, 1000, 100, True),
    ],
)
def test_a_keyframe_is_due_when_the_tail_outweighs_it(
    keyframe_size: int, record_size: int, records: int, due: bool
) -> None:
    assert tail_after(keyframe_size, record_size, records).keyframe_due is due


@pytest.mark.parametrize(("records", "due"), [(99, False), (100, True)])
def test_many_frames_that_compress_well_are_not_written_every_few_records(records: int, due: bool) -> None:
    """A keyframe of 199 frames weighs 200, a record of one frame 2."""
    assert tail_after(100, 1000, records, frames=199).keyframe_due is due


def test_a_keyframe_begins_a_new_tail() -> None:
    tail = tail_after(10, 10, 100).followed_by(plain_record(keyframe=True), 30)
    assert tail == Tail().followed_by(plain_record(keyframe=True), 30)
    assert (tail.records, tail.size, tail.frames) == (0, 0, 0)


@pytest.mark.parametrize("frame_size", [10, 1_000, 100_000])
def test_keyframes_at_most_triple_what_is_written(frame_size: int) -> None:
    """Whatever the frames weigh, in a run whose live frames do not grow."""
    tail, plain, keyframes = Tail(frame_size), 0, 0
    for _ in range(5_000):
        due = tail.keyframe_due
        tail = tail.followed_by(plain_record_cache[due], frame_size if due else 100)
        plain, keyframes = plain + (not due) * 100, keyframes + due * frame_size
    assert keyframes <= 2 * plain


plain_record_cache = {due: plain_record(keyframe=due) for due in (False, True)}
