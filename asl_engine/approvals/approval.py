"""An approval as it is kept: the request, who was asked, who voted, what came of it. One document, changed as a whole.

The task token lies in the document as it is: whoever can read the store can read the journal, where the token is,
too. It is shown nowhere else (see `__repr__`); links stand for approvals, never for tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from asl_engine.approvals.payload import read_payload
from asl_engine.approvals.request import ApprovalRequest, Approver, Option
from asl_engine.json_value import JsonObject
from asl_engine.store.resources import Document

KIND: Final = "Approval"


class Status(StrEnum):
    """OPEN until it is decided, or closed without a decision."""

    OPEN = "OPEN"
    DECIDED = "DECIDED"
    EXPIRED = "EXPIRED"


class Delivery(StrEnum):
    """Whether the task has its answer.

    The decision is the truth; an answer that is due is sent by whoever comes next.
    """

    NONE = "NONE"  # nothing to send
    DUE = "DUE"
    DELIVERED = "DELIVERED"
    TOO_LATE = "TOO_LATE"  # the task had ended before
    GIVEN_UP = "GIVEN_UP"  # the task could not be told, however often it was tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What one recipient decided. `at` is epoch milliseconds; `nonce` is the fingerprint of the page's nonce."""

    recipient_id: str
    by: str
    choice: str
    at: int
    via: str
    form: JsonObject = field(default_factory=dict)
    nonce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One approval. `payload` is the request as it came, without its token; `round` counts the tokens it has had.

    `told` has, per recipient and channel, the last reminder that they were told, so that a repeated notification tells
    only who was not. `delegated` has, per recipient, the id of whom they handed it to.
    """

    id: str
    payload: JsonObject
    request: ApprovalRequest
    task_token: str = field(repr=False)
    created_at: int
    status: Status = Status.OPEN
    round: int = 1
    votes: tuple[Vote, ...] = ()
    choice: str | None = None
    decided_at: int | None = None
    delivery: Delivery = Delivery.NONE
    delegated: Mapping[str, str] = field(default_factory=dict)
    added: tuple[Approver, ...] = ()
    told: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_shared(self) -> bool:
        """Whether further rounds may come, each with a token of its own."""
        return self.request.shared_id is not None

    @property
    def approvers(self) -> tuple[Approver, ...]:
        """Who may decide now: those asked and added, less those who handed it over."""
        asked = self.request.with_approvers(self.added).approvers
        return tuple(approver for approver in asked if approver.id not in self.delegated)

    @property
    def outcome(self) -> Option | None:
        """The choice that was decided on."""
        return self.request.option(self.choice) if self.choice is not None else None

    def approver(self, recipient_id: str) -> Approver | None:
        """Who was asked under this id, even if they handed it over since."""
        asked = self.request.with_approvers(self.added).approvers
        return next((approver for approver in asked if approver.id == recipient_id), None)

    def vote_of(self, recipient_id: str) -> Vote | None:
        """What this recipient decided."""
        return next((vote for vote in self.votes if vote.recipient_id == recipient_id), None)

    def is_over_at(self, now: int) -> bool:
        """Whether its deadline has passed without a decision."""
        deadline = self.request.deadline
        return self.status is Status.OPEN and deadline is not None and now >= deadline


def as_document(approval: Approval) -> Document:
    """The approval as JSON."""
    return {
        "payload": approval.payload,
        "taskToken": approval.task_token,
        "createdAt": approval.created_at,
        "status": approval.status.value,
        "round": approval.round,
        "votes": [_vote_document(vote) for vote in approval.votes],
        "choice": approval.choice,
        "decidedAt": approval.decided_at,
        "delivery": approval.delivery.value,
        "delegated": dict(approval.delegated),
        "added": [{"name": each.name, "email": each.email, "slack": each.slack} for each in approval.added],
        "told": dict(approval.told),
    }


def from_document(approval_id: str, document: Mapping[str, Any]) -> Approval:
    """The approval that `as_document` wrote."""
    return Approval(
        id=approval_id,
        payload=document["payload"],
        request=read_payload(document["payload"]),
        task_token=document["taskToken"],
        created_at=document["createdAt"],
        status=Status(document["status"]),
        round=document["round"],
        votes=tuple(_vote(vote) for vote in document["votes"]),
        choice=document["choice"],
        decided_at=document["decidedAt"],
        delivery=Delivery(document["delivery"]),
        delegated=document["delegated"],
        added=tuple(Approver(**each) for each in document["added"]),
        told=document["told"],
    )


def without_token(approval: Approval) -> Approval:
    """The approval once its token is of no use any more."""
    return replace(approval, task_token="")


def _vote_document(vote: Vote) -> Document:
    return {
        "recipient": vote.recipient_id,
        "by": vote.by,
        "choice": vote.choice,
        "at": vote.at,
        "via": vote.via,
        "form": vote.form,
        "nonce": vote.nonce,
    }


def _vote(document: Mapping[str, Any]) -> Vote:
    return Vote(
        recipient_id=document["recipient"],
        by=document["by"],
        choice=document["choice"],
        at=document["at"],
        via=document["via"],
        form=document["form"],
        nonce=document["nonce"],
    )
