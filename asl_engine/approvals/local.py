"""Approvals on this machine: the notifier's tasks are performed here, its mail is captured, its tokens answered."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from asl_engine.api.service import StepFunctions
from asl_engine.approvals.answers import TaskIsOver
from asl_engine.approvals.approval import Approval
from asl_engine.approvals.desk import ApprovalDesk
from asl_engine.approvals.email_text import email_of
from asl_engine.approvals.links import Links
from asl_engine.approvals.notice import ANYBODY, Notice
from asl_engine.approvals.notifier import Notifier
from asl_engine.approvals.pages import ApprovalPages
from asl_engine.approvals.request import ApprovalRequest, Approver, ChannelUse
from asl_engine.approvals.signing import SigningKeys
from asl_engine.approvals.store_answers import is_waited_for
from asl_engine.errors import AslError, Conflict, InvalidToken, TaskDoesNotExist, TaskTimedOut
from asl_engine.runtime.callables import PythonTasks
from asl_engine.runtime.tasks import TaskCall, TaskResult, bare_function_name
from asl_engine.store.opening import days_kept
from asl_engine.store.resources import ResourceStore, created

NOTIFIER: Final = "notifier"
SENDER: Final = "approvals@localhost"
_KEY_KIND: Final = "ApprovalKey"
_KEY_NAME: Final = "local"
_MAILS_MAX: Final = 200
_DELIVERY_SECONDS: Final = 5.0
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedMail:
    """A message that would have been sent. `at` is epoch milliseconds."""

    number: int
    at: int
    to: str
    subject: str
    text: str
    html: str


class Outbox:
    """A channel that keeps the newest messages, whatever channel they were for, and announces each."""

    def __init__(self, now: Callable[[], int], announce: Callable[[Notice], None]) -> None:
        self.mails: deque[CapturedMail] = deque(maxlen=_MAILS_MAX)
        self._now, self._announce, self._count = now, announce, 0

    def recipients(self, request: ApprovalRequest, use: ChannelUse) -> Sequence[Approver]:
        """Everybody, or a channel as a whole."""
        return [ANYBODY] if "channel" in use.options else request.approvers or [ANYBODY]

    async def send(self, notice: Notice, _use: ChannelUse) -> None:
        """See Channel.send."""
        email = email_of(notice, SENDER)
        text, html = email.get_body(("plain",)), email.get_body(("html",))
        assert text is not None, "an email has a text"
        assert html is not None, "and HTML"
        self._count += 1
        recipient = notice.recipient or ANYBODY
        self.mails.append(
            CapturedMail(
                number=self._count,
                at=self._now(),
                to=recipient.name if recipient.email is None else f"{recipient.name} <{recipient.email}>",
                subject=notice.subject,
                text=text.get_content(),
                html=html.get_content(),
            )
        )
        self._announce(notice)


class ServiceAnswers:
    """TaskAnswers through a service in this process."""

    def __init__(self, service: StepFunctions) -> None:
        self._service = service

    async def send_task_success(self, task_token: str, output: str) -> None:
        """See TaskAnswers."""
        await self._call("SendTaskSuccess", taskToken=task_token, output=output)

    async def send_task_failure(self, task_token: str, error: str, cause: str) -> None:
        """See TaskAnswers."""
        await self._call("SendTaskFailure", taskToken=task_token, error=error, cause=cause)

    async def is_waited_for(self, approval: Approval) -> bool:
        """See TaskAnswers."""
        return await is_waited_for(self._service.executions, approval)

    async def _call(self, operation: str, **members: str) -> None:
        try:
            await self._service.call(operation, members)
        except (TaskTimedOut, TaskDoesNotExist, InvalidToken) as error:
            raise TaskIsOver(str(error)) from error


class LocalApprovals:
    """Performs `lambda:invoke` of any function that is called `name`, or whose name ends with a dash and it."""

    def __init__(self, announce: Callable[[Notice], None], name: str = NOTIFIER) -> None:
        self._announce, self._name = announce, name
        self._service: StepFunctions | None = None
        self._notifier: Notifier | None = None
        self._delivering: asyncio.Task[None] | None = None
        self.outbox: Outbox | None = None
        self.pages: ApprovalPages | None = None

    async def open(self, service: StepFunctions, base_url: str) -> None:
        """Begin to work for a service, with links that begin with this address; and to send answers that are due."""
        days, answers = days_kept(service.executions), ServiceAnswers(service)
        desk = ApprovalDesk(service.resources, answers, service.clock.now, days)
        links = Links(await _local_keys(service.resources))
        outbox = Outbox(service.clock.now, self._announce)
        channels = {"email": outbox, "slack": outbox, "webhook": outbox}
        self._notifier = Notifier(desk, links, channels, base_url)
        self._service, self.outbox, self.pages = service, outbox, ApprovalPages(desk, links)
        self._delivering = asyncio.create_task(_deliver(desk))

    def handles(self, call: TaskCall) -> bool:
        """Whether the call is for the notifier."""
        name = bare_function_name(call.function_name)
        return bool(self._name) and (name == self._name or name.endswith(f"-{self._name}"))

    async def perform(self, call: TaskCall) -> TaskResult:
        """See `TaskPerformer.perform`."""
        assert self._service is not None, "open before tasks are performed"
        assert self._notifier is not None, "open makes both"
        tasks = PythonTasks({call.attempt.state_name: self._notifier.handle}, self._service.clock)
        return await tasks.perform(call)

    async def close(self) -> None:
        """Send nothing more: what is still due is sent when the store is served again."""
        if self._delivering is not None:
            self._delivering.cancel()
            await asyncio.gather(self._delivering, return_exceptions=True)


async def _deliver(desk: ApprovalDesk) -> None:
    while True:
        try:
            await desk.deliver_due()
        except AslError as error:
            _log.warning("answers that may be due cannot be read: %s", error)
        await asyncio.sleep(_DELIVERY_SECONDS)


async def _local_keys(resources: ResourceStore) -> SigningKeys:
    """The key kept beside the executions, so that links outlive the server. Whoever comes first makes it."""
    kept = await resources.get(_KEY_KIND, _KEY_NAME)
    if kept is None:
        keys = f"local:{secrets.token_hex(32)}"
        try:
            await resources.write(created(_KEY_KIND, _KEY_NAME, {"keys": keys}))
        except Conflict:
            return await _local_keys(resources)
        return SigningKeys.parse(keys)
    return SigningKeys.parse(kept.document["keys"])
