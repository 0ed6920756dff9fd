"""Records survive being bytes: every value exactly, and payloads once."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asl_engine.errors import StoreCorrupt
from asl_engine.interpreter import commands, events
from asl_engine.interpreter.commands import Command, ScheduleTask
from asl_engine.interpreter.events import Event, StopRequested, TaskSucceeded
from asl_engine.interpreter.execution import (
    ChildrenWait,
    Execution,
    ExecutionStatus,
    Frame,
    Phase,
    RetryWait,
    TaskAttempt,
    TimerWait,
)
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.interpreter.outcome import Outcome
from asl_engine.json_value import JsonValue
from asl_engine.limits import JSON_DEPTH_MAX
from asl_engine.store.codec import decode_event, decode_history, decode_record, encode_event, encode_record
from asl_engine.store.journal import Record, fold, record_of
from tests.store.journals import NOON, arn_of, followed, frame_of, started, task_done

# Any code point, surrogates included: JSON text can escape one alone, and Python then holds it.
texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=80)
json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
instants = st.integers(min_value=0, max_value=2**53)


def round_trip(record: Record) -> Record:
    return decode_record(encode_record(record))


@st.composite
def journals(draw: st.DrawFn) -> list[Outcome]:
    """An execution and random advances of it, whose payloads come from a small pool of shared objects."""
    pool = draw(st.lists(json_values, min_size=1, max_size=5))
    outcome = started(input=draw(st.sampled_from(pool)))
    outcomes = [outcome]
    for number in range(draw(st.integers(1, 6))):
        outcome = draw(advances(outcome.execution, pool, number))
        outcomes.append(outcome)
    return outcomes


@st.composite
def advances(draw: st.DrawFn, before: Execution, pool: list[JsonValue], number: int) -> Outcome:
    payloads = st.sampled_from(pool)
    frames: dict[str, Frame] = {}
    for frame_id, frame in before.frames.items():
        match draw(st.sampled_from(["keep", "change", "drop"])):
            case "keep":
                frames[frame_id] = frame
            case "change":
                frames[frame_id] = draw(changed(frame, payloads))
            case _ if frame_id == "0":
                frames[frame_id] = frame
    for index in range(draw(st.integers(0, 3))):
        child = frame_of(f"0/{number}.{index}", parent="0", index=index, item=draw(payloads))
        frames[child.id] = draw(changed(child, payloads))
    return followed(
        before,
        frames=frames,
        events=draw(st.lists(any_event(payloads), max_size=2)),
        history=draw(st.lists(history_events(payloads), max_size=4)),
        commands=draw(st.lists(any_command(payloads, frames), max_size=3)),
        status=draw(st.sampled_from(ExecutionStatus)),
        output=draw(payloads),
        cause=draw(st.none() | texts),
        stopped_at=draw(st.none() | instants),
        ready=tuple(frames)[: draw(st.integers(0, 2))],
    )


@st.composite
def changed(draw: st.DrawFn, frame: Frame, payloads: st.SearchStrategy[JsonValue]) -> Frame:
    values = {
        "state": texts,
        "input": payloads,
        "phase": st.sampled_from(Phase),
        "previous_event_id": st.integers(0),
        "variables": st.dictionaries(texts, payloads, max_size=3),
        "retries": st.lists(st.integers(0, 9), max_size=3).map(tuple),
        "wait": st.none() | waits(payloads),
        "output": payloads,
    }
    twin = frame.copy()
    for name in draw(st.sets(st.sampled_from(sorted(values)))):
        setattr(twin, name, draw(values[name]))
    if isinstance(twin.wait, TaskAttempt) and draw(st.booleans()):
        twin.wait = replace(twin.wait, heartbeat_at=draw(instants), submitted=True)
    return twin


def waits(payloads: st.SearchStrategy[JsonValue]) -> st.SearchStrategy[object]:
    attempts = st.builds(
        TaskAttempt,
        wait_id=st.integers(1, 3),
        state_name=texts,
        resource=texts,
        arguments=payloads,
        credentials=st.none() | st.dictionaries(texts, json_values, max_size=2),
        task_token=st.none() | texts,
        timeout_at=st.none() | instants,
    )
    children = st.builds(
        ChildrenWait,
        wait_id=st.integers(1, 3),
        total=st.integers(0),
        succeeded=st.integers(0),
        tolerated_failure_percentage=st.none() | st.floats(0, 100),
    )
    return (
        attempts
        | children
        | st.builds(TimerWait, st.integers(1, 3), instants)
        | st.builds(RetryWait, instants, instants)
    )


def any_event(payloads: st.SearchStrategy[JsonValue]) -> st.SearchStrategy[Event]:
    words = st.none() | texts
    return st.one_of(
        st.builds(events.TaskSucceeded, texts, instants, payloads),
        st.builds(events.TaskSubmitted, texts, instants, payloads),
        st.builds(events.TaskFailed, texts, instants, words, words),
        st.builds(events.ActivityStarted, texts, instants, texts),
        st.builds(events.StopRequested, words, words),
        st.builds(events.FailRequested, texts, texts),
        st.just(events.ExecutionTimerFired()),
    )


def any_command(payloads: st.SearchStrategy[JsonValue], frames: dict[str, Frame]) -> st.SearchStrategy[Command]:
    held = [frame.wait for frame in frames.values() if isinstance(frame.wait, TaskAttempt)]
    timers = st.builds(commands.StartTimer, texts, instants, instants) | st.just(commands.Continue())
    return timers | st.builds(ScheduleTask, texts, st.sampled_from(held)) if held else timers


def history_events(payloads: st.SearchStrategy[JsonValue]) -> st.SearchStrategy[HistoryEvent]:
    details = st.none() | st.fixed_dictionaries(
        {"name": texts},
        optional={"input": payloads, "output": payloads, "assignedVariables": st.dictionaries(texts, payloads)},
    )
    return st.builds(HistoryEvent, st.integers(1), st.integers(0), texts, instants, details)


def payloads_of(record: Record) -> Iterator[object]:
    """Every place of a record that can hold a payload or a wait, always in the same order."""
    for event in record.history:
        for value in (event.details or {}).values():
            yield from (value.values() if isinstance(value, dict) else ())
            yield value
    yield from (getattr(event, "output", None) for event in record.events)
    for changes in record.frames.values():
        for name, held in (changes or {}).items():
            yield from (held.values() if name == "variables" and isinstance(held, dict) else [held])
    yield from (getattr(command, "attempt", None) for command in record.commands)
    yield from record.execution_fields.values()


def sharing(record: Record) -> list[int]:
    """For each payload and wait, the first place where the same object stands."""
    found = [value if isinstance(value, list | TaskAttempt) else None for value in payloads_of(record)]
    first: dict[int, int] = {}
    return [first.setdefault(id(value), place) for place, value in enumerate(found)]


@settings(max_examples=100, deadline=None)
@given(journals(), st.booleans())
def test_what_is_decoded_is_what_was_recorded(outcomes: list[Outcome], small: bool) -> None:
    """Compared by repr, which tells 1 from True and 1.0, and keeps the order of frames."""
    records = []
    for number, outcome in enumerate(outcomes):
        record = record_of(outcome, keyframe=number == 3, consumed=[number])
        body = encode_record(record, small=small)
        records.append(decode_record(body, execution_arn=record.execution_arn))
        assert repr(records[-1]) == repr(record)
        assert repr(decode_history(body, execution_arn=record.execution_arn)) == repr(record.history)
        assert repr(fold(records)) == repr(outcome.execution)
        assert sharing(records[-1]) == sharing(record)


@given(any_event(json_values))
def test_an_event_from_outside_survives(event: Event) -> None:
    assert repr(decode_event(encode_event(event))) == repr(event)


def test_a_payload_that_passes_through_ten_states_is_stored_once() -> None:
    payload: JsonValue = {"text": "".join(map(chr, range(0x4E00, 0x4E00 + 2000)))}  # what zlib cannot shrink
    before = started().execution
    history = [HistoryEvent(n, n - 1, "PassStateEntered", NOON, {"input": payload}) for n in range(1, 21)]
    once = encode_record(record_of(followed(before, history=history[:1])))
    ten_times = encode_record(record_of(followed(before, history=history)))
    assert len(ten_times) < len(once) * 1.3


def test_a_payload_of_history_and_of_a_frame_is_one_object_again() -> None:
    record = round_trip(record_of(task_done(started().execution, {"x": [1]})))
    (schedule,) = record.commands
    assert isinstance(schedule, ScheduleTask)
    changes = record.frames["0"]
    assert changes is not None
    assert changes["wait"] is schedule.attempt
    assert record.history[0].details is not None
    assert changes["input"] is schedule.attempt.arguments is record.history[0].details["output"]


@pytest.mark.parametrize(
    "value",
    [
        2**80,
        -(2**63) - 1,
        0,
        -0.0,
        1.0,
        1e300,
        5e-324,
        "\ud800",
        "\ud83d\ude00"[0] + "\ude00",
        "\x00 \u2028",
        True,
        "x" * 65,
    ],
    ids=repr,
)
def test_a_hard_value_survives(value: JsonValue) -> None:
    for payload in (value, [value], {"key": value}):
        event = decode_event(encode_event(TaskSucceeded("0", 1, payload)))
        assert isinstance(event, TaskSucceeded)
        assert repr(event.output) == repr(payload)


def test_deep_nesting_survives() -> None:
    payload: JsonValue = []
    for _ in range(JSON_DEPTH_MAX - 1):
        payload = [payload]
    record = record_of(task_done(started().execution, payload))
    assert round_trip(record) == record


def test_a_large_section_is_compressed() -> None:
    assert len(encode_event(TaskSucceeded("0", 1, ["same"] * 1000))) < 200


def test_a_record_of_format_1_is_still_read() -> None:
    """Its bytes are spelled out here: a change that cannot read them needs a new version number."""
    history = [[[4, 3, "TaskStateExited", NOON, {"name": "Charge", "output": [0]}]], [{"paid": 1.5}]]
    state = [
        "arn:example",
        7,
        NOON,
        False,
        [3],
        [["task-succeeded", "0", 2, [0]]],
        {"status": "RUNNING", "ready": ["0"], "last_event_id": 6},
        {
            "0": {"phase": "WAITING", "input": [0], "item": [], "retries": [1, 0], "wait": ["w", 0]},
            "0/1.0": {"variables": {"x": [1]}, "wait": {"started": 3}},
            "0/1.1": None,
        },
        [["schedule-task", "0", ["w", 0]], ["continue"]],
        [["task-attempt", 6, "Ship", "ship", [0]]],
        [[True, None]],
    ]
    record = decode_record(packed(1, json.dumps(history), json.dumps(state)))
    attempt = TaskAttempt(wait_id=6, state_name="Ship", resource="ship", arguments={"paid": 1.5})
    frames = dict(record.frames)
    first = dict(frames.pop("0") or {})
    assert repr(first.pop("item")) == "ABSENT"
    assert first == {"phase": Phase.WAITING, "input": {"paid": 1.5}, "retries": (1, 0), "wait": attempt}
    assert frames == {"0/1.0": {"variables": {"x": [True, None]}, "wait": {"started": 3}}, "0/1.1": None}
    assert record.execution_fields == {"status": ExecutionStatus.RUNNING, "ready": ("0",), "last_event_id": 6}
    assert record.events == (TaskSucceeded("0", 2, {"paid": 1.5}),)
    assert record.commands == (ScheduleTask("0", attempt), commands.Continue())
    assert record.history == (HistoryEvent(4, 3, "TaskStateExited", NOON, {"name": "Charge", "output": {"paid": 1.5}}),)
    assert (record.execution_arn, record.sequence, record.at, record.consumed) == ("arn:example", 7, NOON, (3,))


def packed(version: int, history: str, state: str) -> bytes:
    rest = struct.pack(">BI", 0, len(history)) + history.encode() + state.encode()
    return struct.pack(">BI", version, zlib.crc32(rest)) + rest


BODY = encode_record(record_of(task_done(started().execution, ["payload"] * 300)))


def test_a_changed_bit_is_found() -> None:
    for place in range(len(BODY)):
        damaged = BODY[:place] + bytes([BODY[place] ^ 0x10]) + BODY[place + 1 :]
        with pytest.raises(StoreCorrupt):
            decode_record(damaged)


def test_a_missing_end_is_found() -> None:
    for length in range(1, len(BODY)):
        for decode in (decode_record, decode_history, decode_event):
            with pytest.raises(StoreCorrupt, match="its checksum does not match, so bytes of it were lost or changed"):
                decode(BODY[:length])


@pytest.mark.parametrize(("body", "found"), [(b"", "empty"), (b"\x07" + BODY[1:], "version 7")])
def test_an_unknown_format_is_named(body: bytes, found: str) -> None:
    expected = f"its format is {found} and this asl-engine reads version 1; use the asl-engine that wrote it"
    with pytest.raises(StoreCorrupt, match=expected):
        decode_record(body)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "{}",
        "[[], []]",
        '[["no-such-kind"], []]',
        '[["stop-requested", 1, 2, 3], []]',
        '[["stop-requested", ["x", 0, 1]], []]',
    ],
)
def test_sound_bytes_that_say_nothing_are_refused(text: str) -> None:
    body = packed(1, text, text)
    with pytest.raises(StoreCorrupt, match="it does not hold a record"):
        decode_record(body)
    with pytest.raises(StoreCorrupt, match="it does not hold an event"):
        decode_event(body)


def test_history_that_is_none_is_refused() -> None:
    with pytest.raises(StoreCorrupt, match="it does not hold history"):
        decode_history(packed(1, "[[[1]], []]", "[]"))


def test_a_stop_is_small() -> None:
    assert len(encode_event(StopRequested())) < 60


def test_a_small_record_of_a_task_says_little_besides_its_payload() -> None:
    payload: JsonValue = {"order": "".join(f"{number * 7919 % 1000:03d}" for number in range(300))}
    record = record_of(task_done(started().execution, payload))
    assert len(encode_record(record, small=True)) < len(zlib.compress(json.dumps(payload).encode())) + 150


# A record as it was written with the first dictionary.
SMALL_BODY = bytes.fromhex(
    "01cb34387a040000003d8255c85832a30104180231a28675ce482c4ac792a78d740cb1674bfca6a0661d631d23bc1914d52ce4163a36"
    "f3c069331fe457252b732017000000ffff8bc6dd0e2022a080f6a3b980505235c095528de10915a5b623a65633a6421234d641843f2c"
    "e0484a6f00"
)


def test_a_small_record_of_the_first_dictionary_is_still_read() -> None:
    """Its bytes are spelled out here: a dictionary that records were written with may not change."""
    record = record_of(task_done(started().execution, {"order": 7}))
    assert decode_record(SMALL_BODY, execution_arn=record.execution_arn) == record


@pytest.mark.parametrize(("arn", "dictionary"), [("arn:of:another", 1), (arn_of("first"), 9)])
def test_a_small_record_cannot_be_read_with_another_dictionary(arn: str, dictionary: int) -> None:
    rest = bytes([dictionary << 2]) + SMALL_BODY[6:]
    body = struct.pack(">BI", 1, zlib.crc32(rest)) + rest
    with pytest.raises(StoreCorrupt, match="it does not hold a record"):
        decode_record(body, execution_arn=arn)
