"""Button clicks in Slack. A click counts only if Slack signed the very bytes that came within the last five minutes.

Slack's signature may be replayed within that window; the second time finds the answer given, so it changes nothing.
Slack wants an answer within three seconds. The vote is recorded first; telling the task and updating the message have a
deadline after that, behind which the answer stays due (see desk.py).
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs

from asl_engine.approvals.approval import Approval, Status, Vote
from asl_engine.approvals.desk import ApprovalDesk, Refused
from asl_engine.approvals.exchange import BODY_BYTES_MAX, PageRequest, PageResponse
from asl_engine.approvals.form import read_form
from asl_engine.approvals.links import Link, Links
from asl_engine.approvals.outgoing_http import HttpPost, http_post
from asl_engine.approvals.request import Approver
from asl_engine.approvals.slack_text import ACTION_PREFIX, message_after
from asl_engine.errors import InvalidLink, NotificationFailed
from asl_engine.json_value import JsonObject

WINDOW_SECONDS: Final = 300
# Of the three seconds, reading and writing the vote and the way from and to Slack have the rest.
_ANSWER_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 1.2
_UPDATE_SECONDS_MIN: Final = 0.5
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_log: Final = logging.getLogger(__name__)
_HEADERS: Final = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSecret:
    """The app's signing secret."""

    signing_secret: str = field(repr=False)
    response_host: str = "https://hooks.slack.com/"

    def has_signed(self, headers: Mapping[str, str], body: bytes, now_seconds: int) -> bool:
        """Whether Slack sent this body in the last five minutes."""
        timestamp, given = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
        if not _TIMESTAMP.fullmatch(timestamp) or abs(now_seconds - int(timestamp)) > WINDOW_SECONDS:
            return False
        expected = signature(self.signing_secret, timestamp, body)
        return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def signature(signing_secret: str, timestamp: str, body: bytes) -> str:
    """What X-Slack-Signature must be."""
    base = f"v0:{timestamp}:".encode() + body
    return "v0=" + hmac.new(signing_secret.encode(), base, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Click:
    """What a button click says."""

    token: str
    user_id: str
    user_name: str
    response_url: str


class SlackInteractions:
    """Answers POSTs from Slack. `now` gives epoch milliseconds."""

    def __init__(
        self, desk: ApprovalDesk, links: Links, secret: SlackSecret, now: Callable[[], int], post: HttpPost = http_post
    ) -> None:
        self._desk, self._links, self._secret, self._now, self._post = desk, links, secret, now, post

    async def handle(self, request: PageRequest) -> PageResponse:
        """The answer to Slack: empty, unless the request is none of Slack's."""
        if request.method != "POST":
            return _answer(405, "Slack posts here.")
        is_signed = self._secret.has_signed(request.headers, request.body, self._now() // 1000)
        if len(request.body) > BODY_BYTES_MAX or not is_signed:
            return _answer(401, "This request was not signed by Slack within the last five minutes.")
        click = _read_click(request.body)
        if click is not None:
            clock = asyncio.get_running_loop().time
            deadline = clock() + _ANSWER_SECONDS
            message = await self._said_to(click)
            await self._reply(click.response_url, message, max(deadline - clock(), _UPDATE_SECONDS_MIN))
        return _answer(200, "")

    async def _said_to(self, click: _Click) -> JsonObject:
        try:
            return await self._answer_click(click)
        except Exception:
            _log.exception("a click in Slack was not counted")
            return _to_clicker("Your answer could not be recorded. Please click again in a minute.")

    async def _answer_click(self, click: _Click) -> JsonObject:
        try:
            link = self._links.read(click.token)
        except InvalidLink:
            return _to_clicker("This button is not valid any more.")
        approval = await self._desk.find(link.approval_id)
        if approval is None or link.round > approval.round:
            return _to_clicker("The workflow no longer waits for this.")
        if approval.status is not Status.OPEN:
            return _message(approval)
        approver = _approver(approval, click)
        if approver is None or (link.recipient_id != approver.id and approval.approver(link.recipient_id) is not None):
            return _to_clicker("You are not among those who were asked.")
        return await self._vote(link, approval, approver)

    async def _vote(self, link: Link, approval: Approval, approver: Approver) -> JsonObject:
        values, problems = read_form(approval.request.form, {}, link.choice)
        if not link.choice or problems:
            return _to_clicker("This answer needs a form: open the page instead.")
        if self._now() >= link.expires_at * 1000:
            return _to_clicker("The time to decide is over.")
        vote = Vote(
            recipient_id=approver.id, by=approver.name, choice=link.choice, at=self._now(), via="slack", form=values
        )
        try:
            outcome = await self._desk.vote(approval.id, vote, patience_seconds=_PATIENCE_SECONDS)
        except Refused as refusal:
            return _to_clicker(f"Your answer was not counted: {refusal}.")
        return _message(outcome.approval)

    async def _reply(self, url: str, message: JsonObject, seconds: float) -> None:
        """Tell Slack what to show. The decision stands even if Slack cannot be reached."""
        if not url.startswith(self._secret.response_host):
            return
        body, headers = json.dumps(message).encode(), {"Content-Type": "application/json; charset=utf-8"}
        try:
            async with asyncio.timeout(seconds):  # the other is for each of connecting and reading
                answer = await self._post(url, body, headers, timeout_seconds=seconds)
        except (NotificationFailed, TimeoutError) as error:
            _log.warning("the Slack message was not updated: %s", error)
        else:
            if answer.status != 200:
                _log.warning("the Slack message was not updated: Slack answered %s", answer.status)


def _read_click(body: bytes) -> _Click | None:
    """A click on one of our buttons; None for whatever else Slack sends, as for a button that opens a page."""
    try:
        payload: Any = json.loads(parse_qs(body.decode("utf-8"), strict_parsing=True)["payload"][0])
        action = payload["actions"][0]
        if payload["type"] != "block_actions" or not action["action_id"].startswith(ACTION_PREFIX):
            return None
        user = payload["user"]
        click = _Click(
            token=action["value"],
            user_id=user["id"],
            user_name=user.get("name") or user.get("username") or user["id"],
            response_url=payload.get("response_url", ""),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
    texts = (click.token, click.user_id, click.user_name, click.response_url)
    return click if all(isinstance(text, str) for text in texts) else None


def _approver(approval: Approval, click: _Click) -> Approver | None:
    """Who clicked, among those asked; where nobody is named, everybody who can see the message is asked."""
    if not approval.approvers:
        return Approver(name=click.user_name, slack=click.user_id)
    return next((each for each in approval.approvers if each.slack == click.user_id), None)


def _message(approval: Approval) -> JsonObject:
    return {"replace_original": approval.status is not Status.OPEN, **message_after(approval)}


def _to_clicker(text: str) -> JsonObject:
    return {"response_type": "ephemeral", "replace_original": False, "text": text}


def _answer(status: int, text: str) -> PageResponse:
    return PageResponse(status=status, headers=_HEADERS, body=text)
