"""What a definition asks for: the data of a request for approval. `payload.py` reads it from a notifier's payload."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from asl_engine.approvals.form import FormField
from asl_engine.approvals.signing import fingerprint
from asl_engine.json_value import JsonObject

REJECTED: Final = "ApprovalRejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """Somebody who may decide. `id` stands for the address in links and votes."""

    name: str
    email: str | None = None
    slack: str | None = None

    @property
    def id(self) -> str:
        """The same for the same address, and gives no address away."""
        return fingerprint((self.email or self.slack or self.name).strip().lower(), 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A choice that is offered. With `error` it fails the task, otherwise it is the task's output."""

    id: str
    label: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A line of what is to be judged. `previous` is what the value was before, if that is given."""

    label: str
    value: str
    previous: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUse:
    """A channel that is to carry the request, with what it is told of where to."""

    type: str
    options: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Where on the ladder the request is, to be shown. `next_at` is a timestamp."""

    level: int
    levels: int
    next_at: str | None = None
    next_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """One request. `deadline` is epoch milliseconds; `shared_id` is the same for all rounds of one approval.

    `reminder` counts the reminders of a shared approval: with a greater one, those who have not answered are told
    again. Unless `reach_all`, it is enough that one of them is told.
    """

    title: str
    message: str
    subject: str
    details: tuple[Detail, ...]
    approvers: tuple[Approver, ...]
    channels: tuple[ChannelUse, ...]
    choices: tuple[Option, ...]
    form: tuple[FormField, ...] = ()
    quorum: int = 1
    deadline: int | None = None
    delegates: tuple[Approver, ...] = ()
    escalation: Escalation | None = None
    shared_id: str | None = None
    reminder: int = 0
    reach_all: bool = True

    @property
    def needs_form(self) -> frozenset[str]:
        """The ids of the choices that a field must be filled in for."""
        return frozenset[str]().union(*(field.required_for for field in self.form))

    def option(self, choice: str) -> Option | None:
        """The choice of this id."""
        return next((option for option in self.choices if option.id == choice), None)

    def with_approvers(self, added: tuple[Approver, ...]) -> ApprovalRequest:
        """Asking these, too."""
        known = {approver.id for approver in self.approvers}
        return replace(self, approvers=(*self.approvers, *(each for each in added if each.id not in known)))
