from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from asl_engine.aws.ports import Ports, open_ports
from asl_engine.aws.service_clock import ServiceClock
from asl_engine.aws.sqs_queue import MessageTooLarge, SqsQueue, read_record, schedule_name
from asl_engine.errors import ForeignMessage, QueueUnavailable
from asl_engine.integrations.aws_session import AwsClients
from asl_engine.interpreter.events import StopRequested, TaskSucceeded
from asl_engine.runtime.queued.message_text import message_of
from asl_engine.runtime.queued.ports import Backlog, Message
from tests.aws.emulator import REGION, Emulator

NOON = 1_700_000_000_000
ARN = "arn:aws:states:eu-west-1:123456789012:execution:orders:run"
TIMER = Message(execution_arn=ARN, owner="m1", timer_at=NOON)


def on_queue(aws: Emulator, name: str, story: Callable[[Ports], Awaitable[None]], **changed: str) -> None:
    async def run() -> None:
        ports = open_ports(aws.deploy(name) | changed)
        try:
            await asyncio.wait_for(story(ports), 60)
        finally:
            await ports.close()

    asyncio.run(run())


async def received(queue: SqsQueue) -> list[dict[str, Any]]:
    return await queue.receive(messages_max=10, wait_seconds=0)


def test_a_message_comes_back_as_it_was_sent_and_is_gone_once_acknowledged(aws: Emulator) -> None:
    async def story(ports: Ports) -> None:
        sent = Message(execution_arn=ARN, owner="m1", event=TaskSucceeded("0", 3, {"name": "Zoë 🙂 \u0000\uffff"}))
        await ports.queue.send(sent)

        (record,) = await received(ports.queue)
        read = read_record(record)
        assert (read.message, read.deliveries) == (sent, 1)
        assert abs(read.sent_at - ports.clock.now()) < 60_000
        assert await received(ports.queue) == []  # it is held back from others
        await ports.queue.extend([read.receipt], 0)
        (again,) = await received(ports.queue)
        assert read_record(again).deliveries == 2
        await ports.queue.acknowledge(again["receiptHandle"])
        await ports.queue.extend([again["receiptHandle"], "no receipt"], 0)  # too late, and no harm
        assert await received(ports.queue) == []

    on_queue(aws, "sent", story)


def test_messages_are_extended_ten_at_a_time(aws: Emulator) -> None:
    async def story(ports: Ports) -> None:
        for number in range(11):
            await ports.queue.send(Message(execution_arn=ARN, owner=f"m{number}"))
        records: list[dict[str, Any]] = []
        while len(records) < 11:
            records += await received(ports.queue)
        requests: list[str] = []
        client = await ports.clients.client("sqs")
        client.meta.events.register("before-send.sqs", lambda event_name, **_: requests.append(event_name))
        await ports.queue.extend([each["receiptHandle"] for each in records], 0)

        assert requests == ["before-send.sqs.ChangeMessageVisibilityBatch"] * 2
        again = [*await received(ports.queue), *await received(ports.queue)]
        assert {each["messageId"] for each in again} == {each["messageId"] for each in records}

    on_queue(aws, "extended", story)


def test_what_waits_and_what_is_in_flight_is_counted_and_what_is_held_back_is_not(aws: Emulator) -> None:
    async def story(ports: Ports) -> None:
        for number in range(3):
            await ports.queue.send(Message(execution_arn=ARN, owner=f"m{number}"))
        await ports.queue.send_at(TIMER, NOON + 600_000, NOON)
        assert await ports.queue.backlog() == Backlog(waiting=3, in_hand=0)
        await ports.queue.receive(messages_max=1, wait_seconds=0)
        assert await ports.queue.backlog() == Backlog(waiting=2, in_hand=1)

    on_queue(aws, "backlog", story)


@pytest.mark.parametrize(("code", "is_told"), [("ReceiptHandleIsInvalid", False), ("InternalError", True)])
def test_only_a_message_that_is_still_ours_must_be_extended(code: str, is_told: bool) -> None:
    calls = Calls(answer={"Successful": [{"Id": "0"}], "Failed": [{"Id": "1", "Code": code, "Message": "no"}]})
    extending = queue_on(calls).extend(["mine", "other"], 60)
    if is_told:
        with pytest.raises(QueueUnavailable, match=r"^sqs kept 1 of 2 messages no longer: InternalError: no$"):
            asyncio.run(extending)
    else:
        asyncio.run(extending)

    ((operation, members),) = calls.calls
    assert operation == "change_message_visibility_batch"
    assert [(each["ReceiptHandle"], each["VisibilityTimeout"]) for each in members["Entries"]] == [
        ("mine", 60),
        ("other", 60),
    ]


