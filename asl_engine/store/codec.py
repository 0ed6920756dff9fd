"""Records as bytes, in two sections, so that history can be read without the frames.

    version (1 byte) | CRC-32 of the rest (4) | compressed sections (1) | length of history (4) | history | state

Both sections are JSON in UTF-8, compressed when large. Payloads are kept once per record (see `slots`): those that
history mentions in the history section, the others in the state section, numbered on.

A small body, for stores that bill by the kilobyte, is one raw deflate stream begun with a dictionary (see
`dictionary`), so that the state section refers to what history says; the stream is flushed between them.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Final, NamedTuple, cast

from asl_engine.errors import StoreCorrupt
from asl_engine.interpreter.events import Event
from asl_engine.interpreter.history import HistoryEvent
from asl_engine.store.dictionary import NEWEST, dictionary
from asl_engine.store.journal import Record
from asl_engine.store.slots import Json, SlotReader, SlotWriter

VERSION: Final = 1

_PREFIX: Final = struct.Struct(">BI")
_SECTIONS: Final = struct.Struct(">BI")
_START: Final = _PREFIX.size + _SECTIONS.size
_COMPRESS_ABOVE_BYTES: Final = 1024
_COMPRESSION_LEVEL: Final = 1  # every task pays for it: level 6 takes twice the time to save a tenth
_SMALL_COMPRESSION_LEVEL: Final = 6  # where a kilobyte is paid for, 5 microseconds more are well spent
_RAW: Final = -15  # deflate without a header and a checksum of its own
_DICTIONARY_SHIFT: Final = 2  # the number of the dictionary stands above the bits for compressed sections
# Surrogates pass, as JSON text may escape one alone and Python keeps it in a str.
_SURROGATES: Final = "surrogatepass"
# What reading a damaged or foreign body can raise.
_DAMAGE: Final = (zlib.error, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)

# A cycle cannot be in a JsonValue, and looking for one costs a fifth of the time.
_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode


def encode_record(record: Record, *, small: bool = False) -> bytes:
    """The record as bytes. `small` ones take half again as long, and the execution's ARN to be read."""
    writer = SlotWriter()
    events = [_event_row(event, writer) for event in record.history]
    history = _to_json([events, writer.payloads])
    known = len(writer.payloads)
    state = [
        record.execution_arn,
        record.sequence,
        record.at,
        record.keyframe,
        record.consumed,
        [writer.kind(event) for event in record.events],
        writer.members(record.execution_fields),
        {frame: None if changes is None else writer.members(changes) for frame, changes in record.frames.items()},
        [writer.kind(command) for command in record.commands],
        writer.waits,
    ]
    state += [writer.payloads[known:], *([record.owner] if record.owner else ())]
    if small:
        return _pack_small(history, _to_json(state), record.execution_arn)
    return _pack(_section(history), _section(_to_json(state)))


def decode_record(body: bytes, *, execution_arn: str = "") -> Record:
    """The record in these bytes. Raises StoreCorrupt, which does not know where the bytes were."""
    try:
        history, state = _sections(body, execution_arn)
        return _read_record(history.load(), state.load())
    except _DAMAGE as error:
        raise StoreCorrupt(f"it does not hold a record ({error!r})") from error


def decode_history(body: bytes, *, execution_arn: str = "") -> tuple[HistoryEvent, ...]:
    """The record's history events alone. Raises StoreCorrupt, which does not know where the bytes were."""
    try:
        history, _state = _sections(body, execution_arn)
        events, payloads = history.load()
        return _read_history(events, SlotReader(payloads, []))
    except _DAMAGE as error:
        raise StoreCorrupt(f"it does not hold history ({error!r})") from error


def encode_event(event: Event) -> bytes:
    """An event from outside as bytes."""
    writer = SlotWriter()
    return _pack(_section(_to_json([writer.kind(event), writer.payloads])), _section(""))


def decode_event(body: bytes) -> Event:
    """The event in these bytes. Raises StoreCorrupt, which does not know where the bytes were."""
    section, _nothing = _sections(body)
    try:
        event, payloads = section.load()
        return cast("Event", SlotReader(payloads, []).kind(event))
    except _DAMAGE as error:
        raise StoreCorrupt(f"it does not hold an event ({error!r})") from error


