"""Approvals in memory: a clock that tests move, people whose mail is kept, and tasks that notice a second answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from asl_engine.approvals.answers import TaskAnswers, TaskIsOver
from asl_engine.approvals.approval import Approval
from asl_engine.approvals.desk import ApprovalDesk
from asl_engine.approvals.exchange import PageRequest, PageResponse
from asl_engine.approvals.links import Links
from asl_engine.approvals.notice import Channel, Notice
from asl_engine.approvals.notifier import Notifier
from asl_engine.approvals.pages import ApprovalPages
from asl_engine.approvals.payload import approval_scope
from asl_engine.approvals.request import ApprovalRequest, Approver, ChannelUse
from asl_engine.approvals.signing import SigningKeys
from asl_engine.approvals.slack_interactions import SlackInteractions, SlackSecret
from asl_engine.errors import NotificationFailed
from asl_engine.json_value import JsonObject, parse_json
from asl_engine.store.memory_resources import MemoryResources
from asl_engine.store.resources import ResourceStore
from tests.approvals.posting import Posted

NOON = 1_800_000_000_000
KEYS = "k1:" + "5a" * 32
BASE_URL = "https://approvals.example.com/approvals"
SIGNING_SECRET = "slack signing secret"
ADA, BO, CY = "ada@example.com", "bo@example.com", "cy@example.com"
FORM = {"content-type": "application/x-www-form-urlencoded", "host": "approvals.example.com"}
_T = TypeVar("_T")


class Tasks:
    """Task tokens: open until they are answered. `answers` are those that were taken, in order."""

    def __init__(self) -> None:
        self.over: set[str] = set()
        self.answers: list[tuple[str, str, Any]] = []
        self.refused = 0
        self.failure: Exception | None = None
        self.known_over: set[str] = set()  # tokens, and executions of which further rounds might come
        self.lost: set[str] = set()  # tokens that nothing reaches
        self.seconds = 0.0  # how long each takes

    async def is_waited_for(self, approval: Approval) -> bool:
        asked_of = approval_scope(approval.payload) if approval.is_shared else approval.task_token
        return asked_of not in self.known_over

    async def send_task_success(self, task_token: str, output: str) -> None:
        await asyncio.sleep(self.seconds)
        self._take(task_token, "", output)

    async def send_task_failure(self, task_token: str, error: str, cause: str) -> None:
        await asyncio.sleep(self.seconds)
        self._take(task_token, error, cause)

    def _take(self, token: str, error: str, text: str) -> None:
        if self.failure is not None:
            raise self.failure
        if token in self.lost:
            raise ConnectionError("no route")
        if token in self.over:
            self.refused += 1
            raise TaskIsOver
        self.over.add(token)
        self.answers.append((token, error, parse_json(text)))


class Mail:
    """A channel that keeps what it is given, except for those who cannot be reached."""

    def __init__(self) -> None:
        self.sent: list[Notice] = []
        self.unreachable: set[str | None] = set()

    def recipients(self, request: ApprovalRequest, _use: ChannelUse) -> Sequence[Approver]:
        return [approver for approver in request.approvers if approver.email]

    async def send(self, notice: Notice, _use: ChannelUse) -> None:
        assert notice.recipient is not None
        if notice.recipient.email in self.unreachable:
            raise NotificationFailed("the mailbox is full")
        self.sent.append(notice)

    def to(self, email: str) -> Notice:
        """The newest message to an address."""
        return next(n for n in reversed(self.sent) if n.recipient is not None and n.recipient.email == email)


class Office:
    """All parts put together."""

    def __init__(
        self,
        resources: ResourceStore | None = None,
        channels: Mapping[str, Channel] | None = None,
        answers: TaskAnswers | None = None,
        expire_days: int | None = None,
    ) -> None:
        self.time = NOON
        self.tasks, self.mail, self.posted = Tasks(), Mail(), Posted()
        self.resources = resources or MemoryResources()
        self.links = Links(SigningKeys.parse(KEYS))
        self.desk = ApprovalDesk(self.resources, answers or self.tasks, self.now, expire_days)
        self.notifier = Notifier(self.desk, self.links, {"email": self.mail, **(channels or {})}, BASE_URL)
        slack = SlackInteractions(
            self.desk, self.links, SlackSecret(signing_secret=SIGNING_SECRET), self.now, self.posted
        )
        self.pages = ApprovalPages(self.desk, self.links, slack)

    def now(self) -> int:
        return self.time

    def pass_time(self, seconds: float) -> None:
        self.time += round(seconds * 1000)

    def ask(self, task_token: str = "token-1", **members: Any) -> JsonObject:
        return run(self.notifier.handle(asking(task_token, **members)))

    def tell(self, payload: JsonObject) -> JsonObject:
        return run(self.notifier.handle(payload))

    def link(self, email: str = ADA, choice: str = "") -> str:
        """The newest link that somebody got, without the address before it."""
        links = self.mail.to(email).links
        assert links is not None
        return (links.choices[choice] if choice else links.page).removeprefix(f"{BASE_URL}/")

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> PageResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return run(self.pages.handle(PageRequest(method=method, path=path, headers=named, body=body)))

    def visit(self, path: str) -> PageResponse:
        return self.request("GET", path)

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> PageResponse:
        named = {**FORM, **{name.replace("_", "-"): value for name, value in headers.items()}}
        request = PageRequest(method="POST", path=path, headers=named, body=urlencode(fields).encode())
        return run(self.pages.handle(request))

    def answer(self, path: str, choice: str = "approve", **fields: str) -> PageResponse:
        """Visit a link and press a button of its page."""
        return self.post(path, {"nonce": nonce_of(self.visit(path)), "choice": choice, **fields})

    def approval(self) -> Approval:
        """The only one there is."""
        (approval,) = run(self.desk.all())
        return approval


def asking(task_token: str = "token-1", **members: Any) -> JsonObject:
    """A notifier's payload."""
    return {"taskToken": task_token, "title": "Deploy model 7?", "approvers": [ADA], **members}


def nonce_of(page: PageResponse) -> str:
    found = re.search(r'name="nonce" value="([^"]+)"', page.body)
    assert found, f"{page.status}: {page.body}"
    return found[1]


def heading_of(page: PageResponse) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.body)
    assert found, page.body
    return found[1]


def run(work: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run(work)
