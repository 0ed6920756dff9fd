"""ApprovalDesk: what can be done with approvals, each a single conditional write of one document.

First the decision is made durable, then the task is told. Until it is, the answer is due: the same write that decides
adds a document of kind DUE, and `deliver_due`, which the local server and a schedule call, sends what such documents
name. So nothing depends on anybody's coming back, and whoever answers waits only so long for the task to be told. An
answer that is sent twice does no harm: the second finds the task over. Only when the very first try finds the task over
did it come too late.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from asl_engine.approvals.answers import TaskAnswers, TaskIsOver, send_decision
from asl_engine.approvals.approval import (
    KIND,
    Approval,
    Delivery,
    Status,
    Vote,
    as_document,
    from_document,
    without_token,
)
from asl_engine.approvals.payload import approval_scope, read_payload
from asl_engine.approvals.request import Approver
from asl_engine.approvals.signing import fingerprint
from asl_engine.approvals.tally import decided_choice
from asl_engine.errors import ApprovalError, Conflict, InvalidApprovalRequest
from asl_engine.json_value import JsonObject
from asl_engine.store.resources import Change, Resource, ResourceStore, created, removed, replaced

# Each loser of a race has seen another's write, so this many losses mean as many writers at once.
_RACES_MAX: Final = 50
# One for each approval whose answer is due. Once `deliver_due` has tried, it says how often, and when to try next.
DUE: Final = "ApprovalDue"
_DUE_AT_ONCE: Final = 25
# Those that pause are among them: a thousand that nobody takes must not keep what is due now.
_DUE_LISTED_MAX: Final = 1_000
# The pause after a try doubles up to an hour. So an outage of hours costs an hour more at most, and all tries take a
# week.
_PAUSE_MILLISECONDS: Final = 30_000
_PAUSE_MILLISECONDS_MAX: Final = 3_600_000
TRIES_MAX: Final = 175
# How long whoever answers a page waits for the task to be told; the answer is recorded by then.
PATIENCE_SECONDS: Final = 5.0
# An execution runs for a year at most, and may come back to its approval until then.
_LONGEST_EXECUTION_DAYS: Final = 366
_DAY_SECONDS: Final = 86_400
_log: Final = logging.getLogger(__name__)


class Refused(ApprovalError):
    """A vote that does not count, because of how the approval stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the approval stands, whether it was this call that changed it, and if an answer was due before."""

    approval: Approval
    changed: bool
    was_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAnswers:
    """How many answers were sent that were due, and how many could not be."""

    sent: int
    left: int


class ApprovalDesk:
    """Approvals in a store. `now` gives epoch milliseconds; `expire_days` after their last use approvals expire."""

    def __init__(
        self, resources: ResourceStore, answers: TaskAnswers, now: Callable[[], int], expire_days: int | None = None
    ) -> None:
        self.now = now
        self._expire_days = expire_days
        self._resources, self._answers = resources, answers
        self._sending: set[asyncio.Task[Approval]] = set()

    async def find(self, approval_id: str) -> Approval | None:
        """The approval of this id, as it is.

        It is listed, not got: a store may answer `get` from memory, and other processes decide as well.
        """
        for resource in await self._resources.list(KIND, prefix=approval_id, limit=1):
            if resource.key == approval_id:
                return _approval(resource)
        return None

    async def all(self) -> list[Approval]:
        """Every approval, in order of their ids; as they are, without sending anything."""
        return [_approval(resource) for resource in await self._resources.list(KIND)]

    async def status_of(self, approval: Approval) -> Status:
        """How it stands now: one that is open has expired if its time or its task is over, as far as can be known."""
        if approval.status is not Status.OPEN:
            return approval.status
        is_over = approval.is_over_at(self.now()) or not await self._answers.is_waited_for(approval)
        return Status.EXPIRED if is_over else Status.OPEN

    async def open(self, payload: JsonObject, task_token: str) -> Approval:
        """Begin an approval, or its next round, or find what this token has begun already.

        A new token of an approval that is decided is answered at once. Raises InvalidApprovalRequest.
        """
        kept = {name: value for name, value in payload.items() if name != "taskToken"}
        request = read_payload(kept)
        approval_id = fingerprint(task_token) if request.shared_id is None else _shared_id(kept, request.shared_id)
        for _ in range(_RACES_MAX):
            resource = await self._resources.get(KIND, approval_id)
            if resource is None:
                begun = Approval(
                    id=approval_id, payload=kept, request=request, task_token=task_token, created_at=self.now()
                )
                expires_at = self._expires_at(begun)
                changes: tuple[Change, ...] = (created(KIND, approval_id, as_document(begun), expires_at=expires_at),)
            else:
                approval = _approval(resource)
                if approval.task_token == task_token:
                    return await self._delivered(approval, first_try=False)
                begun = _next_round(approval, kept, task_token)
                changes = await self._changes(resource, begun)
            try:
                await self._resources.write(*changes)
            except Conflict:
                continue
            return await self._delivered(begun, first_try=True)
        raise Conflict(f"approval {approval_id} is written by too many at once: try again")

    async def vote(self, approval_id: str, vote: Vote, *, patience_seconds: float = PATIENCE_SECONDS) -> Outcome:
        """Count a vote, if its recipient may vote and has not. Raises Refused.

        What it decides is recorded then, and due if the task cannot be told within these seconds.
        """

        def counted(approval: Approval) -> Approval:
            _check_may_vote(approval, vote.recipient_id, self.now())
            return _decided(replace(approval, votes=(*approval.votes, vote)), self.now())

        outcome = await self._change(approval_id, counted)
        return await self._told(outcome, patience_seconds)

    async def delegate(self, approval_id: str, recipient_id: str, to: str) -> Outcome:
        """Let somebody else decide: one of the request's delegates, by id. The task is told so. Raises Refused."""

        def handed_over(approval: Approval) -> Approval:
            _check_may_vote(approval, recipient_id, self.now())
            delegate = next((each for each in possible_delegates(approval) if each.id == to), None)
            if delegate is None:
                raise Refused("nobody of that name can be handed this decision")
            delegated = {**approval.delegated, recipient_id: to}
            delegated.pop(to, None)  # handed back: who handed it over before may decide again
            return replace(approval, delegated=delegated, added=(*approval.added, delegate), delivery=Delivery.DUE)

        outcome = await self._change(approval_id, handed_over)
        return await self._told(outcome, PATIENCE_SECONDS)

    async def close(self, approval_id: str) -> Approval | None:
        """End it without a decision, unless it was decided: then the decision stands."""

        def closed(approval: Approval) -> Approval:
            if approval.status is not Status.OPEN:
                return approval
            return without_token(replace(approval, status=Status.EXPIRED, delivery=Delivery.NONE))

        if await self._resources.get(KIND, approval_id) is None:
            return None
        outcome = await self._change(approval_id, closed)
        return await self._delivered(outcome.approval, first_try=False)

    async def tell(self, approval_id: str, told: Mapping[str, int]) -> None:
        """Remember who was told which reminder."""
        await self._change(approval_id, lambda approval: replace(approval, told={**approval.told, **told}))

    async def _change(self, approval_id: str, change: Callable[[Approval], Approval]) -> Outcome:
        for _ in range(_RACES_MAX):
            resource = await self._resources.get(KIND, approval_id)
            if resource is None:
                raise Refused(f"no approval has the id {approval_id}")
            before = _approval(resource)
            after, was_due = change(before), before.delivery is Delivery.DUE
            if after is before:
                return Outcome(approval=before, changed=False, was_due=was_due)
            try:
                await self._resources.write(*await self._changes(resource, after))
            except Conflict:
                continue
            return Outcome(approval=after, changed=True, was_due=was_due)
        raise Conflict(f"approval {approval_id} is written by too many at once: try again")

    async def deliver(self, approval: Approval) -> Approval:
        """Send the answer if it is due, and the task can be told soon."""
        return await self._soon(approval, PATIENCE_SECONDS, first_try=False)

    async def deliver_due(self) -> DueAnswers:
        """Send answers that are due, unless they pause. What cannot be sent stays so, until it is given up.

        What nobody keeps any more is forgotten.
        """
        listed = await self._resources.list(DUE, limit=_DUE_LISTED_MAX)
        now = self.now()
        due = [each for each in listed if each.document.get("nextAt", 0) <= now][:_DUE_AT_ONCE]
        sent = await asyncio.gather(*(self._is_sent(resource) for resource in due))
        return DueAnswers(sent=sum(sent), left=len(listed) - sum(sent))

    async def _is_sent(self, due: Resource) -> bool:
        try:
            approval = await self.find(due.key)
            if approval is None:
                await self._resources.write(removed(due))
                return True
            return (await self._delivered(approval, first_try=False)).delivery is not Delivery.DUE
        except Exception as error:  # one that cannot be sent keeps no other
            await self._put_off(due, error)
            return False

    async def _put_off(self, due: Resource, error: Exception) -> None:
        """Try again after a pause, or never. If that cannot be written, the try does not count."""
        tries = due.document.get("tries", 0) + 1
        pause = min(_PAUSE_MILLISECONDS << min(tries - 1, 10), _PAUSE_MILLISECONDS_MAX)
        try:
            if tries < TRIES_MAX:
                await self._resources.write(replaced(due, {"tries": tries, "nextAt": self.now() + pause}))
                _log.warning("the answer of approval %s is still due: %s", due.key, error)
                return
            if (await self._change(due.key, _given_up)).changed:
                _log.error("the answer of approval %s is given up after %d tries: %s", due.key, tries, error)
        except Conflict:
            pass  # another process tries it as well, and one of us is enough
        except Exception as unwritten:
            _log.warning("the answer of approval %s is still due: %s; %s", due.key, error, unwritten)

    async def _told(self, outcome: Outcome, patience_seconds: float) -> Outcome:
        approval = await self._soon(outcome.approval, patience_seconds, first_try=not outcome.was_due)
        return replace(outcome, approval=approval)

    async def _soon(self, approval: Approval, patience_seconds: float, *, first_try: bool) -> Approval:
        """Send the answer that is due, but wait only so long. The sending goes on, and is remembered if it gets there.

        It is not cancelled: half of an answer in this process would be worse than a late one.
        """
        if approval.delivery is not Delivery.DUE:
            return approval
        sending = asyncio.create_task(self._delivered(approval, first_try=first_try))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        await asyncio.wait({sending}, timeout=patience_seconds)
        if not sending.done():
            _log.warning("the task of approval %s is slow to take its answer", approval.id)
            sending.add_done_callback(_noticed)
            return approval
        error = sending.exception()
        if error is not None:
            _log.warning("the answer of approval %s is due: %s", approval.id, error)
            return approval
        return sending.result()

    async def _delivered(self, approval: Approval, *, first_try: bool) -> Approval:
        """Send the answer that is due, and remember it. What cannot be remembered is sent again, which does no harm."""
        if approval.delivery is not Delivery.DUE:
            return approval
        try:
            await send_decision(self._answers, approval)
            delivery = Delivery.DELIVERED
        except TaskIsOver:
            delivery = Delivery.TOO_LATE if first_try else Delivery.DELIVERED
        return await self._remembered(replace(approval, delivery=delivery))

    async def _remembered(self, sent: Approval) -> Approval:
        """Write down how the answer went.

        That somebody's answer was taken is worth more than that another's was not.
        """
        resource = await self._resources.get(KIND, sent.id)
        if resource is None:
            return sent
        found = _approval(resource)
        if found.task_token != sent.task_token or found.delivery is sent.delivery:
            return found
        known_better = found.delivery is Delivery.DELIVERED
        if not known_better:
            try:
                await self._resources.write(*await self._changes(resource, replace(found, delivery=sent.delivery)))
            except Conflict:
                return sent
            return replace(found, delivery=sent.delivery)
        return found

    async def _changes(self, resource: Resource, after: Approval) -> tuple[Change, ...]:
        """What to write so that this is how the approval stands, and that it is known to be due exactly when it is."""
        was_due, is_due = resource.document["delivery"] == Delivery.DUE, after.delivery is Delivery.DUE
        change = replaced(resource, as_document(after), expires_at=self._expires_at(after))
        if was_due is is_due:
            return (change,)
        if is_due:
            return change, created(DUE, after.id, {})
        due = await self._resources.get(DUE, after.id)
        return (change,) if due is None else (change, removed(due))

    def _expires_at(self, approval: Approval) -> int | None:
        """The second from which on nobody needs it: once its task is over, or no execution can come back to it."""
        if self._expire_days is None:
            return None
        is_over = not approval.is_shared and approval.delivery not in (Delivery.NONE, Delivery.DUE)
        days = self._expire_days if is_over else _LONGEST_EXECUTION_DAYS + self._expire_days
        return self.now() // 1000 + days * _DAY_SECONDS