class Calls:
    """Clients that keep what they are called with, and answer nothing or an error."""

    def __init__(self, *errors: Exception, answer: dict[str, Any] | None = None) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._errors, self._answer = list(errors), answer or {}
        self.meta = self.events = self

    async def client(self, _service: str) -> Calls:
        return self

    def register(self, *_hook: object) -> None:
        """Nobody answers here."""

    def __getattr__(self, operation: str) -> Callable[..., Awaitable[dict[str, Any]]]:
        async def call(**members: Any) -> dict[str, Any]:
            self.calls.append((operation, members))
            if self._errors:
                raise self._errors.pop(0)
            return self._answer

        return call


def queue_on(calls: Calls, pauses: list[float] | None = None, **environment: str) -> SqsQueue:
    from asl_engine.aws.settings import Settings
    from tests.aws.test_settings import ENVIRONMENT

    async def pause(seconds: float) -> None:
        (pauses if pauses is not None else []).append(seconds)

    settings = Settings.from_environment(ENVIRONMENT | environment)
    return SqsQueue(calls, settings, ServiceClock(), pause=pause)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("milliseconds", "delay_seconds"),
    [(-5_000, 0), (0, 0), (1, 1), (1_000, 1), (1_001, 2), (899_001, 900), (900_000, 900)],
)
def test_up_to_a_quarter_of_an_hour_the_queue_holds_a_message_back_itself(
    milliseconds: int, delay_seconds: int
) -> None:
    """Rounded up: a timer may not come early."""
    calls = Calls()
    asyncio.run(queue_on(calls).send_at(TIMER, NOON + milliseconds, NOON))

    ((operation, members),) = calls.calls
    assert (operation, members["DelaySeconds"]) == ("send_message", delay_seconds)
    assert message_of(members["MessageBody"]) == TIMER


