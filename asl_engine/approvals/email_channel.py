"""Email through Amazon SES."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from asl_engine.approvals.aws_clients import aws_client
from asl_engine.approvals.email_text import email_of
from asl_engine.approvals.notice import Notice
from asl_engine.approvals.request import ApprovalRequest, Approver, ChannelUse
from asl_engine.errors import NotificationFailed


class EmailChannel:
    """Sends with SES version 2, from one address that SES has verified."""

    def __init__(self, sender: str, *, endpoint_url: str | None = None, region: str | None = None) -> None:
        self._sender, self._endpoint_url, self._region = sender, endpoint_url, region
        self._client: Any = None

    def recipients(self, request: ApprovalRequest, _use: ChannelUse) -> Sequence[Approver]:
        """Everybody with an address."""
        return [approver for approver in request.approvers if approver.email]

    async def send(self, notice: Notice, _use: ChannelUse) -> None:
        """See Channel.send."""
        await asyncio.to_thread(self._send, notice)

    def _send(self, notice: Notice) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        message = email_of(notice, self._sender)
        assert notice.recipient is not None, "an email has a recipient"
        if self._client is None:
            self._client = aws_client("sesv2", endpoint_url=self._endpoint_url, region=self._region)
        try:
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [notice.recipient.email]},
                Content={"Raw": {"Data": message.as_bytes()}},
            )
        except (BotoCoreError, ClientError) as error:
            raise NotificationFailed(f"SES did not take the email: {error}") from error