def _event_row(event: HistoryEvent, writer: SlotWriter) -> Json:
    number, previous, event_type, timestamp, details = event
    return number, previous, event_type, timestamp, None if details is None else writer.members(details)


def _read_record(history: Json, state: Json) -> Record:
    history_events, payloads = history
    arn, sequence, at, keyframe, consumed, *rest = state
    events, execution_fields, frames, commands, waits, more_payloads, *owner = rest
    reader = SlotReader(payloads + more_payloads, waits)
    return Record(
        execution_arn=arn,
        sequence=sequence,
        at=at,
        events=tuple(reader.kind(event) for event in events),
        execution_fields=reader.fields(execution_fields),
        frames={frame: None if changes is None else reader.fields(changes) for frame, changes in frames.items()},
        history=_read_history(history_events, reader),
        commands=tuple(reader.kind(command) for command in commands),
        keyframe=keyframe,
        consumed=tuple(consumed),
        owner=owner[0] if owner else "",
    )


def _read_history(events: Json, reader: SlotReader) -> tuple[HistoryEvent, ...]:
    return tuple(
        HistoryEvent(number, previous, event_type, timestamp, None if details is None else reader.members(details))
        for number, previous, event_type, timestamp, details in events
    )


class _Section(NamedTuple):
    """A part of a body that can be read on its own."""

    stored: bytes
    is_compressed: int

    def load(self) -> Json:
        text = zlib.decompress(self.stored) if self.is_compressed else self.stored
        return json.loads(text.decode("utf-8", _SURROGATES))


def _section(text: str) -> _Section:
    stored = text.encode("utf-8", _SURROGATES)
    if len(stored) <= _COMPRESS_ABOVE_BYTES:
        return _Section(stored, 0)
    return _Section(zlib.compress(stored, _COMPRESSION_LEVEL), 1)


def _pack(first: _Section, second: _Section) -> bytes:
    compressed = first.is_compressed | second.is_compressed << 1
    return _checked(_SECTIONS.pack(compressed, len(first.stored)) + first.stored + second.stored)


def _pack_small(history: str, state: str, execution_arn: str) -> bytes:
    known = dictionary(NEWEST, execution_arn)
    stream = zlib.compressobj(_SMALL_COMPRESSION_LEVEL, zlib.DEFLATED, _RAW, zdict=known)
    first = stream.compress(history.encode("utf-8", _SURROGATES)) + stream.flush(zlib.Z_SYNC_FLUSH)
    second = stream.compress(state.encode("utf-8", _SURROGATES)) + stream.flush()
    return _checked(_SECTIONS.pack(NEWEST << _DICTIONARY_SHIFT, len(first)) + first + second)


def _checked(rest: bytes) -> bytes:
    return _PREFIX.pack(VERSION, zlib.crc32(rest)) + rest


def _sections(body: bytes, execution_arn: str = "") -> tuple[_Section, _Section]:
    if not body or body[0] != VERSION:
        found = f"version {body[0]}" if body else "empty"
        raise StoreCorrupt(
            f"its format is {found} and this asl-engine reads version {VERSION}; "
            "use the asl-engine that wrote it, or a newer one"
        )
    if len(body) < _START or _PREFIX.unpack_from(body)[1] != zlib.crc32(memoryview(body)[_PREFIX.size :]):
        raise StoreCorrupt(
            "its checksum does not match, so bytes of it were lost or changed; restore the store from a copy"
        )
    compressed, length = _SECTIONS.unpack_from(body, _PREFIX.size)
    end = _START + length
    if number := compressed >> _DICTIONARY_SHIFT:
        stream = zlib.decompressobj(_RAW, zdict=dictionary(number, execution_arn))
        history = stream.decompress(body[_START:end])
        return _Section(history, 0), _Section(stream.decompress(body[end:]) + stream.flush(), 0)
    return _Section(body[_START:end], compressed & 1), _Section(body[end:], compressed & 2)
