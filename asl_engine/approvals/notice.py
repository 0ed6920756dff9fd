"""What is told to one recipient through one channel, and the Protocol that channels fulfil.

To add a channel, write a class with these two methods and give it to the Notifier under the name that payloads use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from asl_engine.approvals.request import ApprovalRequest, Approver, ChannelUse

# Stands for whoever reads a channel, where no approvers are named.
ANYBODY: Final = Approver(name="Somebody in the channel", slack="channel")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLinks:
    """A recipient's links: `page` offers all choices, `choices` has a URL for each.

    `tokens` are those links without URL.
    """

    page: str
    choices: Mapping[str, str]
    tokens: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message. Without `links` it only informs; `needs_form` has the choices that only the page can take."""

    request: ApprovalRequest
    recipient: Approver | None = None
    links: NoticeLinks | None = None
    is_reminder: bool = False
    needs_form: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_for_others(self) -> bool:
        """Whether everybody reads it in a channel, though only those named may answer: its links are nobody's."""
        return self.recipient is ANYBODY and bool(self.request.approvers)

    @property
    def subject(self) -> str:
        """The subject in one line."""
        subject = " ".join(self.request.subject.split())
        return f"Reminder: {subject}" if self.is_reminder else subject


class Channel(Protocol):
    """A way to tell people."""

    def recipients(self, request: ApprovalRequest, use: ChannelUse) -> Sequence[Approver]:
        """Whom this channel can tell of the request, one message each; ANYBODY for a message to a whole channel."""

    async def send(self, notice: Notice, use: ChannelUse) -> None:
        """Tell one recipient. Raises NotificationFailed."""
