"""A signed POST of JSON to an address of the notifier's configuration, for any other system.

The receiver verifies `X-Asl-Signature: v1=HEX`, the HMAC-SHA256 of `v1:TIMESTAMP:BODY` with the shared secret, and
refuses an old `X-Asl-Timestamp`, as it would for Slack.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from asl_engine.approvals.notice import ANYBODY, Notice
from asl_engine.approvals.outgoing_http import HttpPost, http_post
from asl_engine.approvals.request import ApprovalRequest, Approver, ChannelUse
from asl_engine.errors import NotificationFailed
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.json_value import JsonObject, dump_json

_TIMEOUT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where to, and the secret that both sides know."""

    url: str = field(repr=False)
    secret: bytes = field(repr=False)


class WebhookChannel:
    """Posts to the webhook that a payload names; the addresses are the configuration's, never a payload's."""

    def __init__(self, webhooks: Mapping[str, Webhook], now: Callable[[], int], post: HttpPost = http_post) -> None:
        self._webhooks, self._now, self._post = webhooks, now, post

    def recipients(self, request: ApprovalRequest, _use: ChannelUse) -> Sequence[Approver]:
        """One message for each approver, with their own links; one for all where none is named."""
        return request.approvers or [ANYBODY]

    async def send(self, notice: Notice, use: ChannelUse) -> None:
        """See Channel.send."""
        name = str(use.options.get("name", ""))
        webhook = self._webhooks.get(name)
        if webhook is None:
            raise NotificationFailed(
                f"no webhook is called {name!r}; configured: {', '.join(self._webhooks) or 'none'}"
            )
        body = dump_json(_body(notice)).encode()
        timestamp = str(self._now() // 1000)
        headers = {
            "Content-Type": "application/json",
            "X-Asl-Timestamp": timestamp,
            "X-Asl-Signature": signature(webhook.secret, timestamp, body),
        }
        answer = await self._post(webhook.url, body, headers, timeout_seconds=_TIMEOUT_SECONDS)
        if not 200 <= answer.status < 300:
            raise NotificationFailed(f"the webhook {name} answered {answer.status}")


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """What X-Asl-Signature must be."""
    return "v1=" + hmac.new(secret, f"v1:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()


def _body(notice: Notice) -> JsonObject:
    request, recipient = notice.request, notice.recipient
    body: JsonObject = {
        "type": "approval" if notice.links is not None else "message",
        "reminder": notice.is_reminder,
        "title": request.title,
        "message": request.message,
        "details": [{"label": each.label, "value": each.value, "previous": each.previous} for each in request.details],
    }
    if recipient is not None and recipient is not ANYBODY:
        body["recipient"] = {"name": recipient.name, "email": recipient.email, "slack": recipient.slack}
    if request.deadline is not None:
        body["deadline"] = format_timestamp(request.deadline)
    if notice.links is not None:
        body["page"] = notice.links.page
        body["choices"] = [
            {"id": option.id, "label": option.label, "url": notice.links.choices[option.id]}
            for option in request.choices
        ]
    return body
