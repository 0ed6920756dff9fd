"""The pages behind links. GET and HEAD show, OPTIONS tells, and only a POST with the page's own nonce decides anything
or sends anything on.

Mail scanners and link previews follow links, so a link alone must never decide. What a scanner cannot do without
meaning to is to send the form of the page that it was shown.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from asl_engine.approvals import page_texts
from asl_engine.approvals.approval import Approval, Delivery, Status, Vote
from asl_engine.approvals.desk import ApprovalDesk, Refused, possible_delegates
from asl_engine.approvals.exchange import PageRequest, PageResponse, is_from_elsewhere, read_fields
from asl_engine.approvals.form import read_form
from asl_engine.approvals.links import Link, Links
from asl_engine.approvals.page_layout import HEADERS
from asl_engine.approvals.request import Option
from asl_engine.approvals.signing import fingerprint
from asl_engine.approvals.slack_interactions import SlackInteractions
from asl_engine.errors import InvalidLink

ALLOWED: Final = "GET, HEAD, POST, OPTIONS"
SLACK_PATH: Final = "slack"
_REPLAYED: Final = "This answer had been sent before. It counts once."
_log: Final = logging.getLogger(__name__)


class ApprovalPages:
    """Answers requests below the mount point. With `slack`, its button clicks too."""

    def __init__(self, desk: ApprovalDesk, links: Links, slack: SlackInteractions | None = None) -> None:
        self._desk, self._links, self._slack = desk, links, slack

    async def handle(self, request: PageRequest) -> PageResponse:
        """The response to a request. What fails on our side is logged without the link, and answered with 503."""
        try:
            response = await self._respond(request)
        except Exception:
            _log.exception("an approval page failed")
            response = page_texts.unavailable()
        if request.method == "HEAD":
            return PageResponse(status=response.status, headers=response.headers)
        return response

    async def _respond(self, request: PageRequest) -> PageResponse:
        if request.path == SLACK_PATH and self._slack is not None:
            return await self._slack.handle(request)
        if request.method == "OPTIONS":
            return PageResponse(status=204, headers={**HEADERS, "Allow": ALLOWED})
        if request.method not in {"GET", "HEAD", "POST"}:
            return page_texts.method_not_allowed(ALLOWED)
        if "." not in request.path or "/" in request.path:
            return page_texts.not_found()
        try:
            link = self._links.read(request.path)
        except InvalidLink:
            return page_texts.forged()
        approval = await self._desk.find(link.approval_id)
        if approval is None:
            return page_texts.gone()
        if link.round > approval.round:
            return page_texts.forged()
        if request.method == "POST":
            return await self._decide(request, link, approval)
        standing = self._standing(approval, link) or await self._gone(approval)
        if standing is None and approval.approvers and approval.approver(link.recipient_id) is None:
            standing = page_texts.for_others(approval)
        return standing or self._question(approval, link, request.path)

    def _standing(self, approval: Approval, link: Link) -> PageResponse | None:
        """What there is to say when nothing can be decided; None when it can."""
        if approval.status is Status.DECIDED:
            is_lost = approval.delivery is Delivery.TOO_LATE and not approval.is_shared
            return page_texts.gone(approval) if is_lost else page_texts.answered(approval, None)
        is_expired = self._desk.now() >= link.expires_at * 1000
        if approval.status is Status.EXPIRED or is_expired or approval.is_over_at(self._desk.now()):
            return page_texts.expired()
        vote = approval.vote_of(link.recipient_id)
        if vote is not None:
            return page_texts.answered(approval, vote)
        delegate = approval.delegated.get(link.recipient_id)
        if delegate is not None:
            return page_texts.handed_over(approval, _name(approval, delegate))
        return None

    async def _gone(self, approval: Approval) -> PageResponse | None:
        """That nobody waits for this any more, where that can be known."""
        is_over = await self._desk.status_of(approval) is not Status.OPEN
        return page_texts.gone(approval) if is_over else None

    def _question(
        self,
        approval: Approval,
        link: Link,
        token: str,
        written: Mapping[str, str] | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> PageResponse:
        return page_texts.question(
            approval,
            _options(approval, link),
            self._links.nonce(token),
            delegates=possible_delegates(approval),
            written=written,
            problems=problems,
        )

    async def _decide(self, request: PageRequest, link: Link, approval: Approval) -> PageResponse:
        fields = read_fields(request)
        if fields is None:
            return page_texts.malformed()
        if is_from_elsewhere(request):
            return page_texts.not_this_way("the form was sent by another site")
        nonce = fields.get("nonce", "")
        if not self._links.is_nonce_of(request.path, nonce):
            return page_texts.not_this_way("the form did not come from this link's page")
        approval = await self._desk.deliver(approval)
        standing = self._standing(approval, link) or await self._gone(approval)
        if standing is not None:
            return _too_late(approval, link, standing, nonce)
        try:
            if "delegate" in fields:
                return await self._delegate(link, fields["delegate"])
            return await self._vote(request.path, link, approval, fields)
        except Refused as refusal:
            return await self._refused(link, refusal, nonce)

    async def _vote(self, token: str, link: Link, approval: Approval, fields: Mapping[str, str]) -> PageResponse:
        choice = fields.get("choice", "")
        if choice not in {option.id for option in _options(approval, link)}:
            return page_texts.not_this_way("the link does not offer this choice")
        values, problems = read_form(approval.request.form, fields, choice)
        if problems:
            return self._question(approval, link, token, fields, problems)
        vote = Vote(
            recipient_id=link.recipient_id,
            by=_name(approval, link.recipient_id),
            choice=choice,
            at=self._desk.now(),
            via="page",
            form=values,
            nonce=fingerprint(fields["nonce"]),
        )
        after = (await self._desk.vote(link.approval_id, vote)).approval
        return self._standing(after, link) or page_texts.answered(after, vote)

    async def _delegate(self, link: Link, to: str) -> PageResponse:
        after = (await self._desk.delegate(link.approval_id, link.recipient_id, to)).approval
        return page_texts.handed_over(after, _name(after, to))

    async def _refused(self, link: Link, refusal: Refused, nonce: str) -> PageResponse:
        """Somebody was first: say how it stands now."""
        approval = await self._desk.find(link.approval_id)
        standing = self._standing(approval, link) if approval is not None else page_texts.gone()
        if approval is None or standing is None:
            return page_texts.not_this_way(str(refusal))
        return _too_late(approval, link, standing, nonce)


def _too_late(approval: Approval, link: Link, standing: PageResponse, nonce: str) -> PageResponse:
    """How it stands, told to somebody who wanted to decide."""
    if standing.status != 200:
        return standing
    vote = approval.vote_of(link.recipient_id)
    is_replay = vote is not None and vote.nonce == fingerprint(nonce)
    note = _REPLAYED if is_replay else "Your answer was not counted: it had been decided, or you had answered before."
    delegate = approval.delegated.get(link.recipient_id)
    if vote is None and delegate is not None and approval.status is Status.OPEN:
        return page_texts.handed_over(approval, _name(approval, delegate), status=409)
    return page_texts.answered(approval, vote, status=409, note=note)


def _options(approval: Approval, link: Link) -> tuple[Option, ...]:
    """The choice that the link is for, or all of them."""
    return tuple(option for option in approval.request.choices if link.choice in {"", option.id})


def _name(approval: Approval, recipient_id: str) -> str:
    approver = approval.approver(recipient_id)
    return approver.name if approver is not None else "Somebody in the channel"
