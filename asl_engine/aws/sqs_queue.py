"""The queue on SQS, with EventBridge Scheduler for what lies further ahead than SQS can hold a message back.

A schedule is as exact as a minute, so it puts the message into the queue a minute early, and whoever gets it holds it
back for the rest. A schedule is named after what it is for: asked for twice, it exists once.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from asl_engine.aws.service_clock import ServiceClock, watch
from asl_engine.aws.settings import Settings
from asl_engine.errors import AslError, QueueUnavailable
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.integrations.aws_errors import call_errors, error_code, error_message, is_transient
from asl_engine.integrations.aws_session import AwsClients
from asl_engine.runtime.queued.message_text import message_of, message_text
from asl_engine.runtime.queued.ports import Backlog, Message, Received

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
DELAY_SECONDS_MAX: Final = 900
_REASON_LENGTH_MAX: Final = 1_000
_REASON: Final = "Reason"
_BATCH_MAX: Final = 10
_SCHEDULED_EARLY_MILLISECONDS: Final = 60_000
_PAUSES_SECONDS: Final = (0.1, 0.4, 1.6)
# The message was acknowledged meanwhile, or is in other hands: there is nothing to extend.
_NOT_OURS: Final = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight"})


class MessageTooLarge(AslError):
    """SQS takes no message of this size."""


class SqsQueue:
    """A `MessageQueue`. Sending is repeated while the service refuses for now: a message twice does no harm."""

    def __init__(
        self,
        clients: AwsClients,
        settings: Settings,
        clock: ServiceClock,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clients, self._settings, self._clock, self._pause = clients, settings, clock, pause
        self._watched: set[int] = set()

    async def send(self, message: Message) -> None:
        """See MessageQueue."""
        await self._put(message, 0)

    async def send_at(self, message: Message, at: int, now: int) -> None:
        """See MessageQueue."""
        delay_seconds = max(0, math.ceil((at - now) / 1000))
        if delay_seconds <= DELAY_SECONDS_MAX:
            await self._put(message, delay_seconds)
        else:
            await self._schedule(message, at)

    async def extend(self, receipts: Sequence[str], seconds: int) -> None:
        """See MessageQueue. One request for each ten."""
        failed = [
            entry
            for start in range(0, len(receipts), _BATCH_MAX)
            for entry in await self._extend(receipts[start : start + _BATCH_MAX], seconds)
            if entry["Code"].rpartition(".")[2] not in _NOT_OURS
        ]
        if failed:
            why = f"{failed[0]['Code']}: {failed[0].get('Message', '')}"
            raise QueueUnavailable(f"sqs kept {len(failed)} of {len(receipts)} messages no longer: {why}")

    async def backlog(self) -> Backlog:
        """See MessageQueue."""
        waiting, in_hand = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
        url = self._settings.queue_url
        answer = await self._call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=[waiting, in_hand])
        told = answer["Attributes"]
        return Backlog(waiting=int(told[waiting]), in_hand=int(told[in_hand]))

    async def receive(self, *, messages_max: int, wait_seconds: int) -> list[dict[str, Any]]:
        """Records as Lambda gets them, for a process that polls by itself. Raises QueueUnavailable."""
        answer = await self._call(
            "sqs",
            "receive_message",
            QueueUrl=self._settings.queue_url,
            MaxNumberOfMessages=messages_max,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
        return [
            {
                "messageId": each["MessageId"],
                "receiptHandle": each["ReceiptHandle"],
                "body": each["Body"],
                "attributes": each["Attributes"],
            }
            for each in answer.get("Messages", ())
        ]

    async def acknowledge(self, receipt: str) -> None:
        """Delete a message, for a process that polls by itself. Raises QueueUnavailable."""
        await self._call("sqs", "delete_message", QueueUrl=self._settings.queue_url, ReceiptHandle=receipt)

    async def set_aside(self, received: Received, reason: str) -> None:
        """Put a message among the dead letters. Raises QueueUnavailable."""
        await self.set_text_aside(message_text(received.message), reason)

    async def set_text_aside(self, body: str, reason: str) -> None:
        """Put a body among the dead letters, with a reason if there is room for one. Raises QueueUnavailable."""
        said = reason.encode("unicode_escape").decode("ascii")[:_REASON_LENGTH_MAX]
        fits = len(body.encode()) + 2 * _REASON_LENGTH_MAX <= self._settings.queue_message_bytes_max
        await self._call(
            "sqs",
            "send_message",
            QueueUrl=self._settings.dead_letters_url,
            MessageBody=body,
            MessageAttributes={_REASON: {"DataType": "String", "StringValue": said}} if fits else {},
        )

    async def _extend(self, receipts: Sequence[str], seconds: int) -> Sequence[Mapping[str, str]]:
        """What failed."""
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for number, receipt in enumerate(receipts)
        ]
        url = self._settings.queue_url
        answer = await self._call("sqs", "change_message_visibility_batch", QueueUrl=url, Entries=entries)
        failed: Sequence[Mapping[str, str]] = answer.get("Failed", ())
        return failed

    async def _put(self, message: Message, delay_seconds: int) -> None:
        await self._call(
            "sqs",
            "send_message",
            QueueUrl=self._settings.queue_url,
            MessageBody=self._body(message),
            DelaySeconds=delay_seconds,
        )

    async def _schedule(self, message: Message, at: int) -> None:
        early = format_timestamp((at - _SCHEDULED_EARLY_MILLISECONDS) // 1000 * 1000)
        name = schedule_name(message, at)
        dead_letters = self._settings.dead_letters_arn
        try:
            await self._call(
                "scheduler",
                "create_schedule",
                Name=name,
                GroupName=self._settings.scheduler_group,
                ClientToken=name,
                ScheduleExpression=f"at({early.partition('.')[0].rstrip('Z')})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self._settings.queue_arn,
                    "RoleArn": self._settings.scheduler_role_arn,
                    "Input": self._body(message),
                    **({"DeadLetterConfig": {"Arn": dead_letters}} if dead_letters else {}),
                },
            )
        except QueueUnavailable as error:
            if _code_of(error) != "ConflictException":  # else it exists already
                raise

    def _body(self, message: Message) -> str:
        text, bytes_max = message_text(message), self._settings.queue_message_bytes_max
        if len(text) > bytes_max:  # it is ASCII
            raise MessageTooLarge(
                f"a message for {message.execution_arn} has {len(text)} bytes, and SQS takes {bytes_max}: "
                "keep large data in S3 and pass its key"
            )
        return text

    async def _call(self, service: str, method: str, **members: Any) -> Any:
        """Call, and call again after a pause while the service only refuses for now. Raises QueueUnavailable."""
        for pause in (*_PAUSES_SECONDS, None):
            try:
                return await getattr(await self._client(service), method)(**members)
            except call_errors() as error:
                if pause is None or not is_transient(error):
                    raise QueueUnavailable(f"{service} {method} failed: {error_message(error)}") from error
            await self._pause(pause)
        raise AssertionError("the last round returns or raises")

    async def _client(self, service: str) -> Any:
        client = await self._clients.client(service)
        if id(client) not in self._watched:
            self._watched.add(id(client))
            watch(client, self._clock)
        return client


def read_record(record: Mapping[str, Any]) -> Received:
    """A message as SQS delivers it to Lambda. Raises AslError for a body that is none of ours."""
    attributes = record["attributes"]
    return Received(
        message=message_of(record["body"]),
        id=record["messageId"],
        receipt=record["receiptHandle"],
        deliveries=int(attributes["ApproximateReceiveCount"]),
        sent_at=int(attributes["SentTimestamp"]),
    )


def schedule_name(message: Message, at: int) -> str:
    """The same for the same timer, and for no other: 64 characters at most."""
    named = f"{message.execution_arn}\n{message.owner}\n{at}".encode("utf-8", "surrogatepass")
    return f"asl-{hashlib.sha256(named).hexdigest()[:56]}"


def _code_of(error: QueueUnavailable) -> str:
    """The service's error code; empty if it did not answer."""
    return error_code(error.__cause__) if isinstance(error.__cause__, Exception) else ""
