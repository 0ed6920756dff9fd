"""What Slack posts when somebody clicks a button."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from asl_engine.approvals.exchange import PageRequest
from asl_engine.approvals.slack_interactions import signature
from tests.approvals.office import SIGNING_SECRET

RESPONSE_URL = "https://hooks.slack.com/actions/T1/2/3"


def click(link: str, user: str, name: str = "ada.l", response_url: str = RESPONSE_URL, **action: object) -> bytes:
    """The body of a block_actions request."""
    payload = {
        "type": "block_actions",
        "user": {"id": user, "username": name, "name": name},
        "response_url": response_url,
        "actions": [{"type": "button", "action_id": "approval:approve", "value": link, **action}],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def posted(body: bytes, timestamp: int, secret: str = SIGNING_SECRET) -> PageRequest:
    """The request, signed at that second."""
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": str(timestamp),
        "x-slack-signature": signature(secret, str(timestamp), body),
    }
    return PageRequest(method="POST", path="slack", headers=headers, body=body)