def possible_delegates(approval: Approval) -> tuple[Approver, ...]:
    """Whom an approver may hand the decision to: not to somebody who is asked as well, whose vote counts once."""
    asked = {approver.id for approver in approval.approvers}
    return tuple(delegate for delegate in approval.request.delegates if delegate.id not in asked)


def shared_approval_id(payload: JsonObject) -> str:
    """The id of the approval that all rounds with these names share. Raises InvalidApprovalRequest.

    Whatever else a payload says has no say in how its approval ends.
    """
    shared_id, execution = payload.get("approvalId"), payload.get("execution")
    if not (isinstance(shared_id, str) and shared_id and isinstance(execution, str) and execution):
        raise InvalidApprovalRequest("only an approval with an approvalId and its execution can be closed by name")
    return _shared_id(payload, shared_id)


def _shared_id(payload: JsonObject, shared_id: str) -> str:
    return fingerprint(f"{approval_scope(payload)}\0{shared_id}")


def _approval(resource: Resource) -> Approval:
    return from_document(resource.key, resource.document)


def _noticed(late: asyncio.Task[Approval]) -> None:
    if not late.cancelled() and late.exception() is not None:
        _log.warning("an answer is still due: %s", late.exception())


def _next_round(approval: Approval, payload: JsonObject, task_token: str) -> Approval:
    """The same approval under a new token: votes and delegations stay, and who was asked before may still decide."""
    request = read_payload(payload)
    delegates = {each.id for each in approval.added}
    earlier: tuple[Approver, ...] = approval.request.with_approvers(approval.added).approvers
    added = (*approval.added, *(each for each in earlier if each.id not in delegates))
    begun = replace(
        approval, payload=payload, request=request, task_token=task_token, round=approval.round + 1, added=added
    )
    return replace(begun, delivery=Delivery.NONE if approval.status is Status.OPEN else Delivery.DUE)


def _check_may_vote(approval: Approval, recipient_id: str, now: int) -> None:
    if approval.status is Status.DECIDED:
        raise Refused("it has been decided")
    if approval.status is Status.EXPIRED or approval.is_over_at(now):
        raise Refused("its time is over")
    is_asked = any(approver.id == recipient_id for approver in approval.approvers)
    if approval.approvers and not is_asked and recipient_id not in approval.delegated:
        raise Refused("only those who were asked may answer")
    if recipient_id in approval.delegated:
        raise Refused("this decision was handed over to somebody else")
    if approval.vote_of(recipient_id) is not None:
        raise Refused("this answer was given already")


def _given_up(approval: Approval) -> Approval:
    return approval if approval.delivery is not Delivery.DUE else replace(approval, delivery=Delivery.GIVEN_UP)


def _decided(approval: Approval, now: int) -> Approval:
    choice = decided_choice(approval)
    if choice is None:
        return approval
    return replace(approval, status=Status.DECIDED, choice=choice, decided_at=now, delivery=Delivery.DUE)
