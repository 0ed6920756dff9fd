"""Slack: an incoming webhook, or a bot token, which reaches any channel and each approver.

With a bot token and a `channel` the message goes there; without, to each approver's own conversation with the bot.
https://docs.slack.dev/reference/methods/chat.postMessage
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from asl_engine.approvals.notice import ANYBODY, Notice
from asl_engine.approvals.outgoing_http import HttpAnswer, HttpPost, http_post
from asl_engine.approvals.request import ApprovalRequest, Approver, ChannelUse
from asl_engine.approvals.slack_text import message_of
from asl_engine.errors import NotificationFailed
from asl_engine.json_value import JsonObject

_TIMEOUT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackChannel:
    """Sends with the bot token if there is one, else to the incoming webhook."""

    bot_token: str = field(default="", repr=False)
    webhook_url: str = field(default="", repr=False)
    api_url: str = "https://slack.com/api"
    post: HttpPost = http_post

    def recipients(self, request: ApprovalRequest, use: ChannelUse) -> Sequence[Approver]:
        """Everybody with a member id; or whoever reads the channel."""
        if "channel" in use.options or not self.bot_token:
            return [ANYBODY]
        return [approver for approver in request.approvers if approver.slack]

    async def send(self, notice: Notice, use: ChannelUse) -> None:
        """See Channel.send."""
        message = message_of(notice)
        if not self.bot_token:
            answer = await self._post(self.webhook_url, message, {})
            if answer.status != 200:
                raise NotificationFailed(f"Slack's webhook answered {answer.status}: {_text(answer)}")
            return
        recipient = notice.recipient.slack if notice.recipient is not None else None
        message["channel"] = use.options.get("channel") or recipient
        answer = await self._post(
            f"{self.api_url}/chat.postMessage", message, {"Authorization": f"Bearer {self.bot_token}"}
        )
        try:
            told = json.loads(answer.body)
        except ValueError:
            told = {}
        if answer.status != 200 or told.get("ok") is not True:
            raise NotificationFailed(f"Slack did not take the message: {answer.status} {told.get('error', '')}")

    async def _post(self, url: str, message: JsonObject, headers: dict[str, str]) -> HttpAnswer:
        if not url:
            raise NotificationFailed("Slack is not configured: the notifier needs a bot token or a webhook's address")
        sent = {"Content-Type": "application/json; charset=utf-8", **headers}
        return await self.post(url, json.dumps(message).encode(), sent, timeout_seconds=_TIMEOUT_SECONDS)


def _text(answer: HttpAnswer) -> str:
    return answer.body[:200].decode("utf-8", "replace")
