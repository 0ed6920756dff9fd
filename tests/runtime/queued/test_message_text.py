"""Messages survive the way through a queue, and foreign texts are told apart."""

import json
from dataclasses import replace

import pytest

from asl_engine.errors import ForeignMessage
from asl_engine.interpreter.events import TaskSucceeded, TimerFired
from asl_engine.json_value import JsonValue
from asl_engine.runtime.queued.message_text import message_of, message_text
from asl_engine.runtime.queued.ports import Message
from tests.runtime.queued.worlds import request

ARN = request().execution_arn
SQS_BYTES_MAX = 1_048_576


def started(input: JsonValue) -> Message:
    start = replace(request(input=input), role_arn="arn:aws:iam::123456789012:role/r", revision="r1")
    return Message(execution_arn=ARN, owner="m", start=start, definition_sha256="sha")


@pytest.mark.parametrize(
    "message",
    [
        started({"order": 7, "text": "é\u2028\x00 \ud800"}),
        Message(execution_arn=ARN, owner="m", event=TaskSucceeded("0", 3, {"is": [1, True, None, "ü"]})),
        Message(execution_arn=ARN, owner="m", event=TimerFired("0", 3)),
        Message(execution_arn=ARN, owner="m", timer_at=1_700_000_000_000, after=7),
        Message(execution_arn=ARN, owner="m"),
    ],
    ids=["start", "result", "timer-fired", "timer", "go-on"],
)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    text = message_text(message)

    assert message_of(text) == message
    assert text.isascii()


@pytest.mark.parametrize("character", ["\x01", "\u4e2d", "\U0001f600", "a"])
def test_the_largest_payload_fits_a_message(character: str) -> None:
    """256 KiB of UTF-8 take up to six times as much as escaped text."""
    payload = character * (262_144 // len(character.encode()))

    for message in started(payload), Message(execution_arn=ARN, owner="m", event=TaskSucceeded("0", 3, payload)):
        text = message_text(message)

        assert len(text.encode()) < SQS_BYTES_MAX
        assert message_of(text) == message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "{}",
        '{"asl":1}',
        '{"asl":1,"execution":7,"owner":"m"}',
        '{"asl":1,"execution":"arn","owner":"m","event":"%%%"}',
        '{"asl":1,"execution":"arn","owner":"m","event":"aGVsbG8="}',
        '{"asl":1,"execution":"arn","owner":"m","start":{"bucket":"x"}}',
        '{"asl":1,"packed":"aGVsbG8="}',
        '{"Records":[{"eventSource":"aws:s3"}]}',
    ],
)
def test_a_foreign_text_is_refused(text: str) -> None:
    with pytest.raises(ForeignMessage):
        message_of(text)


def test_what_a_foreign_text_says_is_nobody_s_business() -> None:
    for text in ('{"password":"hunter2"}', '{"asl":1,"execution":["hunter2"]}', '{"password":"hunter2'):
        with pytest.raises(
            ForeignMessage, match=rf"\b{len(text)} characters, SHA-256 [0-9a-f]{{64}}; send only"
        ) as refused:
            message_of(text)
        assert "hunter2" not in str(refused.value)


def test_the_message_of_a_newer_engine_says_what_to_do() -> None:
    text = json.dumps({**json.loads(message_text(Message(execution_arn=ARN, owner="m"))), "asl": 2})

    with pytest.raises(ForeignMessage, match="version 2 and this asl-engine reads version 1"):
        message_of(text)