def test_what_lies_further_ahead_is_scheduled_a_minute_early(aws: Emulator) -> None:
    async def story(ports: Ports) -> None:
        at = NOON + 400 * 86_400_000 + 1_234
        message = Message(execution_arn=ARN, owner="m1", timer_at=at)
        await ports.queue.send_at(message, at, NOON)
        await ports.queue.send_at(message, at, NOON)  # asked for twice, it exists once

        scheduler = aws.client("scheduler")
        (listed,) = scheduler.list_schedules(GroupName="scheduled")["Schedules"]
        schedule = scheduler.get_schedule(GroupName="scheduled", Name=listed["Name"])
        assert listed["Name"] == schedule_name(message, at)
        moment = datetime.strptime(schedule["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)
        assert moment.timestamp() * 1000 == at - 60_000 - 234
        assert schedule["ScheduleExpressionTimezone"] == "UTC"
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert schedule["ActionAfterCompletion"] == "DELETE"
        assert schedule["Target"]["Arn"] == f"arn:aws:sqs:{REGION}:123456789012:scheduled"
        assert schedule["Target"]["DeadLetterConfig"]["Arn"] == f"arn:aws:sqs:{REGION}:123456789012:scheduled-dead"
        assert schedule["Target"]["RoleArn"] == "arn:aws:iam::123456789012:role/tests"
        assert message_of(schedule["Target"]["Input"]) == message
        assert await received(ports.queue) == []

    on_queue(aws, "scheduled", story)


def test_a_schedule_is_named_after_what_it_is_for() -> None:
    others = [
        schedule_name(TIMER, NOON + 1),
        schedule_name(Message(execution_arn=ARN, owner="m2", timer_at=NOON), NOON),
        schedule_name(Message(execution_arn=f"{ARN}2", owner="m1", timer_at=NOON), NOON),
    ]

    name = schedule_name(TIMER, NOON)
    assert len({name, *others}) == 4
    assert len(name) <= 64
    assert name.replace("-", "").isalnum()


def service_error(code: str, status: int) -> Exception:
    from botocore.exceptions import ClientError

    answer: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error: Exception = ClientError(answer, "SendMessage")
    return error


def test_what_is_refused_for_now_is_asked_again() -> None:
    calls = Calls(service_error("ThrottlingException", 400), service_error("InternalError", 500))
    pauses: list[float] = []
    asyncio.run(queue_on(calls, pauses).send(TIMER))

    assert len(calls.calls) == 3
    assert pauses == sorted(pauses)
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("errors", "asked"),
    [
        ([service_error("AccessDenied", 403)], 1),
        ([service_error("InternalError", 503)] * 4, 4),
        ([OSError("no way")] * 4, 4),
    ],
)
def test_a_queue_that_takes_nothing_is_unavailable(errors: list[Exception], asked: int) -> None:
    calls = Calls(*errors)
    with pytest.raises(QueueUnavailable, match=r"^sqs send_message failed: no"):
        asyncio.run(queue_on(calls).send(TIMER))

    assert len(calls.calls) == asked


def test_what_may_be_the_largest_event_fits(aws: Emulator) -> None:
    """AWS admits 256 KiB of payload, whatever the characters."""

    async def story(ports: Ports) -> None:
        for character in ("x", "\u0001", "é", "€", "🙂", "\uffff"):
            output = character * (262_144 // len(json.dumps(character, ensure_ascii=False).encode()))
            await ports.queue.send(Message(execution_arn=ARN, owner="m1", event=TaskSucceeded("0", 1, output)))
            (record,) = await received(ports.queue)
            event = read_record(record).message.event
            assert isinstance(event, TaskSucceeded)
            assert event.output == output

    on_queue(aws, "large", story)


@pytest.mark.parametrize("bytes_max", [1_048_576, 262_144])
def test_a_message_that_sqs_would_not_take_is_refused_before_it_is_sent(bytes_max: int) -> None:
    import random

    noise = random.Random(1).randbytes(bytes_max * 9 // 8).hex()
    calls, message = Calls(), Message(execution_arn=ARN, owner="m1", event=StopRequested(noise, ""))
    queue = queue_on(calls, ASL_QUEUE_MESSAGE_BYTES_MAX=str(bytes_max))
    with pytest.raises(MessageTooLarge, match=rf"has \d+ bytes, and SQS takes {bytes_max}: keep large data in S3"):
        asyncio.run(queue.send(message))

    assert calls.calls == []


def test_where_there_are_no_dead_letters_a_schedule_names_none() -> None:
    calls = Calls()
    asyncio.run(queue_on(calls).send_at(TIMER, NOON + 901_000, NOON))

    ((operation, members),) = calls.calls
    assert (operation, "DeadLetterConfig" in members["Target"]) == ("create_schedule", False)


@pytest.mark.parametrize(
    ("length", "reason"), [(20, {"Reason": {"DataType": "String", "StringValue": "no\\x1b"}}), (261_000, {})]
)
def test_what_is_set_aside_says_why_unless_it_is_as_large_as_a_message_may_be(
    length: int, reason: dict[str, dict[str, str]]
) -> None:
    calls, body = Calls(), "x" * length
    queue = queue_on(calls, ASL_QUEUE_MESSAGE_BYTES_MAX="262144", ASL_DEAD_LETTERS_URL="https://sqs/dead")
    asyncio.run(queue.set_text_aside(body, "no\x1b"))

    members = {"QueueUrl": "https://sqs/dead", "MessageBody": body, "MessageAttributes": reason}
    assert calls.calls == [("send_message", members)]


def test_a_message_that_is_set_aside_can_be_sent_again(aws: Emulator) -> None:
    async def story(ports: Ports) -> None:
        await ports.queue.send(TIMER)
        (record,) = await received(ports.queue)
        await ports.queue.set_aside(read_record(record), "StoreCorrupt: its body is missing")
        answer = aws.client("sqs").receive_message(
            QueueUrl=ports.settings.dead_letters_url, MessageAttributeNames=["All"]
        )
        (dead,) = answer["Messages"]
        assert message_of(dead["Body"]) == TIMER
        assert dead["MessageAttributes"]["Reason"]["StringValue"] == "StoreCorrupt: its body is missing"

    on_queue(aws, "set-aside", story)


def test_a_body_of_somebody_else_is_refused() -> None:
    with pytest.raises(ForeignMessage):
        read_record({"body": "{}", "receiptHandle": "r", "attributes": {}})


def test_what_time_the_service_has_is_told_to_the_clock(aws: Emulator) -> None:
    async def story(ports: Ports) -> None:
        told: list[int] = []
        ports.clock.observe = told.append  # type: ignore[method-assign, assignment]
        await ports.queue.send(TIMER)
        assert told
        assert abs(told[-1] - ports.clock.now()) < 60_000

    on_queue(aws, "timed", story)


def test_no_request_carries_the_trace_of_the_invocation_that_makes_it(
    aws: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "engine")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")

    async def story(ports: Ports) -> None:
        sent: list[dict[str, Any]] = []
        client = await ports.clients.client("sqs")
        client.meta.events.register("before-send.sqs", lambda request, **_: sent.append(dict(request.headers)))
        await ports.queue.send(TIMER)
        assert sent
        assert all("x-amzn-trace-id" not in {name.lower() for name in headers} for headers in sent)

    on_queue(aws, "untraced", story)


def test_endpoints_that_are_none_are_told() -> None:
    from asl_engine.errors import AslError

    with pytest.raises(AslError, match="is no URL"):
        AwsClients(environ={"AWS_ENDPOINT_URL": "elsewhere"})
