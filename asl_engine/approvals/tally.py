"""When votes make a decision.

The first choice with as many votes as the quorum is decided on. Once no choice that lets the task succeed can get there
any more, the one with an error that has the most votes is: people who cannot agree have not approved.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from asl_engine.approvals.approval import Approval

UNDECIDED: Final = "undecided"


def decided_choice(approval: Approval) -> str | None:
    """The id of the choice that the votes decide on, UNDECIDED if they never will, None while they may."""
    counts = Counter(vote.choice for vote in approval.votes)
    quorum = approval.request.quorum
    for vote in approval.votes:
        if counts[vote.choice] >= quorum:
            return vote.choice
    best = max(counts[option.id] for option in approval.request.choices if option.error is None)
    if not _electorate_is_known(approval) or best + votes_to_come(approval) >= quorum:
        return None
    refusals = [option for option in approval.request.choices if option.error is not None and counts[option.id]]
    return max(refusals, key=lambda option: counts[option.id]).id if refusals else UNDECIDED


def votes_to_come(approval: Approval) -> int:
    """How many of those asked have not voted."""
    voted = {vote.recipient_id for vote in approval.votes}
    return sum(approver.id not in voted for approver in approval.approvers)


def _electorate_is_known(approval: Approval) -> bool:
    """Not where anybody in a Slack channel may vote, nor below the top of an escalation ladder."""
    escalation = approval.request.escalation
    return bool(approval.approvers) and (escalation is None or escalation.level >= escalation.levels)


def progress(approval: Approval) -> str:
    """How far the votes have come, in words; empty where one vote is enough."""
    quorum = approval.request.quorum
    if quorum == 1:
        return ""
    counts = Counter(vote.choice for vote in approval.votes)
    shown = [f"{counts[option.id]} for {option.label}" for option in approval.request.choices if counts[option.id]]
    return f"{quorum} equal answers decide. So far: {', '.join(shown) or 'none'}."
