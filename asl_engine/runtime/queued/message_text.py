"""Messages as text, for queues that carry nothing else.

JSON in ASCII, so that any queue takes it; what is large is compressed, so that any input that AWS admits fits a
message. Events are written as the journal writes them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import fields
from typing import Any, Final

from asl_engine.errors import ForeignMessage, StoreCorrupt
from asl_engine.runtime.in_process import StartRequest
from asl_engine.runtime.queued.ports import Message
from asl_engine.store.codec import decode_event, encode_event

VERSION: Final = 1
_COMPRESS_ABOVE_CHARACTERS: Final = 8_192
_START_FIELDS: Final = tuple(f.name for f in fields(StartRequest))
# What reading another's text can raise.
_FOREIGN: Final = (ValueError, TypeError, KeyError, AttributeError, zlib.error, RecursionError)


def message_text(message: Message) -> str:
    """The message as text."""
    members: dict[str, object] = {"asl": VERSION, "execution": message.execution_arn, "owner": message.owner}
    if message.start is not None:
        members["start"] = {name: getattr(message.start, name) for name in _START_FIELDS}
        members["definition"] = message.definition_sha256
    if message.event is not None:
        members["event"] = base64.b64encode(encode_event(message.event)).decode("ascii")
    if message.timer_at is not None:
        members["timer_at"] = message.timer_at
    if message.after >= 0:
        members["after"] = message.after
    text = json.dumps(members, separators=(",", ":"))
    if len(text) <= _COMPRESS_ABOVE_CHARACTERS:
        return text
    packed = base64.b64encode(zlib.compress(text.encode("ascii"))).decode("ascii")
    return json.dumps({"asl": VERSION, "packed": packed}, separators=(",", ":"))


def message_of(text: str) -> Message:
    """The message in a text. Raises ForeignMessage for one that this engine did not write, or a newer one did."""
    try:
        members = _members(text)
        if "packed" in members:
            members = _members(zlib.decompress(base64.b64decode(members["packed"], validate=True)).decode("ascii"))
        start, event = members.get("start"), members.get("event")
        return Message(
            execution_arn=_text(members, "execution"),
            owner=_text(members, "owner"),
            start=None if start is None else StartRequest(**start),
            definition_sha256=members.get("definition", ""),
            event=None if event is None else decode_event(base64.b64decode(event, validate=True)),
            timer_at=None if members.get("timer_at") is None else int(members["timer_at"]),
            after=int(members.get("after", -1)),
        )
    except StoreCorrupt as error:
        raise ForeignMessage(f"the event of the message cannot be read: {error}") from error
    except _FOREIGN as error:
        raise ForeignMessage(
            f"the text is no message of this engine ({type(error).__name__}): {len(text)} characters, SHA-256 "
            f"{_hash(text)}; send only what the engine wrote to its queue"
        ) from error


def _hash(text: str) -> str:
    """Names a text that somebody may look for, and whose content is nobody's business."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _members(text: str) -> dict[str, Any]:
    members = json.loads(text)
    if not isinstance(members, dict) or "asl" not in members:
        raise ValueError('expected an object with the member "asl"')
    if members["asl"] != VERSION:
        raise ForeignMessage(
            f"the message has version {members['asl']!r} and this asl-engine reads version {VERSION}: "
            "let an engine of the version that wrote it empty the queue first"
        )
    return members


def _text(members: dict[str, Any], name: str) -> str:
    value = members[name]
    if not isinstance(value, str) or not value:
        raise ValueError(f'expected text as "{name}"')
    return value
